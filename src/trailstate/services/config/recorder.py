"""Configuration recorders: made, changed, started, stopped and told of, as the AWS Config API reference describes.

There is one recorder of the customer's in an account and region. Service-linked ones are not made here.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from trailstate.compliance.discovered import discovered_row
from trailstate.configuration.form import ResourceType
from trailstate.configuration.group import recording_group, recording_mode
from trailstate.configuration.recorder import CHANNEL, RECORDER, RECORDING, Home, records
from trailstate.configuration.trigger import every_type
from trailstate.configuration.types import ResourceTypes
from trailstate.services.config.tags import put_tags, remove_tags
from trailstate.services.operation import operation
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.values.timestamp import record_time
from trailstate.wire.call import Call
from trailstate.wire.fault import faults
from trailstate.world import World

fault = faults("config")

DEFAULT_NAME = "default"
PAID = "PAID"
ROLE = re.compile(r"arn:[\w-]+:iam::[0-9]{12}:role/.+")
SUFFIX_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
SUFFIX_CHARACTERS = 16
INSIDE = frozenset({"recording", "lastStartTime", "lastStopTime"})
"""Members of the document that DescribeConfigurationRecorders does not tell."""

Recorder = dict[str, Any]


@operation("config")
def put_configuration_recorder(
    call: Call,
    shelf: StagedShelf,
    world: World,
    types: ResourceTypes,
    *,
    ConfigurationRecorder: Mapping[str, Any],
    Tags: Sequence[Mapping[str, str]] | None = None,
) -> dict[str, Any]:
    """Make the recorder, or change the one of that name; a running one looks at once at what is new to its group."""
    name = _valid_name(ConfigurationRecorder)
    found = _found(call, shelf)
    if found is not None and found[1]["name"] != name:
        raise fault.MaxNumberOfConfigurationRecordersExceededException(
            f"Failed to put configuration recorder '{name}' because the maximum number of configuration recorders: 1 "
            "is reached."
        )
    before = found[1] if found else _new(call, world, name)
    role = ConfigurationRecorder.get("roleARN", before.get("roleARN", ""))
    if not ROLE.fullmatch(role):
        raise fault.InvalidRoleException(f"The role must be the ARN of an IAM role; found '{role}'.")
    recorder = before | {
        "roleARN": role,
        "recordingGroup": recording_group(ConfigurationRecorder.get("recordingGroup")),
        "recordingMode": recording_mode(ConfigurationRecorder.get("recordingMode")),
    }
    shelf.put(_key(call, name), recorder)
    if recorder["recording"]:
        _look(call, shelf, [each for each in types.all if records(recorder, each) and not records(before, each)])
    if Tags and not found:
        put_tags(call, shelf, recorder["arn"], Tags)
    return {}


def _valid_name(given: Mapping[str, Any]) -> str:
    for member in ("servicePrincipal", "connectorArn", "scopeConfiguration"):
        if given.get(member):
            raise fault.ValidationException(
                f"The recorder's {member} is set by AWS services alone; leave it out for a recorder of your own."
            )
    name = str(given.get("name") or DEFAULT_NAME)
    if name.startswith("AWSConfigurationRecorderFor"):
        raise fault.InvalidConfigurationRecorderNameException(
            f"The name '{name}' is kept for service-linked recorders; choose another."
        )
    return name


def _new(call: Call, world: World, name: str) -> Recorder:
    suffix = world.token(SUFFIX_CHARACTERS, SUFFIX_ALPHABET)
    return {
        "arn": f"arn:aws:config:{call.region}:{call.account}:configuration-recorder/{name}/{suffix}",
        "name": name,
        "recordingScope": PAID,
        "recording": False,
    }


@operation("config")
def describe_configuration_recorders(
    call: Call,
    shelf: StagedShelf,
    *,
    ConfigurationRecorderNames: Sequence[str] | None = None,
    ServicePrincipal: str | None = None,
    Arn: str | None = None,
) -> dict[str, Any]:
    """The recorder of the caller's account in the region, if any; or the one that is named."""
    chosen = _chosen(call, shelf, ConfigurationRecorderNames, ServicePrincipal, Arn)
    return {"ConfigurationRecorders": [_shown(each) for each in chosen]}


def _shown(recorder: Recorder) -> dict[str, Any]:
    """As the API tells it: of its group what its strategy uses."""
    return {name: value for name, value in recorder.items() if name not in INSIDE}


@operation("config")
def describe_configuration_recorder_status(
    call: Call,
    shelf: StagedShelf,
    *,
    ConfigurationRecorderNames: Sequence[str] | None = None,
    ServicePrincipal: str | None = None,
    Arn: str | None = None,
) -> dict[str, Any]:
    """Whether it runs, since when, and what became of its last look at the resources."""
    chosen = _chosen(call, shelf, ConfigurationRecorderNames, ServicePrincipal, Arn)
    return {"ConfigurationRecordersStatus": [_status(call, shelf, each) for each in chosen]}


def _status(call: Call, shelf: StagedShelf, recorder: Recorder) -> dict[str, Any]:
    known: dict[str, Any] = {
        "arn": recorder["arn"],
        "name": recorder["name"],
        "recording": recorder["recording"],
        **{name: _moment(recorder[name]) for name in ("lastStartTime", "lastStopTime") if name in recorder},
    }
    if "lastStartTime" not in recorder:
        return known
    told = [document for _, document in shelf.documents(call.account, call.region, RECORDING)]
    failed = [each for each in told if each["lastStatus"] == "Failure"]
    if failed:
        last = max(failed, key=lambda each: str(each["lastStatusChangeTime"]))
        members = ("lastErrorCode", "lastErrorMessage")
        return known | _last("FAILURE", [last]) | {name: last[name] for name in members}
    done = [each for each in told if each["lastStatus"] == "Success"]
    return known | (
        _last("SUCCESS", done) if done else _last("PENDING", [{"lastStatusChangeTime": recorder["lastStartTime"]}])
    )


def _last(status: str, documents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "lastStatus": status,
        "lastStatusChangeTime": _moment(max(str(each["lastStatusChangeTime"]) for each in documents)),
    }


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@operation("config")
def list_configuration_recorders(
    call: Call,
    shelf: StagedShelf,
    *,
    Filters: Sequence[Mapping[str, Any]] | None = None,
    MaxResults: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """There is one at most, so MaxResults never cuts the answer and no token was ever handed out."""
    if NextToken is not None:
        raise fault.ValidationException("The token is not valid: this list has one page.")
    wanted = [value for each in Filters or () for value in each.get("filterValue", ())]
    found = _found(call, shelf)
    shown = [found[1]] if found and (not wanted or found[1]["recordingScope"] in wanted) else []
    members = ("arn", "name", "recordingScope")
    return {"ConfigurationRecorderSummaries": [{name: each[name] for name in members} for each in shown]}


@operation("config")
def start_configuration_recorder(
    call: Call, shelf: StagedShelf, types: ResourceTypes, *, ConfigurationRecorderName: str
) -> dict[str, Any]:
    """Record from now on; what there is already is looked at now."""
    key, recorder = _named(call, shelf, ConfigurationRecorderName)
    if next(iter(shelf.documents(call.account, call.region, CHANNEL)), None) is None:
        raise fault.NoAvailableDeliveryChannelException(
            "Delivery channel is not available to start configuration recorder."
        )
    if not recorder["recording"]:
        shelf.put(key, recorder | {"recording": True, "lastStartTime": record_time(call.now)})
        _look(call, shelf, [each for each in types.all if records(recorder, each)])
    return {}


def _look(call: Call, shelf: StagedShelf, types: Sequence[ResourceType]) -> None:
    home = Home(call.account, call.region)
    for row in (*every_type(home, types, call.event_id), discovered_row(home, call.event_id)):
        shelf.send(row)


@operation("config")
def stop_configuration_recorder(call: Call, shelf: StagedShelf, *, ConfigurationRecorderName: str) -> dict[str, Any]:
    """Record nothing until it is started again."""
    key, recorder = _named(call, shelf, ConfigurationRecorderName)
    if recorder["recording"]:
        shelf.put(key, recorder | {"recording": False, "lastStopTime": record_time(call.now)})
    return {}


@operation("config")
def delete_configuration_recorder(call: Call, shelf: StagedShelf, *, ConfigurationRecorderName: str) -> dict[str, Any]:
    """The recorder goes; the history that it recorded stays."""
    key, recorder = _named(call, shelf, ConfigurationRecorderName)
    shelf.delete(key)
    remove_tags(call, shelf, recorder["arn"])
    for told, _ in list(shelf.documents(call.account, call.region, RECORDING)):
        shelf.delete(told)
    return {}


# ---- finding it ----


def _key(call: Call, name: str) -> ShelfKey:
    return ShelfKey(call.account, call.region, RECORDER, name)


def _found(call: Call, shelf: StagedShelf) -> tuple[ShelfKey, Recorder] | None:
    return next(iter(shelf.documents(call.account, call.region, RECORDER)), None)


def _named(call: Call, shelf: StagedShelf, name: str) -> tuple[ShelfKey, Recorder]:
    found = _found(call, shelf)
    if found is None or found[1]["name"] != name:
        raise fault.NoSuchConfigurationRecorderException(
            f"Cannot find configuration recorder with the specified name '{name}'."
        )
    return found


def _chosen(
    call: Call, shelf: StagedShelf, names: Sequence[str] | None, principal: str | None, arn: str | None
) -> list[Recorder]:
    if sum(each is not None for each in (names or None, principal, arn)) > 1:
        raise fault.ValidationException(
            "Give the recorder's name, its service principal or its ARN, and only one of them."
        )
    if names:
        return [_named(call, shelf, name)[1] for name in names]
    found = _found(call, shelf)
    if arn is not None and (found is None or found[1]["arn"] != arn):
        raise fault.NoSuchConfigurationRecorderException(f"Cannot find configuration recorder with the ARN '{arn}'.")
    if principal is not None:
        raise fault.NoSuchConfigurationRecorderException(
            f"Cannot find configuration recorder with the service principal '{principal}'."
        )
    return [found[1]] if found else []
