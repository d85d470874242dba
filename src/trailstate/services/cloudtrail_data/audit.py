"""PutAuditEvents: an application's own events come in through a channel and become records of the channel's account."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.services.operation import operation
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.trail.audit import Channel, Rejected, audit_record
from trailstate.trail.channel import ATTEMPT, POLICY, SUCCESS, beside, channel_arn, channel_key
from trailstate.trail.journal import line
from trailstate.values.policy import Question, allows, read_policy
from trailstate.wire.call import Call
from trailstate.wire.fault import faults
from trailstate.world import World

fault = faults("cloudtrail-data")

ACTION = "cloudtrail-data:PutAuditEvents"
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_CHANNEL_ARN = re.compile(rf"arn:aws:cloudtrail:([a-z0-9-]+):([0-9]{{12}}):channel/({_UUID})")


@operation("cloudtrail-data")
def put_audit_events(
    call: Call,
    shelf: StagedShelf,
    world: World,
    *,
    auditEvents: Sequence[Mapping[str, str]],
    channelArn: str,
    externalId: str | None = None,
) -> dict[str, Any]:
    """Each event is recorded or rejected by itself; those recorded are durable when this is answered."""
    key = _channel(call, shelf, channelArn, externalId)
    ids = [each["id"] for each in auditEvents]
    if len(set(ids)) != len(ids):
        raise fault.DuplicatedAuditEventId("Two or more events of the request have the same id.")
    channel = Channel(channel_arn(key), key.account, key.region)
    answer: dict[str, list[dict[str, str]]] = {"failed": [], "successful": []}
    for each in auditEvents:
        event_id = world.uuid()
        try:
            record = audit_record(each["eventData"], each.get("eventDataChecksum"), channel, event_id, call.now)
        except Rejected as wrong:
            answer["failed"].append({"id": each["id"], "errorCode": wrong.code, "errorMessage": wrong.message})
            _tell(shelf, key, ATTEMPT, "Attempt", call, event_id, LatestIngestionErrorCode=wrong.code)
            continue
        shelf.append(line(record))
        answer["successful"].append({"id": each["id"], "eventID": event_id})
        _tell(shelf, key, SUCCESS, "Success", call, event_id)
        _tell(shelf, key, ATTEMPT, "Attempt", call, event_id)
    return answer


def _channel(call: Call, shelf: StagedShelf, arn: str, external_id: str | None) -> ShelfKey:
    """The channel, if the caller may send through it: its owner may, others by its resource policy."""
    match = _CHANNEL_ARN.fullmatch(arn)
    if match is None:
        raise fault.InvalidChannelARN(
            f"'{arn[:256]}' is not the ARN of a channel; expected one such as"
            " arn:aws:cloudtrail:us-east-2:123456789012:channel/01234567-89ab-cdef-0123-456789abcdef"
        )
    key = channel_key(match[2], match[1], match[3])
    if shelf.get(key) is None:
        raise fault.ChannelNotFound(f"There is no channel {arn}.")
    if key.account != call.account and not _is_let_in(call, shelf, key, external_id):
        raise fault.ChannelInsufficientPermission(
            f"The channel belongs to the account {key.account}, and its resource policy does not let {call.account} in."
        )
    return key


def _is_let_in(call: Call, shelf: StagedShelf, key: ShelfKey, external_id: str | None) -> bool:
    document = shelf.get(beside(key, POLICY))
    if document is None:
        return False
    context = {} if external_id is None else {"cloudtrail:ExternalId": external_id}
    asked = Question(ACTION, channel_arn(key), principal_arn=call.principal.arn, context=context)
    return allows(read_policy(document["Policy"]), asked)


def _tell(shelf: StagedShelf, key: ShelfKey, kind: str, what: str, call: Call, event_id: str, **more: str) -> None:
    """Keep the channel's newest event of a kind; written whatever stood there, so that nobody waits for another."""
    told = {f"LatestIngestion{what}Time": round(call.now.timestamp(), 3), f"LatestIngestion{what}EventID": event_id}
    shelf.put(beside(key, kind), told | more)
