"""What the targets of an automation mean: values of one parameter, named one by one, by tag, or as maps.

https://docs.aws.amazon.com/systems-manager/latest/userguide/running-automations-map-targets.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.remediation.rate import TARGETS_MAX, Parameters
from trailstate.wire.call import Call, Door
from trailstate.wire.fault import Fault, faults
from trailstate.wire.spelling import NOT_SUPPORTED

fault = faults("ssm")


def resolved(
    call: Call,
    door: Door,
    parameter: str | None,
    targets: Sequence[Mapping[str, Any]],
    maps: Sequence[Mapping[str, Sequence[str]]],
) -> list[Parameters] | None:
    """The parameters of each target's execution; None when the execution has no targets."""
    if not targets and not maps:
        return None
    found: list[Parameters] = [dict(each) for each in maps]
    if targets:
        if parameter is None:
            raise fault.InvalidTarget("Targets need TargetParameterName, which says what parameter they are for.")
        values = [value for each in targets for value in _values(call, door, each)]
        found += [{parameter: [value]} for value in dict.fromkeys(values)]
    if not 1 <= len(found) <= TARGETS_MAX:
        raise fault.InvalidTarget(f"An execution has 1 to {TARGETS_MAX} targets; these are {len(found)}.")
    return found


def _values(call: Call, door: Door, target: Mapping[str, Any]) -> list[str]:
    key, values = str(target.get("Key")), [str(each) for each in target.get("Values") or ()]
    if key == "ParameterValues":
        return values
    if key.startswith("tag:"):
        return _tagged(call, door, {"Key": key.removeprefix("tag:"), "Values": values})
    if key == "tag-key":
        return [each for name in values for each in _tagged(call, door, {"Key": name})]
    message = f"A target with the key '{key}' {NOT_SUPPORTED}; ParameterValues, tag:KEY and tag-key are."
    raise fault.InvalidTarget(message)


def _tagged(call: Call, door: Door, wanted: Mapping[str, Any]) -> list[str]:
    """The ids of the resources that have the tag, as the caller sees them."""
    asked: dict[str, Any] = {"TagFilters": [dict(wanted)]}
    try:
        answer = door.call(
            "resourcegroupstaggingapi",
            "GetResources",
            asked,
            account=call.account,
            region=call.region,
            as_=call.principal,
        )
    except Fault as error:
        raise fault.InvalidTarget(f"The tagged resources could not be listed: {error.message}") from error
    arns = [str(each["ResourceARN"]) for each in answer.get("ResourceTagMappingList", ())]
    return [arn.rpartition(":")[2].rpartition("/")[2] for arn in arns]
