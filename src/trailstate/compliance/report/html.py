"""A report as one HTML page that needs nothing else: no script, no font, no request to anywhere."""

from collections.abc import Iterable
from html import escape

from trailstate.compliance.report.content import Content

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = """
:root { color-scheme: light dark; --bad: #b3261e; --good: #1b6e3c; --idle: #6b6b6b; --line: #8884; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .3rem; } h2 { font-size: 1.05rem; margin: 2rem 0 .4rem; }
p { margin: .3rem 0; } .facts { display: flex; flex-wrap: wrap; gap: 2rem; margin: 1.2rem 0; }
.facts b { display: block; font-size: 1.4rem; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; border-top: 1px solid var(--line); }
td { overflow-wrap: anywhere; } .NON_COMPLIANT { color: var(--bad); } .COMPLIANT { color: var(--good); }
.INSUFFICIENT_DATA, .NOT_APPLICABLE { color: var(--idle); } code { font-size: .92em; }
@media print { body { margin: 0; max-width: none; } h2 { break-after: avoid; } tr { break-inside: avoid; } }
"""
WORDS = {
    "NON_COMPLIANT": "Non-compliant",
    "COMPLIANT": "Compliant",
    "INSUFFICIENT_DATA": "Insufficient data",
    "NOT_APPLICABLE": "Not applicable",
}
ORDER = tuple(WORDS)
RESOURCE_COLUMNS = ("Verdict", "Resource", "Since (UTC)", "By", "What was found")


def as_html(content: Content) -> str:
    """What is broken stands first; what nobody judged is named at the end."""
    rules = sorted(content["rules"], key=lambda rule: (ORDER.index(rule["compliance"]), rule["name"]))
    judged = [rule for rule in rules if rule["judged"]]
    title = escape(content["title"])
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f"{_head(content)}{_overview(judged)}{''.join(map(_rule, judged))}{_not_judged(rules)}</body></html>\n"
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


def _overview(rules: Iterable[Content]) -> str:
    rows = (
        (
            _word(rule["compliance"]),
            escape(rule["name"]),
            escape(rule["severity"] or ""),
            escape(", ".join(rule["controls"])),
            str(sum(each["compliance"] == "NON_COMPLIANT" for each in rule["resources"])),
            str(len(rule["resources"])),
        )
        for rule in rules
    )
    return "<h2>Rules</h2>" + _table(("Verdict", "Rule", "Severity", "Controls", "Broken by", "Resources"), rows)


def _rule(rule: Content) -> str:
    if not rule["resources"]:
        return ""
    resources = sorted(rule["resources"], key=lambda each: ORDER.index(each["compliance"]))
    rows = (
        (
            _word(each["compliance"]),
            f"{escape(each['resourceType'])}<br><code>{escape(each['resourceId'])}</code>",
            _time(each["since"]),
            escape(each["by"]),
            escape(each["annotation"]),
        )
        for each in resources
    )
    about = f"<p>Broken when: {escape(rule['fails'])}.</p>" if rule["fails"] else ""
    wrong = f"<p>{escape(rule['reason'])}</p>" if rule["reason"] else ""
    return f"<h2>{escape(rule['name'])}</h2>{about}{wrong}{_table(RESOURCE_COLUMNS, rows)}"


def _not_judged(rules: Iterable[Content]) -> str:
    left = [rule for rule in rules if not rule["judged"]]
    if not left:
        return "<h2>Not judged</h2><p>Every rule of the pack was judged.</p>"
    rows = ((escape(rule["name"]), escape(rule["reason"])) for rule in left)
    return f"<h2>Not judged</h2>{_table(('Rule', 'Why'), rows)}"


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{column}</th>" for column in columns)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _word(compliance: str) -> str:
    return f'<span class="{compliance}">{WORDS[compliance]}</span>'


def _time(text: str) -> str:
    return escape(text[:19].replace("T", " "))
