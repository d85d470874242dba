"""Tags of alarms, by ARN."""

from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.watch import change
from trailstate.wire.call import Call
from trailstate.wire.fault import faults

fault = faults("cloudwatch")

TAGS_MAX = 50

Tags = Sequence[Mapping[str, str]]


def hold_tags(before: Mapping[str, str], tags: Tags) -> dict[str, str]:
    """The tags together; the fault when they are too many."""
    merged = {**before, **{each["Key"]: each["Value"] for each in tags}}
    if len(merged) > TAGS_MAX:
        raise fault.InvalidParameterValueException(
            f"An alarm has at most {TAGS_MAX} tags; it would have {len(merged)}."
        )
    return merged


@operation("cloudwatch")
def tag_resource(call: Call, shelf: StagedShelf, *, ResourceARN: str, Tags: Tags) -> dict[str, Any]:
    document = _existing(call, shelf, ResourceARN)
    _put(call, shelf, document, hold_tags(document["Tags"], Tags))
    return {}


@operation("cloudwatch")
def untag_resource(call: Call, shelf: StagedShelf, *, ResourceARN: str, TagKeys: Sequence[str]) -> dict[str, Any]:
    document = _existing(call, shelf, ResourceARN)
    _put(call, shelf, document, {key: value for key, value in document["Tags"].items() if key not in TagKeys})
    return {}


@operation("cloudwatch")
def list_tags_for_resource(call: Call, shelf: StagedShelf, *, ResourceARN: str) -> dict[str, Any]:
    found = _existing(call, shelf, ResourceARN)["Tags"]
    return {"Tags": [{"Key": key, "Value": value} for key, value in found.items()]}


def _existing(call: Call, shelf: StagedShelf, arn: str) -> dict[str, Any]:
    parts = arn.split(":", 6)
    is_alarm = len(parts) == 7 and parts[2] == "cloudwatch" and parts[5] == "alarm"
    if is_alarm and parts[3:5] == [call.region, call.account]:
        found = shelf.get(change.alarm_key(call.account, call.region, parts[6]))
        if found is not None:
            return found
    raise fault.ResourceNotFoundException(
        f"'{arn}' is no alarm.", ResourceType="AWS::CloudWatch::Alarm", ResourceId=arn
    )


def _put(call: Call, shelf: StagedShelf, document: Mapping[str, Any], tags: Mapping[str, str]) -> None:
    key = change.alarm_key(call.account, call.region, document["AlarmName"])
    shelf.put(key, dict(document) | {"Tags": dict(tags)})
