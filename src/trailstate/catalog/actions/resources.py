"""aws:createTags and aws:changeInstanceState: two things that documents do to resources so often that they have names.

https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-createtag.html
https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-changestate.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.remediation.action import Done, Outcome, StepFailed, StepRun, Waiting, action

POLL_SECONDS = 2.0

WANTED: Mapping[str, tuple[str, str]] = {
    "running": ("StartInstances", "running"),
    "stopped": ("StopInstances", "stopped"),
    "terminated": ("TerminateInstances", "terminated"),
}
"""Desired state → the call that leads there, and the state that is then told."""


@action("aws:createTags")
def create_tags(
    step: StepRun, *, ResourceIds: Sequence[str], Tags: Sequence[Mapping[str, str]], ResourceType: str = "EC2"
) -> Outcome:
    """Put tags on EC2 resources, or on one managed resource of Systems Manager."""
    tags = [{"Key": str(tag["Key"]), "Value": str(tag.get("Value", ""))} for tag in Tags]
    if ResourceType == "EC2":
        step.hands.call("ec2", "CreateTags", {"Resources": list(ResourceIds), "Tags": tags})
        return Done()
    for resource in ResourceIds:
        parameters = {"ResourceType": ResourceType, "ResourceId": resource, "Tags": tags}
        step.hands.call("ssm", "AddTagsToResource", parameters)
    return Done()


@action("aws:changeInstanceState", outputs=("InstanceStates",))
def change_instance_state(
    step: StepRun,
    *,
    InstanceIds: Sequence[str],
    DesiredState: str,
    CheckStateOnly: bool | str = False,
    Force: bool | str = False,
    AdditionalInfo: str | None = None,
) -> Outcome:
    """Bring the instances into the state, and wait until all of them are there."""
    if DesiredState not in WANTED:
        raise StepFailed(f"DesiredState is one of {', '.join(WANTED)}; found '{DesiredState}'", "InvalidInput")
    call, state = WANTED[DesiredState]
    if not _is_true(CheckStateOnly) and not step.memory.get("asked"):
        parameters: dict[str, Any] = {"InstanceIds": list(InstanceIds)}
        if call == "StopInstances" and _is_true(Force):
            parameters["Force"] = True
        if call == "StartInstances" and AdditionalInfo is not None:
            parameters["AdditionalInfo"] = AdditionalInfo
        step.hands.call("ec2", call, parameters)
    answer = step.hands.call("ec2", "DescribeInstances", {"InstanceIds": list(InstanceIds)})
    instances = [each for reservation in answer.get("Reservations", ()) for each in reservation["Instances"]]
    states = [str(each["State"]["Name"]) for each in instances]
    if states and all(each == state for each in states):
        return Done({"InstanceStates": states})
    return Waiting(POLL_SECONDS, {"asked": True})


def _is_true(value: bool | str) -> bool:
    return str(value).lower() == "true"
