"""What alarms do: tell a topic, call a function, start an automation, put an event on the bus.

CloudWatch user guide, "Alarm actions". Each goes through the front door as CloudWatch's own call, from the outbox, in a
queue of its own: a receiver that refuses is tried again for an hour and then given up, and holds nobody else up.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from trailstate.follow import Later
from trailstate.stores.interface import Commit, OutboxRow, ShelfChange, Store
from trailstate.watch import change
from trailstate.watch.arrival import SUBSCRIPTIONS
from trailstate.watch.change import Action
from trailstate.wire.call import Door, service_principal
from trailstate.wire.fault import Fault
from trailstate.world import World

log = logging.getLogger(__name__)

SERVICE = "cloudwatch.amazonaws.com"
FUNCTION_SERVICE = "lambda.alarms.cloudwatch.amazonaws.com"
LOGS_SERVICE = "logs.amazonaws.com"
DETAIL_TYPE = "CloudWatch Alarm State Change"
TRIED_FOR = timedelta(hours=1)
RETRY_SECONDS = 10.0

_encode = msgspec.json.Encoder().encode


class ActionShipper:
    """Does the actions of alarms."""

    prefix = change.QUEUE

    def __init__(self, store: Store, door: Door, world: World) -> None:
        self._store = store
        self._door = door
        self._world = world
        self._patience = Patience(world)
        self._decode = msgspec.json.Decoder(Action).decode

    def ship(self, row: OutboxRow) -> Commit:
        action = self._decode(row.body)
        try:
            self._do(action)
        except Fault as refusal:
            self._patience.refused(row, refusal)
            return self._history(action, f"Failed to execute action {action.arn}", refusal)
        self._patience.succeeded(row)
        return self._history(action, f"Successfully executed action {action.arn}", None)

    def _do(self, action: Action) -> None:
        if not action.arn:
            self._call(action, SERVICE, "events", "PutEvents", {"Entries": [self._event(action)]})
            return
        kind = action.arn.split(":")[2]
        KINDS[kind](self, action)

    def _event(self, action: Action) -> dict[str, Any]:
        arn = f"arn:aws:cloudwatch:{action.region}:{action.account}:alarm:{action.alarm}"
        detail = _encode(action.content).decode()
        time = datetime.fromisoformat(action.content["state"]["timestamp"])
        return {
            "Source": "aws.cloudwatch",
            "DetailType": DETAIL_TYPE,
            "Detail": detail,
            "Resources": [arn],
            "Time": time,
        }

    def _publish(self, action: Action) -> None:
        message = _encode(action.content).decode()
        parameters = {"TopicArn": action.arn, "Subject": action.subject[:100], "Message": message}
        self._call(action, SERVICE, "sns", "Publish", parameters)

    def _invoke(self, action: Action) -> None:
        parameters = {"FunctionName": action.arn, "InvocationType": "Event", "Payload": _encode(action.content)}
        self._call(action, FUNCTION_SERVICE, "lambda", "Invoke", parameters)

    def _automate(self, action: Action) -> None:
        named, _, version = action.arn.split(":", 5)[5].removeprefix("automation-definition/").partition(":")
        parameters: dict[str, Any] = {"DocumentName": named}
        if version:
            parameters["DocumentVersion"] = version
        self._call(action, SERVICE, "ssm", "StartAutomationExecution", parameters)

    def _call(self, action: Action, service: str, called: str, operation: str, parameters: Mapping[str, Any]) -> None:
        region = action.arn.split(":")[3] if action.arn else action.region
        account = action.arn.split(":")[4] if action.arn else action.account
        alarm = f"arn:aws:cloudwatch:{action.region}:{action.account}:alarm:{action.alarm}"
        by = service_principal(service, action.account, alarm)
        self._door.call(called, operation, parameters, account=account or action.account, region=region, as_=by)

    def _history(self, action: Action, summary: str, refusal: Fault | None) -> Commit:
        """The history tells of an action; of the event on the bus it tells nothing."""
        key = change.alarm_key(action.account, action.region, action.alarm)
        document = self._store.get(key) if action.arn else None
        if document is None:
            return Commit()
        data = {"actionState": "Failed" if refusal else "Succeeded", "notificationResource": action.arn}
        data |= {"error": refusal.message} if refusal else {}
        item = change.history_item(document.value, "Action", summary, data, self._world.now())
        place = change.history_key(action.account, action.region, action.alarm)
        known = self._store.get(place)
        after = change.with_history(known.value if known else None, item)
        return Commit(shelf=[ShelfChange(place, after)])


KINDS: Mapping[str, Callable[[ActionShipper, Action], None]] = {
    "sns": ActionShipper._publish,  # noqa: SLF001 - this class's own table
    "lambda": ActionShipper._invoke,  # noqa: SLF001
    "ssm": ActionShipper._automate,  # noqa: SLF001
}
"""By the service of an action's ARN."""


class Patience:
    """How long a refused effect is tried again."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._first: dict[str, datetime] = {}

    def refused(self, row: OutboxRow, refusal: Fault) -> None:
        """Later, or nothing once it was tried long enough or the receiver says that it never will."""
        now = self._world.now()
        since = self._first.setdefault(row.id, now)
        if now - since <= TRIED_FOR and not _is_final(refusal):
            raise Later(f"{refusal.code}: {refusal.message}", RETRY_SECONDS)
        log.error("'%s' is given up: %s: %s", row.id, refusal.code, refusal.message)
        del self._first[row.id]

    def succeeded(self, row: OutboxRow) -> None:
        self._first.pop(row.id, None)


def _is_final(refusal: Fault) -> bool:
    """The caller's own mistake is not mended by asking again."""
    return refusal.sender and "Throttl" not in refusal.code and refusal.code != "TooManyRequestsException"


class SubscriptionShipper:
    """Hands the events of subscription filters to their functions."""

    prefix = SUBSCRIPTIONS

    def __init__(self, door: Door, world: World) -> None:
        self._door = door
        self._patience = Patience(world)

    def ship(self, row: OutboxRow) -> Commit:
        wanted = msgspec.json.decode(row.body)
        payload = _encode({"awslogs": {"data": wanted["data"]}})
        arn = wanted["destination"]
        parameters = {"FunctionName": arn, "InvocationType": "Event", "Payload": payload}
        group = f"arn:aws:logs:{wanted['region']}:{wanted['account']}:log-group:{wanted['group']}:*"
        by = service_principal(LOGS_SERVICE, wanted["account"], group)
        try:
            self._door.call("lambda", "Invoke", parameters, account=arn.split(":")[4], region=arn.split(":")[3], as_=by)
        except Fault as refusal:
            self._patience.refused(row, refusal)
        else:
            self._patience.succeeded(row)
        return Commit()
