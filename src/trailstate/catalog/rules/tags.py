"""Rules over tags: the family of `*-tagged` rules, one per resource type, and required-tags over many.

Tags whose key begins with `aws:` are set by AWS and do not count. Load balancers and their listeners are one resource
type with three rules: which one judges is told by the kind of load balancer.
"""

from collections.abc import Mapping

from trailstate.catalog.reading import listed, tag_map
from trailstate.compliance.catalogue import managed_rules
from trailstate.compliance.form import (
    COMPLIANT,
    NOT_APPLICABLE,
    Inventory,
    Item,
    Verdict,
    non_compliant,
    rule,
)

_KINDS: Mapping[str, tuple[str, str]] = {
    "ALB": ("application", "/app/"),
    "NLB": ("network", "/net/"),
    "GLB": ("gateway", "/gwy/"),
}
"""The kind of load balancer a rule is for: its type, and how that stands in ARNs: `listener/net/...`."""

_OTHERS = frozenset({"APPCONFIG_DEPLOYMENT_STRATEGY_TAGGED", "BATCH_MANAGED_COMPUTE_ENV_COMPUTE_RESOURCES_TAGGED"})
"""Rules of the family that ask for more than the resource's own tags."""

FAMILY = tuple(managed for name, managed in managed_rules().items() if name.endswith("_TAGGED") and name not in _OTHERS)


def own_tags(item: Item) -> dict[str, str]:
    """The tags that somebody set."""
    return {key: value for key, value in tag_map(item["tags"]).items() if not key.startswith("aws:")}


def _tagged(identifier: str, types: tuple[str, ...]) -> None:
    kind = _KINDS.get(identifier.partition("_")[0])

    @rule(identifier, types)
    def judge(item: Item, _inventory: Inventory, *, requiredKeyTags: tuple[str, ...] | None = None) -> Verdict:
        if kind and not _is_of(item, *kind):
            return NOT_APPLICABLE
        tags = own_tags(item)
        lacking = [key for key in requiredKeyTags or () if key not in tags]
        if lacking:
            return non_compliant(f"The resource lacks the tag {listed(lacking)}.")
        return COMPLIANT if tags else non_compliant("The resource has no tag.")


def _is_of(item: Item, balancer: str, mark: str) -> bool:
    """A balancer says what it is; a listener's ARN tells what it belongs to."""
    told = item["configuration"].get("type")
    return bool(told == balancer) if told else mark in (item["ARN"] or item["resourceId"])


for _managed in FAMILY:
    _tagged(_managed.id, _managed.types)


@rule("REQUIRED_TAGS", managed_rules()["REQUIRED_TAGS"].types)
def required_tags(
    item: Item,
    _inventory: Inventory,
    *,
    tag1Key: str,
    tag1Value: tuple[str, ...] | None = None,
    tag2Key: str | None = None,
    tag2Value: tuple[str, ...] | None = None,
    tag3Key: str | None = None,
    tag3Value: tuple[str, ...] | None = None,
    tag4Key: str | None = None,
    tag4Value: tuple[str, ...] | None = None,
    tag5Key: str | None = None,
    tag5Value: tuple[str, ...] | None = None,
    tag6Key: str | None = None,
    tag6Value: tuple[str, ...] | None = None,
) -> Verdict:
    """The resource has each of the tags, with one of the values given for it if any are."""
    keys = (tag1Key, tag2Key, tag3Key, tag4Key, tag5Key, tag6Key)
    values = (tag1Value, tag2Value, tag3Value, tag4Value, tag5Value, tag6Value)
    tags = tag_map(item["tags"])
    for key, allowed in zip(keys, values, strict=True):
        if key and key not in tags:
            return non_compliant(f"The resource lacks the tag '{key}'.")
        if key and allowed and tags[key] not in allowed:
            return non_compliant(f"The tag '{key}' is '{tags[key]}'; expected one of {listed(allowed)}.")
    return COMPLIANT
