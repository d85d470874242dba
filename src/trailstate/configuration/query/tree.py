"""An advanced query as a tree: what is selected, under which condition, grouped and ordered by what.

Follows "Query Components" of the AWS Config developer guide.
"""

from dataclasses import dataclass
from typing import TypeAlias

Value: TypeAlias = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Property:
    """A property by its path: `configuration.state.name`."""

    path: tuple[str, ...]

    @property
    def text(self) -> str:
        return ".".join(self.path)

    @property
    def root(self) -> str:
        return self.path[0]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One number of many resources; the argument None stands for `*`."""

    function: str
    argument: Property | None

    @property
    def text(self) -> str:
        return f"{self.function}({self.argument.text if self.argument else '*'})"


@dataclass(frozen=True, slots=True)
class Compare:
    """A property against one value: `=`, `<`, `>`, `<=`, `>=`."""

    property: Property
    operator: str
    value: Value


@dataclass(frozen=True, slots=True)
class OneOf:
    """A property against a list of values: IN."""

    property: Property
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """A property against two bounds, both included."""

    property: Property
    low: Value
    high: Value


@dataclass(frozen=True, slots=True)
class Like:
    """A text that begins so and goes on: by anything, or by exactly so many characters."""

    property: Property
    prefix: str
    more: int | None
    """None: any number of characters."""


@dataclass(frozen=True, slots=True)
class Not:
    condition: "Condition"


@dataclass(frozen=True, slots=True)
class And:
    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Or:
    conditions: tuple["Condition", ...]


Test: TypeAlias = Compare | OneOf | Between | Like
Condition: TypeAlias = Test | Not | And | Or
Term: TypeAlias = Property | Aggregate


@dataclass(frozen=True, slots=True)
class Order:
    term: Term
    descends: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query. Nothing selected stands for `*`."""

    select: tuple[Term, ...]
    where: Condition | None
    group: tuple[Property, ...]
    order: tuple[Order, ...]

    @property
    def aggregates(self) -> bool:
        """Whether it answers about groups of resources, and not about each."""
        return bool(self.group) or any(isinstance(each, Aggregate) for each in self.terms())

    @property
    def orders_by_aggregate(self) -> bool:
        return any(isinstance(each.term, Aggregate) for each in self.order)

    def terms(self) -> tuple[Term, ...]:
        """What is selected or ordered by."""
        return (*self.select, *(each.term for each in self.order))

    def properties(self) -> list[Property]:
        """Every property that it names."""
        found = [each.argument if isinstance(each, Aggregate) else each for each in self.terms()]
        return [each for each in (*found, *self.group, *tested(self.where)) if each is not None]


def tested(condition: Condition | None) -> list[Property]:
    """The properties that a condition looks at."""
    if condition is None:
        return []
    if isinstance(condition, Not):
        return tested(condition.condition)
    if isinstance(condition, And | Or):
        return [found for each in condition.conditions for found in tested(each)]
    return [condition.property]
