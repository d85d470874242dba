"""Which event selectors a trail may have: AWS's limits, fields, operators and values (PutEventSelectors, quotas).

What one field may say is a table, `data/selectors.json`; what selectors mean is `trail.selectors`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trailstate.trail.selectors import BY_PREFIX, CATEGORIES, EVERYTHING_OF
from trailstate.trail.tables import table

SELECTORS_MAX = 5
DATA_RESOURCES_MAX = 250
VALUES_MAX = 500
EXCLUDABLE_SOURCES = ("kms.amazonaws.com", "rdsdata.amazonaws.com")

DEFAULTS: Mapping[str, Any] = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}
_ARN_START = {"AWS::Lambda::Function": "arn:aws:lambda:", "AWS::DynamoDB::Table": "arn:aws:dynamodb:"}
_SHOWN_MAX = 256

Selector = Mapping[str, Any]


class InvalidSelectors(ValueError):
    """The selectors break one of AWS's rules; the message says which."""


# ---- basic selectors ----


def basic_selectors(given: Sequence[Selector]) -> list[dict[str, Any]]:
    """The selectors with AWS's defaults filled in; InvalidSelectors when a trail may not have them."""
    if not 1 <= len(given) <= SELECTORS_MAX:
        raise InvalidSelectors(f"A trail has 1 to {SELECTORS_MAX} event selectors; the request has {len(given)}.")
    filled = [{**DEFAULTS, **each, "DataResources": _resources(each)} for each in given]
    if any(not each["IncludeManagementEvents"] and not each["DataResources"] for each in filled):
        raise InvalidSelectors(
            "Invalid combination of parameters in EventSelectors. When includeManagementEvents is false, DataResources"
            " must not be empty."
        )
    values = [value for each in filled for value in _data_values(each)]
    if len(values) > DATA_RESOURCES_MAX:
        raise InvalidSelectors(
            f"The event selectors of a trail name at most {DATA_RESOURCES_MAX} data resources; the request names"
            f" {len(values)}."
        )
    return filled


def _resources(selector: Selector) -> list[dict[str, Any]]:
    return [{"Type": "", "Values": [], **each} for each in selector.get("DataResources") or ()]


def _data_values(selector: Selector) -> Iterator[str]:
    """The values that count against the limit, each of them held against its type."""
    for source in selector["ExcludeManagementEventSources"]:
        if source not in EXCLUDABLE_SOURCES:
            raise InvalidSelectors(f"Value {source[:_SHOWN_MAX]} for ExcludeManagementEventSources is invalid.")
    for resource in selector["DataResources"]:
        kind = resource["Type"]
        if kind not in EVERYTHING_OF:
            raise InvalidSelectors(f"Value {kind[:_SHOWN_MAX]} for DataResources.Type is invalid.")
        for value in resource["Values"]:
            if value in EVERYTHING_OF[kind]:
                continue
            if not _is_resource(kind, value):
                raise InvalidSelectors(f"Value {value[:_SHOWN_MAX]} for DataResources.Values is invalid.")
            yield value


def _is_resource(kind: str, value: str) -> bool:
    """Whether a value can be the ARN (of an object: a prefix of it, with a whole bucket) of such a resource."""
    if "*" in value:
        return False
    if kind == BY_PREFIX:
        bucket, slash, _ = value.removeprefix("arn:aws:s3:::").partition("/")
        return value.startswith("arn:aws:s3:::") and bool(bucket and slash)
    return value.startswith(_ARN_START[kind]) and value.count(":") >= 5


# ---- advanced selectors ----


def advanced_selectors(given: Sequence[Selector]) -> list[dict[str, Any]]:
    """The selectors as they are; InvalidSelectors when a trail may not have them."""
    if not given:
        raise InvalidSelectors("The request has no advanced event selector; a trail has at least one.")
    count = sum(_hold(each) for each in given)
    if count > VALUES_MAX:
        raise InvalidSelectors(
            f"The advanced event selectors of a trail have at most {VALUES_MAX} values; the request has {count}."
        )
    return [dict(each) for each in given]


def _hold(selector: Selector) -> int:
    """Hold one selector against the rules; how many values it has."""
    fields = selector["FieldSelectors"]
    category = _category(fields)
    names = [each["Field"] for each in fields]
    rules = table("selectors")
    for required in rules["required"][category]:
        if required not in names:
            raise InvalidSelectors(f"A selector of {category} events requires the field {required}.")
    for single in rules["single"]:
        if names.count(single) > 1:
            raise InvalidSelectors(f"The field {single} stands more than once in a selector.")
    return sum(_hold_field(category, each) for each in fields)


def _category(fields: Sequence[Selector]) -> str:
    found = [each.get("Equals") for each in fields if each["Field"] == "eventCategory"]
    if len(found) != 1 or found[0] is None or len(found[0]) != 1:
        raise InvalidSelectors("An advanced event selector requires the field eventCategory, with one value of Equals.")
    category = str(found[0][0])
    if category not in CATEGORIES:
        raise InvalidSelectors(
            f"Value {category[:_SHOWN_MAX]} for eventCategory is invalid; a trail has {', '.join(CATEGORIES)}."
        )
    return category


def _hold_field(category: str, condition: Selector) -> int:
    rules, name = table("selectors"), condition["Field"]
    if name not in rules["fields"][category]:
        raise InvalidSelectors(f"The field {name[:_SHOWN_MAX]} is invalid in a trail's selector of {category} events.")
    given = {operator: values for operator, values in condition.items() if operator != "Field" and values}
    allowed = _rule(rules["operators"], category, name) or rules["operators"]["*"]
    if not given or not set(given) <= set(allowed):
        raise InvalidSelectors(f"The field {name} takes {', '.join(allowed)}; found {', '.join(given) or 'none'}.")
    values = [value for each in given.values() for value in each]
    if name in rules["single"] and len(values) != 1:
        raise InvalidSelectors(f"The field {name} takes one value; found {len(values)}.")
    known = None if name == "eventCategory" else _rule(rules["values"], category, name)
    for value in values:
        if known is not None and value not in known:
            raise InvalidSelectors(
                f"Value {value[:_SHOWN_MAX]} for {name} is invalid in a selector of {category} events."
            )
    return len(values)


def _rule(rules: Mapping[str, Any], category: str, name: str) -> list[str] | None:
    """A field's rule: that of the category, or of all."""
    found: list[str] | None = rules.get(f"{category}.{name}", rules.get(name))
    return found
