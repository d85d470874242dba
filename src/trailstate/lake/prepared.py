"""Questions with places left open: prepared statements of a workgroup, and the constants that fill a question's `?`.

https://docs.aws.amazon.com/athena/latest/ug/querying-with-prepared-statements.html

A value is a constant of SQL, checked as such and written anew, so that it can never be more than a value. What comes of
it goes through the gate like any other question.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailstate.lake import gate
from trailstate.lake.gate import Refused
from trailstate.stores.interface import ShelfChange, ShelfKey, Store

if TYPE_CHECKING:
    from sqlglot import exp

PREPARED = "lake.prepared"


@dataclass(frozen=True, slots=True)
class Prepare:
    """PREPARE name FROM query."""

    name: str
    query: str


@dataclass(frozen=True, slots=True)
class Execute:
    """EXECUTE name USING values."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Deallocate:
    """DEALLOCATE PREPARE name."""

    name: str


@dataclass(frozen=True, slots=True)
class Preparations:
    """The prepared statements of one workgroup."""

    store: Store
    account: str
    region: str
    workgroup: str

    def query(self, name: str) -> str:
        """What a name stands for; Refused when it stands for nothing."""
        found = self.store.get(self._key(name))
        if found is None:
            raise Refused(f"PreparedStatement {name} was not found in workGroup {self.workgroup}")
        return str(found.value["QueryStatement"])

    def prepared(self, asked: Prepare, moment: str) -> ShelfChange:
        """What PREPARE commits: a name that is given again stands for the new query."""
        gate.parsed(asked.query)
        return ShelfChange(self._key(asked.name), document_of(self.workgroup, asked.name, asked.query, moment))

    def deallocated(self, asked: Deallocate) -> ShelfChange:
        self.query(asked.name)
        return ShelfChange(self._key(asked.name), None)

    def _key(self, name: str) -> ShelfKey:
        return prepared_key(self.account, self.region, self.workgroup, name)


def prepared_key(account: str, region: str, workgroup: str, name: str) -> ShelfKey:
    return ShelfKey(account, region, PREPARED, f"{workgroup}/{name}")


def document_of(workgroup: str, name: str, query: str, moment: str, description: str | None = None) -> dict[str, Any]:
    document = {"StatementName": name, "QueryStatement": query, "WorkGroupName": workgroup, "LastModifiedTime": moment}
    return document | ({"Description": description} if description else {})


def values_in(text: str) -> tuple[str, ...]:
    """The values of `USING a, b`; Refused when they are no list of constants."""
    from sqlglot import exp

    tree = gate.parsed(f"SELECT {text}")
    if not isinstance(tree, exp.Select) or any(name != "expressions" for name, value in tree.args.items() if value):
        raise Refused(f"expected constants after USING; found {text}")
    return tuple(_constant(each) for each in tree.expressions)


def bound(text: str, values: Sequence[str]) -> str:
    """The question with its `?` filled in order; Refused unless there is a constant for each, and none left over."""
    import sqlglot
    from sqlglot import TokenType
    from sqlglot.errors import SqlglotError

    try:
        tokens = sqlglot.tokenize(text, read="athena")
    except SqlglotError:
        raise Refused("mismatched input") from None
    places = [token.start for token in tokens if token.token_type is TokenType.PLACEHOLDER]
    if len(places) != len(values):
        raise Refused(f"Incorrect number of parameters: expected {len(places)} but found {len(values)}")
    parts, end = [], 0
    for place, value in zip(places, values, strict=True):
        parts += [text[end:place], _constant(gate.parsed(f"SELECT {value}"))]
        end = place + 1
    return "".join((*parts, text[end:]))


def _constant(tree: "exp.Expr") -> str:
    """A constant as it is written here."""
    from sqlglot import exp

    if isinstance(tree, exp.Select) and len(tree.expressions) == 1:
        tree = tree.expressions[0]
    constants = (exp.Literal, exp.Boolean, exp.Null, exp.Neg, exp.Paren, exp.Cast, exp.Interval, exp.Array)
    parts = (exp.DataType, exp.DataTypeParam, exp.Var)
    if not isinstance(tree, constants) or not all(isinstance(each, constants + parts) for each in tree.walk()):
        raise Refused(f"a parameter is a constant, a text in quotation marks; found {tree.sql('athena')}")
    return tree.sql("athena")
