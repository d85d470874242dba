"""Which records a trail selects: its event selectors, compiled once per change and asked for every record.

Follows the CloudTrail user guide (logging management, data and network activity events; "Filtering data events by
using advanced event selectors") and the API reference's AdvancedFieldSelector. What those pages say, in one place:

- A trail has basic selectors or advanced ones. A record is selected when any of them selects it.
- A basic selector takes management events (unless IncludeManagementEvents is false or the event's source is
  excluded) and data events of the resources it lists; ReadWriteType bounds both. S3 values are prefixes of an ARN,
  those of Lambda and DynamoDB whole ARNs; `arn:aws:s3`, `arn:aws:lambda` and `arn:aws:dynamodb` mean all.
- An advanced selector is of one event category, and every one of its fields must hold.
- A field holds when one of its selecting conditions (Equals, StartsWith, EndsWith) does, or it has none, and not one
  of its rejecting conditions (NotEquals, NotStartsWith, NotEndsWith) does.
- A record may name several resources of the selected type: one that holds is enough. A record without the field
  meets rejecting conditions and no selecting ones.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from trailstate.trail.category import data_resource_type

Record = Mapping[str, Any]
Selects = Callable[[Record], bool]
Selector = Mapping[str, Any]

MANAGEMENT, DATA, NETWORK = "Management", "Data", "NetworkActivity"
CATEGORIES = (MANAGEMENT, DATA, NETWORK)

EVERYTHING_OF = {
    "AWS::S3::Object": ("arn:aws:s3", "arn:aws:s3:::"),
    "AWS::Lambda::Function": ("arn:aws:lambda",),
    "AWS::DynamoDB::Table": ("arn:aws:dynamodb",),
}
"""The resource types of basic selectors, each with the values that mean all of its resources."""

BY_PREFIX = "AWS::S3::Object"

_READ_WRITE = {"ReadOnly": True, "WriteOnly": False}


def compile_selectors(basic: Iterable[Selector] | None, advanced: Iterable[Selector] | None) -> Selects:
    """One question for all selectors of a trail. They have been held against AWS's rules before."""
    by_category: dict[str, list[Selects]] = {}
    for category, selects in [
        *(pair for selector in basic or () for pair in _basic(selector)),
        *(_advanced(selector) for selector in advanced or ()),
    ]:
        by_category.setdefault(category, []).append(selects)
    return _any_of_category(by_category)


def _any_of_category(by_category: Mapping[str, Sequence[Selects]]) -> Selects:
    def selects(record: Record) -> bool:
        return any(each(record) for each in by_category.get(record.get("eventCategory", MANAGEMENT), ()))

    return selects


def _all_of(tests: Sequence[Selects]) -> Selects:
    if len(tests) == 1:
        return tests[0]
    return lambda record: all(test(record) for test in tests)


# ---- basic selectors ----


def _basic(selector: Selector) -> list[tuple[str, Selects]]:
    bound = _reads_or_writes(selector.get("ReadWriteType", "All"))
    pairs = [
        (DATA, _all_of([*bound, _among(resource["Type"], resource["Values"])]))
        for resource in selector.get("DataResources") or ()
    ]
    if selector.get("IncludeManagementEvents", True):
        excluded = frozenset(selector.get("ExcludeManagementEventSources") or ())
        pairs.append((MANAGEMENT, _all_of([*bound, lambda record: record["eventSource"] not in excluded])))
    return pairs


def _reads_or_writes(kind: str) -> list[Selects]:
    wanted = _READ_WRITE.get(kind)
    return [] if wanted is None else [lambda record: bool(record.get("readOnly")) is wanted]


def _among(kind: str, values: Sequence[str]) -> Selects:
    is_kind = _of_type(kind)
    if set(values).intersection(EVERYTHING_OF[kind]):
        return is_kind
    listed, prefixes = frozenset(values), tuple(values)

    def selects(record: Record) -> bool:
        return is_kind(record) and any(
            arn.startswith(prefixes) if kind == BY_PREFIX else arn in listed for arn in _arns(record, kind)
        )

    return selects


# ---- advanced selectors ----


def _advanced(selector: Selector) -> tuple[str, Selects]:
    fields = selector["FieldSelectors"]
    category = next(each["Equals"][0] for each in fields if each["Field"] == "eventCategory")
    kind = next((each["Equals"][0] for each in fields if each["Field"] == "resources.type"), "")
    tests = [_field(each, kind) for each in fields if each["Field"] != "eventCategory"]
    return category, _all_of(tests)


def _field(condition: Selector, kind: str) -> Selects:
    """The test of one field; `kind` is the resource type that the selector is about."""
    name = condition["Field"]
    if name == "resources.type":
        return _of_type(kind)
    values_of = VALUES_OF[name]
    chosen, matches, rejects = _selecting(condition), _matches(condition, ""), _matches(condition, "Not")

    def selects(record: Record) -> bool:
        values = values_of(record, kind)
        if not values:
            return not chosen
        return any((not chosen or matches(value)) and not rejects(value) for value in values)

    return selects


def _selecting(condition: Selector) -> bool:
    return any(condition.get(operator) for operator in ("Equals", "StartsWith", "EndsWith"))


def _matches(condition: Selector, negation: str) -> Callable[[str], bool]:
    """Whether a value meets one of the condition's three operators, plain or negated ones."""
    equal = frozenset(condition.get(f"{negation}Equals") or ())
    starts = tuple(condition.get(f"{negation}StartsWith") or ())
    ends = tuple(condition.get(f"{negation}EndsWith") or ())
    return lambda value: value in equal or value.startswith(starts) or value.endswith(ends)


def _member(name: str) -> Callable[[Record, str], tuple[str, ...]]:
    def values(record: Record, _kind: str) -> tuple[str, ...]:
        value = record.get(name)
        return (value,) if isinstance(value, str) else ()

    return values


def _truth(name: str) -> Callable[[Record, str], tuple[str, ...]]:
    """A member that is true or false; absent means false. Records hold a boolean or, for the console's, its text."""
    return lambda record, _kind: ("true" if record.get(name) in (True, "true") else "false",)


def _caller(record: Record, _kind: str) -> tuple[str, ...]:
    arn = (record.get("userIdentity") or {}).get("arn")
    return (arn,) if isinstance(arn, str) else ()


def _of_type(kind: str) -> Selects:
    def selects(record: Record) -> bool:
        if any(resource.get("type") == kind for resource in record.get("resources") or ()):
            return True
        return data_resource_type(record.get("eventSource", ""), record.get("eventName", "")) == kind

    return selects


def _arns(record: Record, kind: str) -> tuple[str, ...]:
    """The ARNs of a record's resources of one type; of a listing, the prefix it asked for."""
    return tuple(
        resource.get("ARN") or resource.get("ARNPrefix") or ""
        for resource in record.get("resources") or ()
        if resource.get("type") == kind
    )


VALUES_OF: Mapping[str, Callable[[Record, str], tuple[str, ...]]] = {
    **{name: _member(name) for name in ("eventSource", "eventName", "eventType", "errorCode", "vpcEndpointId")},
    "readOnly": _truth("readOnly"),
    "sessionCredentialFromConsole": _truth("sessionCredentialFromConsole"),
    "userIdentity.arn": _caller,
    "resources.ARN": _arns,
}
"""Every field but the two that say what a selector is about: what a record holds there."""
