"""Events that functions are sent without anybody waiting: run in their order, tried again, and at last given up.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

import base64
import json
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from trailstate.follow import Later
from trailstate.functions.function import NoQualifier, at_version, named, version_of
from trailstate.functions.invoke import SERVICE, Invoker
from trailstate.functions.role import Roles
from trailstate.stores.interface import Commit, OutboxRow, Store
from trailstate.wire.call import Door
from trailstate.wire.fault import Fault
from trailstate.world import World

log = logging.getLogger(__name__)

QUEUE = "function/"
WAITS_SECONDS = (60, 120)
"""After the first and the second failure; the third is the last."""


def event_row(
    arn: str, payload: bytes, request_id: str, now: datetime, *, qualifier: str | None = None, attempt: int = 1
) -> OutboxRow:
    """What makes a function run for an event. `arn` names it without a version."""
    body = {
        "arn": arn,
        "qualifier": qualifier,
        "payload": base64.b64encode(payload).decode(),
        "request": request_id,
        "attempt": attempt,
        "not_before": now.isoformat(),
    }
    return OutboxRow(f"{QUEUE}{request_id}/{attempt}", f"{request_id}/{attempt}", json.dumps(body).encode())


class Events:
    """The shipper of events for functions."""

    prefix = QUEUE

    def __init__(self, store: Store, world: World, door: Door, invoker: Invoker, roles: Roles) -> None:
        self._store = store
        self._world = world
        self._door = door
        self._invoker = invoker
        self._roles = roles

    def ship(self, row: OutboxRow) -> Commit:
        """Run the function once for the event; a failed run is followed by another, or by the dead-letter queue."""
        order = json.loads(row.body)
        wait = (datetime.fromisoformat(order["not_before"]) - self._world.now()).total_seconds()
        if wait > 0:
            raise Later("the function failed and is tried again", wait)
        try:
            failure = self._run(order)
        except Fault as refused:
            if refused.code == "TooManyRequestsException":
                raise Later("too many functions run", 1.0) from refused
            failure = str(refused)
        if failure is None:
            return Commit()
        attempt = int(order["attempt"])
        if attempt > len(WAITS_SECONDS):
            self._give_up(order, failure)
            return Commit()
        due = self._world.now() + timedelta(seconds=WAITS_SECONDS[attempt - 1])
        payload = base64.b64decode(order["payload"])
        again = event_row(
            order["arn"], payload, order["request"], due, qualifier=order["qualifier"], attempt=attempt + 1
        )
        return Commit(outbox=[again])

    def _function(self, order: Mapping[str, Any]) -> Mapping[str, Any] | None:
        found = self._store.get(named(order["arn"], "", "").key)
        return None if found is None else found.value

    def _run(self, order: Mapping[str, Any]) -> str | None:
        """Why the run failed; None when it did not, or when the function is gone."""
        function, who = self._function(order), named(order["arn"], "", "")
        if function is None:
            return None
        try:
            version = at_version(function, version_of(function, order["qualifier"]))
        except NoQualifier:
            return None
        ran = self._invoker.invoke(
            version["config"],
            version["code"],
            msgspec.json.decode(base64.b64decode(order["payload"]) or b"null"),
            account=who.account,
            region=who.region,
            request_id=order["request"],
            arn=who.arn,
        )
        return ran.payload.decode("utf-8", "replace") if ran.failed else None

    def _give_up(self, order: Mapping[str, Any], failure: str) -> None:
        """The event goes to the dead letters, in the function's role."""
        function, who = self._function(order), named(order["arn"], "", "")
        config = {} if function is None else function["config"]
        target = str(config.get("DeadLetterConfig", {}).get("TargetArn") or "")
        text = base64.b64decode(order["payload"]).decode("utf-8", "replace")
        log.warning("%s failed three times for the event %s: %s", order["arn"], order["request"], failure[:500])
        service, _, rest = target.removeprefix("arn:aws:").partition(":")
        if service not in {"sns", "sqs"}:
            return
        try:
            place = {"account": who.account, "region": who.region}
            by = self._roles.session(SERVICE, config["Role"], config["FunctionName"], **place).principal
            if service == "sns":
                parameters: dict[str, Any] = {"TopicArn": target, "Message": text}
                self._door.call("sns", "Publish", parameters, account=who.account, region=who.region, as_=by)
            else:
                region, owner, name = rest.split(":")
                where = {"QueueName": name, "QueueOwnerAWSAccountId": owner}
                url = self._door.call("sqs", "GetQueueUrl", where, account=who.account, region=region, as_=by)
                parameters = {"QueueUrl": url["QueueUrl"], "MessageBody": text}
                self._door.call("sqs", "SendMessage", parameters, account=who.account, region=region, as_=by)
        except Fault as error:
            log.warning("the dead-letter target %s did not take the event: %s", target, error)
