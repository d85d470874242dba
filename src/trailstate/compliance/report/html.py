"""A report as one HTML page that needs nothing else: no script, no font, no request to anywhere."""

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape

from trailstate.compliance.report.content import Content

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = """
:root { color-scheme: light dark; --bad: #b3261e; --good: #1b6e3c; --idle: #666; --line: #8884; }
@media (prefers-color-scheme: dark) { :root { --bad: #ff8a80; --good: #7fd69b; --idle: #aaa; } }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; } h2 { font-size: 1.05rem; margin: 2.2rem 0 .4rem; }
p { margin: .3rem 0; } .facts { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; margin: 1.2rem 0; }
.facts b { display: block; font-size: 1.4rem; }
.share { display: flex; height: .55rem; margin: 1.2rem 0; border-radius: .3rem; overflow: hidden; }
.share i { background: currentColor; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem 1.2rem .35rem 0; border-top: 1px solid var(--line); }
th { font-weight: 600; white-space: nowrap; } td { overflow-wrap: break-word; }
th.n, td.n { text-align: right; } th:last-child, td:last-child { padding-right: 0; }
a { color: inherit; text-underline-offset: .2em; } code { font-size: .92em; overflow-wrap: anywhere; }
span.v, time { white-space: nowrap; } .NON_COMPLIANT { color: var(--bad); } .COMPLIANT { color: var(--good); }
.INSUFFICIENT_DATA, .NOT_APPLICABLE { color: var(--idle); }
@media screen and (max-width: 44rem) {
  thead { display: none; } tr { display: block; padding: .5rem 0; border-top: 1px solid var(--line); }
  td, td.n { display: block; text-align: left; border: 0; padding: .05rem 0; }
  td:empty { display: none; } td[data-of]::before { content: attr(data-of) ": "; color: var(--idle); }
}
@media print {
  :root { color-scheme: light; --bad: #b3261e; --good: #1b6e3c; --idle: #666; }
  body { margin: 0; max-width: none; font-size: 10pt; } a { text-decoration: none; }
  h2 { break-after: avoid; } tr { break-inside: avoid; } .share { print-color-adjust: exact; }
}
"""
WORDS = {
    "NON_COMPLIANT": "Non-compliant",
    "COMPLIANT": "Compliant",
    "INSUFFICIENT_DATA": "Insufficient data",
    "NOT_APPLICABLE": "Not applicable",
}
ORDER = tuple(WORDS)
SEVERITIES = ("Critical", "High", "Medium", "Low")
RULE_COLUMNS = ("Verdict", "Rule", "Severity", "Controls", "Broken by", "Resources")
RESOURCE_COLUMNS = ("Verdict", "Resource", "Since (UTC)", "By", "What was found")
NUMBERS = frozenset({"Broken by", "Resources"})
WIDTHS = {"Verdict": "9rem", "Severity": "7rem", "Resource": "26%", "Since (UTC)": "11rem", "By": "22%"}
"""So that the columns of all tables of a kind stand under one another."""
PLAIN = frozenset({"Verdict", "Rule", "Resource", "What was found", "Why"})
"""Columns whose cells speak for themselves where a narrow screen shows no head."""


def as_html(content: Content) -> str:
    """What is broken stands first, the worst before all; what nobody judged is named at the end."""
    rules = sorted(content["rules"], key=_place)
    judged = [rule for rule in rules if rule["judged"]]
    title = escape(content["title"])
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f"{_head(content)}{_share(judged)}{_overview(judged)}"
        f"{''.join(map(_rule, judged))}{_not_judged(rules)}</body></html>\n"
    )


def _head(content: Content) -> str:
    percent = content["score"] if content["score"] == "INSUFFICIENT_DATA" else f"{content['score']} %"
    facts = (
        (_word(content["compliance"]), "the whole pack"),
        (escape(WORDS.get(percent, percent)), "of rule and resource pairs comply"),
        (f"{content['rulesJudged']} of {content['rulesTotal']}", "rules judged"),
        (str(content["resources"]), "resources in scope"),
    )
    cells = "".join(f"<div><b>{value}</b>{label}</div>" for value, label in facts)
    return (
        f"<h1>{escape(content['title'])}</h1><p>Account {escape(content['account'])}, "
        f"{escape(content['region'])}, as of {_time(content['generated'])} UTC</p>"
        f'<div class="facts">{cells}</div>'
    )


def _place(rule: Content) -> tuple[int, int, str]:
    severity = rule["severity"]
    worst = SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
    return ORDER.index(rule["compliance"]), worst, rule["name"]


def _share(rules: Sequence[Content]) -> str:
    """How many rules say what, as a bar."""
    counts = Counter(rule["compliance"] for rule in rules)
    told = [(word, counts[word]) for word in ORDER if counts[word]]
    bars = "".join(f'<i class="{word}" style="flex:{count}"></i>' for word, count in told)
    words = ", ".join(f"{count} {WORDS[word].lower()}" for word, count in told)
    return f'<div class="share" role="img" aria-label="{words}">{bars}</div><p>Rules: {words}.</p>' if told else ""


def _overview(rules: Iterable[Content]) -> str:
    rows = [
        (
            _word(rule["compliance"]),
            f'<a href="#{escape(rule["name"])}">{escape(rule["name"])}</a>'
            if rule["resources"]
            else escape(rule["name"]),
            escape(rule["severity"] or ""),
            escape(", ".join(rule["controls"])),
            str(sum(each["compliance"] == "NON_COMPLIANT" for each in rule["resources"]) or ""),
            str(len(rule["resources"])) if rule["resources"] else "none",
        )
        for rule in rules
    ]
    return "<h2>Rules</h2>" + _table(RULE_COLUMNS, rows)


def _rule(rule: Content) -> str:
    if not rule["resources"]:
        return ""
    resources = sorted(rule["resources"], key=lambda each: ORDER.index(each["compliance"]))
    rows = [
        (
            _word(each["compliance"]),
            f"{escape(each['resourceType'])}<br><code>{escape(each['resourceId'])}</code>",
            f"<time>{_time(each['since'])}</time>",
            f"<code>{escape(each['by'])}</code>" if each["by"] else "",
            escape(each["annotation"]),
        )
        for each in resources
    ]
    about = f"<p>Broken when: {escape(rule['fails'])}.</p>" if rule["fails"] else ""
    wrong = f"<p>{escape(rule['reason'])}</p>" if rule["reason"] else ""
    name = escape(rule["name"])
    return f'<h2 id="{name}">{name}</h2>{about}{wrong}{_table(RESOURCE_COLUMNS, rows)}'


def _not_judged(rules: Iterable[Content]) -> str:
    left = [rule for rule in rules if not rule["judged"]]
    if not left:
        return "<h2>Not judged</h2><p>Every rule of the pack was judged.</p>"
    rows = [(escape(rule["name"]), escape(rule["reason"])) for rule in left]
    return f"<h2>Not judged</h2>{_table(('Rule', 'Why'), rows)}"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Without the columns in which no row says anything."""
    told = [at for at in range(len(columns)) if any(row[at] for row in rows)]
    head = "".join(f"<th{_kind(columns[at])}{_width(columns[at])}>{columns[at]}</th>" for at in told)
    body = "".join("<tr>" + "".join(_cell(columns[at], row[at]) for at in told) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(column: str, content: str) -> str:
    of = "" if column in PLAIN else f' data-of="{column}"'
    return f"<td{_kind(column)}{of}>{content}</td>"


def _kind(column: str) -> str:
    return ' class="n"' if column in NUMBERS else ""


def _width(column: str) -> str:
    return f' style="width:{WIDTHS[column]}"' if column in WIDTHS else ""


def _word(compliance: str) -> str:
    return f'<span class="v {compliance}">{WORDS[compliance]}</span>'


def _time(text: str) -> str:
    return escape(text[:19].replace("T", " "))
