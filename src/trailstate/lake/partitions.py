"""Partitions that somebody added to a table: Glue's `Partition` as documents, and those that an expression wants.

They are kept for whoever lists them. What a question finds does not depend on them: the files below a table's location
are found without.
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-partitions.html
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from trailstate.lake import tables
from trailstate.lake.gate import Refused, TableName
from trailstate.stores.interface import ShelfKey

if TYPE_CHECKING:
    from sqlglot import exp

NUMBERS = ("tinyint", "smallint", "int", "integer", "bigint", "float", "double", "decimal")
Value = str | float | bool


def kind_of(table: TableName) -> str:
    """A kind of its own for each table, so that one's partitions are read without the others'."""
    return f"lake.partition.{table.database}.{table.name}"


def partition_key(account: str, region: str, table: TableName, values: Sequence[str]) -> ShelfKey:
    return ShelfKey(account, region, kind_of(table), "/".join(quote(each, safe="") for each in values))


def document_of(table: Mapping[str, Any], values: Sequence[str], moment: str, **said: Any) -> dict[str, Any]:
    """A partition of a table with what is said of it, and no more: what it does not say, the table says."""
    return {
        "DatabaseName": table["DatabaseName"],
        "TableName": table["Name"],
        "Values": list(values),
        "CreationTime": moment,
        "Parameters": {},
        **said,
    }


def values_of(table: Mapping[str, Any], given: Mapping[str, str]) -> list[str]:
    """The values in the order of the table's partition columns; Refused when they are not exactly its columns."""
    columns = [name for name, _ in tables.described(table)[1]]
    if sorted(columns) != sorted(given):
        told = ", ".join(columns) or "none"
        raise Refused(f"the partition columns of '{table['Name']}' are {told}; found {', '.join(given)}")
    return [given[name] for name in columns]


def spelled(table: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """A partition as SHOW PARTITIONS writes it: `region=us-east-1/year=2026`."""
    columns = [name for name, _ in tables.described(table)[1]]
    return "/".join(f"{name}={value}" for name, value in zip(columns, document["Values"], strict=False))


def wanted(table: Mapping[str, Any], expression: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a partition holds to an expression of GetPartitions: comparisons of partition columns with constants,
    AND, OR, NOT, BETWEEN, IN, LIKE. Refused for any other."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        tree = sqlglot.parse_one(expression, dialect="athena")
    except SqlglotError:
        raise Refused(f"the expression is no condition over partition columns: {expression}") from None
    kinds = dict(tables.described(table)[1])
    _judged(tree, {name: _typed("0", kind) for name, kind in kinds.items()})

    def holds(document: Mapping[str, Any]) -> bool:
        pairs = zip(kinds.items(), document["Values"], strict=False)
        return bool(_judged(tree, {name: _typed(value, kind) for (name, kind), value in pairs}))

    return holds


def _typed(value: str, kind: str) -> Value:
    if kind.partition("(")[0] not in NUMBERS:
        return value
    try:
        return float(value)
    except ValueError:
        return value


def _judged(tree: "exp.Expr", row: Mapping[str, Value]) -> Value:
    judge = _JUDGES.get(tree.key)
    if judge is None:
        raise Refused(f"'{tree.sql('athena')}' has no place in an expression over partitions")
    return judge(tree, row)


def _column(tree: Any, row: Mapping[str, Value]) -> Value:
    if tree.name.lower() not in row:
        raise Refused(f"'{tree.name}' is no partition column; there are {', '.join(row) or 'none'}")
    return row[tree.name.lower()]


def _literal(tree: Any, _: Mapping[str, Value]) -> Value:
    return str(tree.this) if tree.is_string else float(tree.this)


def _compared(compare: Callable[[Any, Any], bool]) -> "Judge":
    return lambda tree, row: _holds(compare, _judged(tree.this, row), _judged(tree.expression, row))


def _holds(compare: Callable[[Any, Any], bool], left: Value, right: Value) -> bool:
    """Numbers compare as numbers; anything else by its text."""
    return compare(left, right) if type(left) is type(right) else compare(str(left), str(right))


def _between(tree: Any, row: Mapping[str, Value]) -> Value:
    low, value, high = (_judged(each, row) for each in (tree.args["low"], tree.this, tree.args["high"]))
    return _holds(operator.le, low, value) and _holds(operator.le, value, high)


def _like(tree: Any, row: Mapping[str, Value]) -> Value:
    import re2  # linear in the text, whatever the pattern

    pattern = "".join({"%": ".*", "_": "."}.get(each, re2.escape(each)) for each in str(_judged(tree.expression, row)))
    return re2.fullmatch(f"(?s){pattern}", str(_judged(tree.this, row))) is not None


Judge = Callable[[Any, Mapping[str, Value]], Value]
_JUDGES: Mapping[str, Judge] = {
    "column": _column,
    "literal": _literal,
    "paren": lambda tree, row: _judged(tree.this, row),
    "neg": lambda tree, row: -float(_judged(tree.this, row)),
    "eq": _compared(operator.eq),
    "neq": _compared(operator.ne),
    "lt": _compared(operator.lt),
    "lte": _compared(operator.le),
    "gt": _compared(operator.gt),
    "gte": _compared(operator.ge),
    "and": lambda tree, row: bool(_judged(tree.this, row)) & bool(_judged(tree.expression, row)),
    "or": lambda tree, row: bool(_judged(tree.this, row)) | bool(_judged(tree.expression, row)),
    "not": lambda tree, row: not _judged(tree.this, row),
    "in": lambda tree, row: any(
        _holds(operator.eq, _judged(tree.this, row), _judged(each, row)) for each in tree.expressions
    ),
    "between": _between,
    "like": _like,
}
