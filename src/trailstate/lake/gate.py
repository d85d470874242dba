"""The gate: which SQL may run at all. What is not named here is refused, whatever it does.

A statement is parsed, every node of its tree held against allow-lists (roots, kinds of nodes, functions, tables), and
what goes on is written anew from the tree: the client's text never reaches an engine. Block-lists do not work; engines
have functions that read files, settings and environment variables, and get new ones with every release.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from trailstate.lake import dialect

if TYPE_CHECKING:
    from sqlglot import exp

TEXT_BYTES_MAX = 262_144
"""Athena's bound on a query string."""

_PLAIN_NAME = re.compile(r"[^\W\d]\w*")
"""A name that needs no quotation marks. The parser takes more for one, and it would be written out as it is."""

NODES_MAX = 20_000
DEPTH_MAX = 250


class Refused(ValueError):
    """The statement may not run; the message says what in it, and for syntax where."""


@dataclass(frozen=True, slots=True)
class TableName:
    """A table as a statement names it, in lower case."""

    database: str
    name: str


def parsed(text: str) -> "exp.Expr":
    """The one statement in a text of Athena's SQL; Refused when there is none, several, or it cannot be read."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    if len(text.encode("utf-8", "surrogatepass")) > TEXT_BYTES_MAX:
        raise Refused(f"a query has at most {TEXT_BYTES_MAX} bytes")
    try:
        found = [each for each in sqlglot.parse(text, read="athena") if each is not None]
    except (SqlglotError, RecursionError, ValueError) as error:
        raise Refused(_syntax(error)) from error
    if len(found) != 1:
        raise Refused(f"expected one statement, found {len(found)}")
    return found[0]


def _syntax(error: Exception) -> str:
    details: list[dict[str, Any]] = getattr(error, "errors", None) or []
    if details and details[0].get("line"):
        first = details[0]
        return f"line {first['line']}:{first['col']}: {first.get('description') or 'mismatched input'}"
    return "the statement is nested too deeply" if isinstance(error, RecursionError) else "mismatched input"


def admit(statement: "exp.Expr", known: Callable[[TableName], bool]) -> list[TableName]:
    """Refused, or the tables that the query reads. `known` says whether the caller may read a table."""
    from sqlglot import exp

    if not isinstance(statement, exp.Query) or isinstance(statement, exp.Table):
        raise Refused(f"only queries may run; this is a statement of the kind {statement.key.upper()}")
    _hold_size(statement)
    for node in statement.walk():
        _hold_node(node)
    tables = list(dict.fromkeys(_tables(statement)))
    for table in tables:
        if not known(table):
            raise Refused(f"Table '{table.database or 'default'}.{table.name}' does not exist")
    return tables


def _hold_size(statement: "exp.Expr") -> None:
    count, stack = 0, [(statement, 1)]
    while stack:
        node, depth = stack.pop()
        count += 1
        if count > NODES_MAX or depth > DEPTH_MAX:
            raise Refused("the statement is too long or nested too deeply")
        stack.extend((child, depth + 1) for child in node.iter_expressions())


def _hold_node(node: "exp.Expr") -> None:
    from sqlglot import exp

    if isinstance(node, exp.Identifier) and not node.quoted and not _PLAIN_NAME.fullmatch(node.name):
        raise Refused(f"mismatched input '{node.name}'")
    if isinstance(node, exp.Select) and not node.expressions:
        raise Refused("a query must select something")
    if isinstance(node, exp.Anonymous):
        name = str(node.this).lower()
        if name not in dialect.BY_NAME:
            raise Refused(f"Function '{name}' not registered")
        return
    if isinstance(node, exp.Func) and not isinstance(node, _connectives()):
        if node.key not in _functions():
            raise Refused(f"Function '{node.sql_name().lower()}' not registered")
        return
    if node.key not in NODES:
        raise Refused(f"{node.key.upper()} is not supported in queries")


def _tables(statement: "exp.Expr") -> Iterator[TableName]:
    """The tables that are read, without the names that WITH gives."""
    from sqlglot import exp

    given = {each.alias_or_name.lower() for each in statement.find_all(exp.CTE)}
    for table in statement.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            raise Refused("functions that make tables are not supported in queries")
        if table.args.get("catalog") is not None and str(table.catalog).lower() != "awsdatacatalog":
            raise Refused(f"Catalog '{table.catalog}' does not exist")
        name = TableName(str(table.db).lower(), str(table.name).lower())
        if name.database or name.name not in given:
            yield name


@cache
def _connectives() -> tuple[type, ...]:
    """What sqlglot counts among functions and everybody else among operators."""
    from sqlglot import exp

    return (exp.And, exp.Or, exp.Exists)


@cache
def _functions() -> Collection[str]:
    """The keys of the allowed functions that the parser has a class for; a name it does not know is a defect here."""
    from sqlglot import exp

    missing = [name for name in FUNCTIONS if not hasattr(exp, name)]
    assert not missing, f"the parser has no functions {missing}"
    return frozenset(getattr(exp, name).key for name in FUNCTIONS)


NODES = frozenset(
    [
        "select",
        "subquery",
        "union",
        "intersect",
        "except",
        "with",
        "cte",
        "from",
        "join",
        "lateral",
        "where",
        "group",
        "having",
        "order",
        "ordered",
        "limit",
        "offset",
        "fetch",
        "distinct",
        "tuple",
        "paren",
        "alias",
        "aliases",
        "tablealias",
        "identifier",
        "column",
        "table",
        "star",
        "literal",
        "null",
        "boolean",
        "dot",
        "bracket",
        "slice",
        "values",
        "unnest",
        "window",
        "windowspec",
        "cube",
        "rollup",
        "groupingsets",
        "and",
        "or",
        "not",
        "eq",
        "neq",
        "gt",
        "gte",
        "lt",
        "lte",
        "is",
        "nullsafeeq",
        "in",
        "between",
        "like",
        "escape",
        "exists",
        "any",
        "all",
        "add",
        "sub",
        "mul",
        "div",
        "mod",
        "intdiv",
        "neg",
        "dpipe",
        "bitwiseand",
        "bitwiseor",
        "bitwisexor",
        "case",
        "if",
        "cast",
        "trycast",
        "datatype",
        "datatypeparam",
        "interval",
        "intervalspan",
        "var",
        "kwarg",
        "lambda",
        "columndef",
        "attimezone",
        "filter",
        "withingroup",
        "ignorenulls",
        "respectnulls",
        "propertyeq",
        "struct",
        "jsonpath",
        "jsonpathroot",
        "jsonpathkey",
        "jsonpathsubscript",
        "jsonpathwildcard",
    ]
)
"""Kinds of nodes of a query's tree."""

_FUNCTIONS = """
Lower Upper Length Concat ConcatWs Substring Trim Replace Split SplitPart StrPosition StartsWith Reverse Pad Chr Unicode
Hex Unhex Levenshtein RegexpLike RegexpExtract RegexpExtractAll RegexpReplace RegexpCount MD5 SHA SHA2 ToBase64
FromBase64 Translate Decode Encode
Abs Ceil Floor Round Sign Sqrt Cbrt Exp Ln Log Pow Greatest Least Rand IsNan
CurrentDate CurrentTimestamp CurrentTime DateTrunc TimestampTrunc DateAdd DateSub DateDiff Extract Year Month Quarter
Week Day DayOfMonth DayOfWeek DayOfWeekIso DayOfYear Hour Minute Second TimeToStr StrToTime UnixToTime TimeToUnix
TsOrDsToDate FromISO8601Timestamp FromISO8601Date LastDay Date Timestamp
JSONExtract JSONExtractScalar ParseJSON JSONFormat JSONCast JSONArrayContains
Array ArraySize ArrayContains ArrayConcat ArrayToString ArrayFilter Transform Reduce ArraySort ArraySlice ArrayDistinct
ArrayIntersect ArrayOverlaps ArrayMax ArrayMin ArrayPosition ArrayRemove ArrayExcept ArrayAny ArrayAll Flatten
GenerateSeries Map VarMap MapFromEntries MapKeys Struct Unnest
Coalesce Nullif If Case Cast TryCast Try Grouping
Count CountIf Sum Avg Min Max ArgMax ArgMin AnyValue ArrayAgg GroupConcat ApproxDistinct ApproxQuantile Quantile Stddev
StddevPop StddevSamp Variance VariancePop LogicalAnd LogicalOr Corr CovarPop CovarSamp RowNumber Rank DenseRank
PercentRank CumeDist Ntile Lag Lead FirstValue LastValue NthValue
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())
"""Functions that the parser has a class for."""
