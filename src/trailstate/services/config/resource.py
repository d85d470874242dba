"""Resources of others than AWS: their owners tell AWS Config what they look like (PutResourceConfig)."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from trailstate.configuration.history import ConfigurationHistory
from trailstate.configuration.item import VERSION, Item, captured, deleted
from trailstate.configuration.line import Recorded, digest_with_facts, line
from trailstate.configuration.recorder import RECORDER
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.trail.category import classify
from trailstate.values.timestamp import record_time
from trailstate.wire.call import Call
from trailstate.wire.fault import faults
from trailstate.wire.spelling import service_unavailable

fault = faults("config")

TYPE = re.compile(r"\w{2,64}::\w{2,64}::\w{2,64}")
CONFIGURATION_BYTES_MAX = 300_000


@operation("config")
def put_resource_config(
    call: Call,
    shelf: StagedShelf,
    history: ConfigurationHistory,
    *,
    ResourceType: str,
    SchemaVersionId: str,
    ResourceId: str,
    ResourceName: str | None = None,
    Configuration: str,
    Tags: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Record the state of a resource; the same state again makes no item."""
    _hold(call, shelf, ResourceType)
    item = _item(call, ResourceType, ResourceId, ResourceName, _object(Configuration), Tags or {})
    known = _known(call, history, ResourceType, ResourceId)
    if known is not None and not known.is_gone and _same(known.item, item):
        return {}
    _append(call, shelf, captured(item, call.now, known.item if known else None, [call.event_id]))
    return {}


@operation("config")
def delete_resource_config(
    call: Call, shelf: StagedShelf, history: ConfigurationHistory, *, ResourceType: str, ResourceId: str
) -> dict[str, Any]:
    """Record that the resource is no more."""
    _hold(call, shelf, ResourceType)
    known = _known(call, history, ResourceType, ResourceId)
    if known is None or known.is_gone:
        raise fault.ValidationException(f"There is no resource '{ResourceId}' of the type {ResourceType} to delete.")
    _append(call, shelf, captured(deleted(known.item), call.now, known.item, [call.event_id]))
    return {}


def _hold(call: Call, shelf: StagedShelf, type_name: str) -> None:
    if not TYPE.fullmatch(type_name) or type_name.startswith("AWS::"):
        raise fault.ValidationException(
            f"The resource type must be Organization::Service::Resource, and not AWS's; found '{type_name}'."
        )
    if not any(recorder["recording"] for _, recorder in shelf.documents(call.account, call.region, RECORDER)):
        raise fault.NoRunningConfigurationRecorderException("There is no configuration recorder running.")


def _object(text: str) -> dict[str, Any]:
    if len(text.encode()) > CONFIGURATION_BYTES_MAX:
        raise fault.ValidationException(f"The configuration must have at most {CONFIGURATION_BYTES_MAX} bytes.")
    try:
        found: dict[str, Any] = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise fault.ValidationException(f"The configuration must be a JSON object: {error}.") from error
    return found


def _item(
    call: Call, type_name: str, identifier: str, name: str | None, content: dict[str, Any], tags: Mapping[str, str]
) -> Item:
    return {
        "configurationItemVersion": VERSION,
        "configurationItemCaptureTime": "",
        "configurationStateId": 0,
        "awsAccountId": call.account,
        "configurationItemStatus": "",
        "resourceType": type_name,
        "resourceId": identifier,
        "resourceName": name,
        "ARN": None,
        "awsRegion": call.region,
        "availabilityZone": None,
        "configurationStateMd5Hash": "",
        "resourceCreationTime": None,
        "tags": dict(tags),
        "relatedEvents": [],
        "relationships": [],
        "configuration": content,
        "supplementaryConfiguration": {},
    }


def _known(call: Call, history: ConfigurationHistory, type_name: str, identifier: str) -> Recorded | None:
    if not history.catch_up():
        raise service_unavailable("config", call.protocol, "The history is being indexed anew; try again soon.")
    return history.latest(call.account, call.region, type_name, identifier)


def _same(before: Item, after: Item) -> bool:
    return digest_with_facts(before, {}) == digest_with_facts(after, {})


def _append(call: Call, shelf: StagedShelf, item: Item) -> None:
    kind = classify(call.service, call.operation)
    cause = {
        "eventID": call.event_id,
        "eventName": kind.event_name,
        "eventSource": kind.event_source,
        "eventTime": record_time(call.now),
        "principal": call.principal.arn or call.principal.invoked_by,
        "sourceIPAddress": call.source_address,
    }
    shelf.append(line(call.account, call.region, Recorded(item, {}, cause, item["resourceId"])))
