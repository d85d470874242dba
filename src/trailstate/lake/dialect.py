"""From Athena's SQL to DuckDB's. sqlglot translates most of it; what it does not know is named here.

https://docs.aws.amazon.com/athena/latest/ug/functions.html and https://trino.io/docs/current/functions.html

Three forms: a macro that every session defines (the function keeps its name), a rewrite of the call, or the same
function under the same name. The present time is the house's, not the engine's clock. A field of a structure that a
table offers as a leaf is asked for by its leaf, so that the rest of the structure is never put together.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp

MACROS: Mapping[str, str] = {
    "json_array_get": "(document, place) AS json_extract(document, CAST(place AS BIGINT))",
    "json_size": "(document, path) AS CASE json_type(document, path)"
    " WHEN 'ARRAY' THEN json_array_length(document, path)"
    " WHEN 'OBJECT' THEN len(json_keys(document, path)) ELSE 0 END",
    "json_extract_array": "(document, path) AS CAST(json_extract(document, path) AS JSON[])",
    "map_agg": "(key, value) AS map(list_distinct(list(key)), list_transform(list_distinct(list(key)),"
    " LAMBDA each: list(value)[list_position(list(key), each)]))",
    "arrays_overlap": "(one, other) AS list_has_any(one, other)",
    "array_union": "(one, other) AS list_distinct(list_concat(one, other))",
    "to_iso8601": "(moment) AS strftime(CAST(moment AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%gZ')",
    "at_timezone": "(moment, zone) AS moment AT TIME ZONE zone",
    "url_extract_protocol": "(address) AS nullif(regexp_extract(address, '^([A-Za-z][A-Za-z0-9+.-]*):', 1), '')",
    "url_extract_host": "(address) AS nullif(regexp_extract(address, '^[A-Za-z][A-Za-z0-9+.-]*://(?:[^@/?#]*@)?"
    "([^:/?#]+)', 1), '')",
    "url_extract_path": "(address) AS regexp_extract(address, '^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*([^?#]*)', 1)",
    "url_extract_query": "(address) AS nullif(regexp_extract(address, '[?]([^#]*)', 1), '')",
    "is_finite": "(number) AS isfinite(number)",
    "infinity": "() AS CAST('infinity' AS DOUBLE)",
    "nan": "() AS CAST('nan' AS DOUBLE)",
}
"""Trino's functions as macros of the session: parameters and body."""

SAME = frozenset(
    ("json_array_length", "histogram", "map_values", "map_concat", "map_entries", "url_decode", "url_encode", "typeof")
)
"""Functions that the engine has under the same name with the same meaning."""


class Untranslatable(ValueError):
    """A use of a function that cannot be said in the engine's SQL; the message names it."""


def _sizes(call: "exp.Anonymous", name: str, compare: str) -> "exp.Expr":
    """`any_match(list, test)` and its like, by how many elements pass."""
    import sqlglot

    if len(call.expressions) != 2:
        raise Untranslatable(f"{name} takes an array and a function")
    values, test = (each.sql("duckdb") for each in call.expressions)
    passing = f"len(list_filter({values}, {test}))"
    return sqlglot.parse_one(compare.format(passing=passing, all=f"len({values})"), read="duckdb")


def _format_datetime(call: "exp.Anonymous") -> "exp.Expr":
    from sqlglot import exp

    if len(call.expressions) != 2 or not call.expressions[1].is_string:
        raise Untranslatable("format_datetime takes a time and a pattern written as a text")
    pattern = strftime_of(str(call.expressions[1].this))
    return exp.Anonymous(this="strftime", expressions=[call.expressions[0], exp.Literal.string(pattern)])


def _arbitrary(call: "exp.Anonymous") -> "exp.Expr":
    from sqlglot import exp

    return exp.AnyValue(this=call.expressions[0])


REWRITES: Mapping[str, Callable[["exp.Anonymous"], "exp.Expr"]] = {
    "any_match": lambda call: _sizes(call, "any_match", "({passing} > 0)"),
    "all_match": lambda call: _sizes(call, "all_match", "({passing} = {all})"),
    "none_match": lambda call: _sizes(call, "none_match", "({passing} = 0)"),
    "format_datetime": _format_datetime,
    "arbitrary": _arbitrary,
}

BY_NAME: Collection[str] = frozenset((*MACROS, *SAME, *REWRITES))
"""Every function that the parser does not know and that may be used all the same."""

_JODA = {
    "yyyy": "%Y",
    "yy": "%y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "dd": "%d",
    "HH": "%H",
    "hh": "%I",
    "mm": "%M",
    "ss": "%S",
    "SSS": "%g",
    "EEEE": "%A",
    "EEE": "%a",
    "a": "%p",
    "D": "%j",
}
_TOKEN = re.compile(r"'([^']*)'|([A-Za-z])\2*|[^A-Za-z']+")


def strftime_of(pattern: str) -> str:
    """A pattern of Java's date formats in C's; Untranslatable for letters that have no equal."""
    parts: list[str] = []
    for match in _TOKEN.finditer(pattern):
        token = match.group()
        if match[2]:
            if token not in _JODA:
                raise Untranslatable(f"the pattern '{pattern}' holds '{token}', which has no equal here")
            parts.append(_JODA[token])
        else:
            parts.append((match[1] or "'" if token.startswith("'") else token).replace("%", "%%"))
    return "".join(parts)


def session_macros() -> list[str]:
    """What a session defines before a query."""
    return [f"CREATE MACRO {name}{definition}" for name, definition in MACROS.items()]


def translated(query: "exp.Expr", now: datetime, leaves: Collection[str] = ()) -> str:
    """The query in DuckDB's SQL, written anew from its tree; Untranslatable for what cannot be said.

    `leaves` are the paths (`useridentity.arn`) that the tables offer as columns of their own.
    """
    from sqlglot import exp

    def change(node: "exp.Expr") -> "exp.Expr":
        if isinstance(node, exp.Anonymous) and str(node.this).lower() in REWRITES:
            return REWRITES[str(node.this).lower()](node)
        if isinstance(node, exp.CurrentTimestamp):
            return exp.cast(exp.Literal.string(f"{now:%Y-%m-%d %H:%M:%S}+00"), "timestamptz")
        if isinstance(node, exp.CurrentDate):
            return exp.cast(exp.Literal.string(f"{now:%Y-%m-%d}"), "date")
        return _leaf(node, leaves) if leaves else node

    return _named(query.transform(change)).sql("duckdb")


def _named(query: "exp.Expr") -> "exp.Expr":
    """Every column that has no name gets the one that Athena gives it: `_col0` for the first."""
    from sqlglot import exp

    named = (exp.Alias, exp.Column, exp.Dot, exp.Star)
    first = query
    while isinstance(first, exp.SetOperation | exp.Subquery):
        first = first.this
    if isinstance(first, exp.Select):
        chosen = [
            each if isinstance(each, named) else exp.alias_(each, f"_col{number}")
            for number, each in enumerate(first.expressions)
        ]
        first.set("expressions", chosen)
    return query


def wants_structures(query: "exp.Expr", leaves: Collection[str]) -> bool:
    """Whether a query asks for whole structures: by a star, or by the name of one without a field."""
    from sqlglot import exp

    roots = {each.partition(".")[0] for each in leaves}
    for node in query.walk():
        if isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count):
            return True
        if isinstance(node, exp.Column) and not isinstance(node.parent, exp.Dot):
            parts = [part.name.lower() for part in node.parts]
            if parts[-1] in roots:
                return True
    return False


def is_plain(query: "exp.Expr") -> bool:
    """Whether a query is one SELECT over one table, so that every name in it is one of the table's columns."""
    from sqlglot import exp

    return (
        isinstance(query, exp.Select)
        and len(list(query.find_all(exp.Query))) == 1
        and len(list(query.find_all(exp.Table))) == 1
        and not query.args.get("joins")
        and not query.args.get("laterals")
        and not query.find(exp.Unnest, exp.Lateral)
    )


def without_stars(query: "exp.Expr", columns: Sequence[str]) -> "exp.Expr":
    """A plain query whose stars are written out: so a structure is put together for the rows of the answer alone."""
    from sqlglot import exp

    chosen: list[exp.Expr] = []
    for each in query.args["expressions"]:
        is_star = isinstance(each, exp.Star) or (isinstance(each, exp.Column) and isinstance(each.this, exp.Star))
        chosen += [exp.column(exp.to_identifier(name, quoted=True)) for name in columns] if is_star else [each]
    query = query.copy()
    query.set("expressions", chosen)
    return query


def _leaf(node: "exp.Expr", leaves: Collection[str]) -> "exp.Expr":
    """A field of a structure as the column that holds it."""
    from sqlglot import exp

    if not isinstance(node, exp.Column | exp.Dot) or isinstance(node.parent, exp.Dot):
        return node
    parts = _path(node)
    for first in range(len(parts)):
        if ".".join(parts[first:]).lower() in leaves:
            column = exp.column(exp.to_identifier(".".join(parts[first:]).lower(), quoted=True))
            if first:
                column.set("table", exp.to_identifier(parts[first - 1]))
            name = parts[-1]
            named = isinstance(node.parent, exp.Select) and node.arg_key == "expressions"
            return exp.alias_(column, name) if named else column
    return node


def _path(node: "exp.Expr") -> list[str]:
    from sqlglot import exp

    if isinstance(node, exp.Dot):
        return [*_path(node.this), node.expression.name]
    if isinstance(node, exp.Column):
        return [part.name for part in node.parts]
    return [""]
