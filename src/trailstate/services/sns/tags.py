"""Tags as SNS takes and gives them."""

from collections.abc import Mapping, Sequence

from trailstate.services.sns.found import fault, invalid

TAGS_MAX = 50


def read_tags(given: Sequence[Mapping[str, str]], held: Mapping[str, str] | None = None) -> dict[str, str]:
    """The tags held with those given; TagLimitExceeded, InvalidParameter."""
    names = [each["Key"] for each in given]
    if len(set(names)) != len(names):
        raise invalid("Duplicated keys are not allowed.")
    if any(name.lower().startswith("aws:") for name in names):
        raise invalid("Tag keys that begin with aws: are reserved")
    tags = {**(held or {}), **{each["Key"]: each["Value"] for each in given}}
    if len(tags) > TAGS_MAX:
        raise fault.TagLimitExceededException("Could not complete request: tag quota of per resource exceeded")
    return tags


def as_tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": name, "Value": value} for name, value in tags.items()]
