"""Rules over the account's trails taken together: is there one that does all that is asked?

A Region has its own trails and those of all Regions that are at home elsewhere: as items where their home is recorded,
and all of them among the account's facts (`Trails`). What a trail logs (`EventSelectors`) and whether it is logging
(`Status`) are facts beside its item. A trail whose facts are not known may be the one; then nothing can be said.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trailstate.catalog.reading import fact, not_known
from trailstate.catalog.rules.cloudtrail import TRAIL
from trailstate.compliance.form import COMPLIANT, MISSING, Inventory, Item, Verdict, non_compliant, rule
from trailstate.compliance.inventory import ACCOUNT_TYPE

_ALL_OBJECTS = ("arn:aws:s3", "arn:aws:s3:::")


@rule("CLOUD_TRAIL_ENABLED", ACCOUNT_TYPE)
def cloud_trail_enabled(
    item: Item,
    inventory: Inventory,
    *,
    s3BucketName: str | None = None,
    snsTopicArn: str | None = None,
    cloudWatchLogsLogGroupArn: str | None = None,
) -> Verdict:
    """A trail is logging, to the bucket, topic and log group that are named if any are."""
    wanted = _targets(s3BucketName, snsTopicArn, cloudWatchLogsLogGroupArn)
    trails = _trails(item, inventory)
    return _one_that(trails, "is logging to the targets asked for", lambda one: _fits(one, wanted) and one.is_logging)


@rule("MULTI_REGION_CLOUD_TRAIL_ENABLED", ACCOUNT_TYPE)
def multi_region_cloud_trail_enabled(
    item: Item,
    inventory: Inventory,
    *,
    s3BucketName: str | None = None,
    snsTopicArn: str | None = None,
    cloudWatchLogsLogGroupArn: str | None = None,
    includeManagementEvents: bool | None = None,
    readWriteType: str | None = None,
) -> Verdict:
    """A trail of all Regions is logging management events and leaves no source of them out.

    `readWriteType` is ALL, ReadOnly or WriteOnly as in a selector; a trail that logs more than is asked fits too.
    """
    wanted = _targets(s3BucketName, snsTopicArn, cloudWatchLogsLogGroupArn)
    kinds = _kinds(readWriteType)
    needs = includeManagementEvents is not False

    def does(trail: Trail) -> bool | None:
        if not trail.is_multi_region or not _fits(trail, wanted):
            return False
        return _all_of(trail.is_logging, _manages(trail, kinds) if needs else True)

    return _one_that(_trails(item, inventory), "of all Regions logs the management events asked for", does)


@rule("CLOUDTRAIL_SECURITY_TRAIL_ENABLED", ACCOUNT_TYPE)
def cloudtrail_security_trail_enabled(item: Item, inventory: Inventory) -> Verdict:
    """A trail follows AWS's advice: all Regions, global events, validated, encrypted, every management event."""
    fields = ("isMultiRegionTrail", "includeGlobalServiceEvents", "logFileValidationEnabled", "kmsKeyId")

    def does(trail: Trail) -> bool | None:
        if not all(trail.configuration.get(name) for name in fields):
            return False
        return _all_of(trail.is_logging, _manages(trail, {"read", "write"}))

    return _one_that(_trails(item, inventory), "follows every one of the security practices", does)


@rule("CLOUDTRAIL_S3_DATAEVENTS_ENABLED", ACCOUNT_TYPE)
def cloudtrail_s3_dataevents_enabled(item: Item, inventory: Inventory, *, S3BucketNames: str | None = None) -> Verdict:
    """A trail logs reads and writes of the objects of all buckets, or of all the buckets that are named."""
    names = [name.strip() for name in (S3BucketNames or "").split(",") if name.strip()]
    wanted = [(f"arn:aws:s3:::{name}/", f"arn:aws:s3:::{name}") for name in names]

    def does(trail: Trail) -> bool | None:
        return _logs_objects(trail, {"read", "write"}, wanted)

    return _one_that(_trails(item, inventory), "logs the data events of all those buckets", does)


@rule("CLOUDTRAIL_ALL_READ_S3_DATA_EVENT_CHECK", ACCOUNT_TYPE)
def cloudtrail_all_read_s3_data_event_check(item: Item, inventory: Inventory) -> Verdict:
    """A trail of all Regions logs reads of the objects of all buckets."""
    return _all_buckets(_trails(item, inventory), "read")


@rule("CLOUDTRAIL_ALL_WRITE_S3_DATA_EVENT_CHECK", ACCOUNT_TYPE)
def cloudtrail_all_write_s3_data_event_check(item: Item, inventory: Inventory) -> Verdict:
    """A trail of all Regions logs writes to the objects of all buckets."""
    return _all_buckets(_trails(item, inventory), "write")


@dataclass(frozen=True, slots=True)
class Trail:
    """A trail that the Region sees, however it is known. Facts that are not known are None."""

    configuration: Mapping[str, Any]
    is_logging: bool | None
    selectors: Mapping[str, Any] | None

    @property
    def is_multi_region(self) -> bool:
        return bool(self.configuration.get("isMultiRegionTrail"))


def _trails(account: Item, inventory: Inventory) -> list[Trail]:
    """Those recorded here or logging every Region, and of the account's further ones those that this Region sees."""
    recorded = [(each, _recorded(each, inventory)) for each in inventory.everywhere(TRAIL)]
    seen = [found for each, found in recorded if each["awsRegion"] == inventory.region or found.is_multi_region]
    known, listed = {each["ARN"] for each, _ in recorded}, fact(inventory, account, "Trails")
    others = () if listed is MISSING else listed
    return seen + [_listed(each) for each in others if each["Trail"].get("TrailARN") not in known]


def _recorded(item: Item, inventory: Inventory) -> Trail:
    status, selectors = fact(inventory, item, "Status"), fact(inventory, item, "EventSelectors")
    is_logging = None if status is MISSING else status.get("IsLogging") is True
    return Trail(item["configuration"], is_logging, None if selectors is MISSING else selectors)


def _listed(found: Mapping[str, Any]) -> Trail:
    """In the API's spelling, which an item's is but for the first letter."""
    configuration = {f"{name[:1].lower()}{name[1:]}": value for name, value in found["Trail"].items()}
    return Trail(configuration, found["Status"].get("IsLogging"), found["EventSelectors"])


def _all_buckets(trails: Sequence[Trail], kind: str) -> Verdict:
    def does(trail: Trail) -> bool | None:
        return trail.is_multi_region and _logs_objects(trail, {kind}, ())

    return _one_that(trails, f"of all Regions logs the {kind} events of all buckets", does)


def _one_that(trails: Sequence[Trail], says: str, does: Callable[[Trail], bool | None]) -> Verdict:
    """COMPLIANT when some trail does it; where a trail might and its facts are not known, nothing can be said."""
    answers = [does(trail) for trail in trails]
    if True in answers:
        return COMPLIANT
    if None in answers:
        return not_known("what the account's trails log")
    return non_compliant(f"No trail {says}; the account has {len(answers)} here.")


def _all_of(*answers: bool | None) -> bool | None:
    """False when one is false, else unknown when one is unknown."""
    return False if False in answers else (None if None in answers else True)


def _targets(bucket: str | None, topic: str | None, group: str | None) -> dict[str, str]:
    named = {"s3BucketName": bucket, "snsTopicARN": topic, "cloudWatchLogsLogGroupArn": group}
    return {name: wanted for name, wanted in named.items() if wanted}


def _fits(trail: Trail, wanted: Mapping[str, str]) -> bool:
    return all(trail.configuration.get(name) == value for name, value in wanted.items())


_READ_ONLY = {"true": {"read"}, "false": {"write"}}
_KINDS = {"All": {"read", "write"}, "ReadOnly": {"read"}, "WriteOnly": {"write"}}


def _kinds(read_write_type: str | None) -> set[str]:
    named = {name.lower(): kinds for name, kinds in _KINDS.items()}
    return named.get((read_write_type or "All").lower(), named["all"])


def _selectors(trail: Trail) -> tuple[list[Any], list[Any]] | None:
    """Basic and advanced selectors; a trail without any logs all management events and nothing else."""
    found = trail.selectors
    if found is None:
        return None
    basic, advanced = found.get("EventSelectors") or [], found.get("AdvancedEventSelectors") or []
    return (basic, advanced) if basic or advanced else ([{"ReadWriteType": "All", "IncludeManagementEvents": True}], [])


def _manages(trail: Trail, kinds: set[str]) -> bool | None:
    """Whether the trail logs management events of those kinds, leaving no source out."""
    selectors = _selectors(trail)
    if selectors is None:
        return None
    basic, advanced = selectors
    covered: set[str] = set()
    for one in basic:
        if one.get("IncludeManagementEvents", True) and not one.get("ExcludeManagementEventSources"):
            covered |= _kinds(one.get("ReadWriteType"))
    for one in advanced:
        covered |= _advanced_kinds(one, "Management", {})
    return kinds <= covered


def _logs_objects(trail: Trail, kinds: set[str], wanted: Any) -> bool | None:
    """Whether it logs object events of those kinds, for all buckets or for each bucket wanted (its ARN forms)."""
    selectors = _selectors(trail)
    if selectors is None:
        return None
    basic, advanced = selectors
    for forms in wanted or (_ALL_OBJECTS,):
        covered = {kind for one in basic for kind in _basic_kinds(one, (*forms, *_ALL_OBJECTS))}
        for one in advanced:
            covered |= _advanced_kinds(one, "Data", {"resources.type": ("AWS::S3::Object",)}, forms if wanted else ())
        if not kinds <= covered:
            return False
    return True


def _basic_kinds(selector: Mapping[str, Any], arns: tuple[str, ...]) -> Iterator[str]:
    for resource in selector.get("DataResources") or ():
        if resource.get("Type") == "AWS::S3::Object" and set(resource.get("Values") or ()) & set(arns):
            yield from _kinds(selector.get("ReadWriteType"))


def _advanced_kinds(
    selector: Mapping[str, Any], category: str, wanted: Mapping[str, tuple[str, ...]], arns: tuple[str, ...] = ()
) -> set[str]:
    """The kinds an advanced selector logs whole; one that narrows by anything else logs none of them whole."""
    fields = {each["Field"]: each for each in selector.get("FieldSelectors") or ()}
    read_only = fields.pop("readOnly", None)
    kinds = _KINDS["All"] if read_only is None else _READ_ONLY.get(_only(read_only) or "", set())
    if _only(fields.pop("eventCategory", None)) != category:
        return set()
    if any(_only(fields.pop(name, None)) not in values for name, values in wanted.items()):
        return set()
    resource = fields.pop("resources.ARN", None)
    named = resource is None or bool(
        {*resource.get("StartsWith", ()), *resource.get("Equals", ())} & {*arns, *_ALL_OBJECTS}
    )
    return kinds if named and not fields else set()


def _only(field: Mapping[str, Any] | None) -> str | None:
    """The one value a field must equal, when that is all that is asked of it."""
    asked = {name: values for name, values in (field or {}).items() if name != "Field" and values}
    equal = list(asked.get("Equals") or ())
    return str(equal[0]) if list(asked) == ["Equals"] and len(equal) == 1 else None
