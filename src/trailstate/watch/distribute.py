"""Deliveries of messages go out: once to each subscription, again when that fails, and at last to the dead letters.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html

A receiver that cannot be reached is tried again, each message in a queue of its own. One that refuses (a queue that is
gone, a web page that answers 4xx) is not.
"""

import base64
import json
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Protocol

import msgspec

from trailstate.follow import Later
from trailstate.stores.interface import Commit, OutboxRow, Store
from trailstate.values.arn import account_of_arn
from trailstate.watch.envelope import Seal, as_text, lambda_event
from trailstate.watch.retry import INSIDE_AWS, MAIL, Phases, web_phases
from trailstate.watch.topic import Delivery, Document, Message, again_row, subscription_key, topic_name
from trailstate.wire.call import Door, Principal, service_principal
from trailstate.wire.fault import Fault
from trailstate.world import World

log = logging.getLogger(__name__)

SERVICE = "sns.amazonaws.com"
TRANSIENT_CODES = frozenset({"TooManyRequestsException", "RequestLimitExceeded", "KmsThrottled"})

_decode = msgspec.json.Decoder(Delivery).decode


class Unreached(Exception):
    """Nobody took the message; somebody may later."""


class Refused(Exception):
    """The receiver will not take the message, now or later."""


class Sender(Protocol):
    """Brings a message to receivers of some protocols. Raises Unreached and Refused."""

    def send(self, message: Message, subscription: Document) -> None: ...


class TopicShipper:
    """The deliveries whose queues have one prefix."""

    def __init__(self, prefix: str, store: Store, world: World, door: Door, seal: Seal, sender: Sender) -> None:
        self.prefix = prefix
        self._store = store
        self._world = world
        self._queues = Queues(door, seal)
        self._sender = sender

    def ship(self, row: OutboxRow) -> Commit:
        """Deliver once; what failed commits its next try, or becomes a dead letter. Gone subscriptions get nothing."""
        delivery, now = _decode(row.body), self._world.now()
        wait = (datetime.fromisoformat(delivery.not_before) - now).total_seconds() if delivery.not_before else 0
        if wait > 0:
            raise Later("the receiver failed and is tried again", wait)
        subscription = self._subscription(delivery)
        if subscription is None:
            return Commit()
        try:
            self._sender.send(delivery.message, subscription)
        except Refused as refusal:
            return self._given_up(row, delivery, subscription, refusal)
        except Unreached as failure:
            wait_seconds = self._phases(subscription, delivery).wait(delivery.attempt)
            if wait_seconds is None:
                return self._given_up(row, delivery, subscription, failure)
            return Commit(outbox=[again_row(row, delivery, now + timedelta(seconds=wait_seconds), now)])
        return Commit()

    def _subscription(self, delivery: Delivery) -> Document | None:
        key = subscription_key(delivery.subscription)
        found = None if key is None else self._store.get(key)
        return None if found is None else found.value

    def _phases(self, subscription: Document, delivery: Delivery) -> Phases:
        if subscription["Protocol"] in ("http", "https"):
            named = topic_name(delivery.message.topic)
            topic = None if named is None else self._store.get(named.key)
            of_topic = {} if topic is None else topic.value["Attributes"]
            return web_phases(
                json.loads(subscription["Attributes"].get("DeliveryPolicy") or "{}"),
                json.loads(of_topic.get("DeliveryPolicy") or "{}"),
            )
        return MAIL if subscription["Protocol"].startswith("email") else INSIDE_AWS

    def _given_up(self, row: OutboxRow, delivery: Delivery, subscription: Document, why: Exception) -> Commit:
        log.warning("the message %s is not delivered to %s: %s", delivery.message.id, subscription["Endpoint"], why)
        redrive = json.loads(subscription["Attributes"].get("RedrivePolicy") or "{}")
        target = redrive.get("deadLetterTargetArn")
        if target and not delivery.message.token:
            try:
                self._queues.send(delivery.message, {**subscription, "Endpoint": target})
            except Unreached as failure:
                raise Later(f"the dead letters are out of reach: {failure}", 5.0) from failure
            except Refused as refusal:
                log.warning("the dead-letter queue %s refused %s: %s", target, row.id, refusal)
        return Commit()


class Queues:
    """Receivers within AWS: queues and functions, by the front door."""

    def __init__(self, door: Door, seal: Seal) -> None:
        self._door = door
        self._seal = seal

    def send(self, message: Message, subscription: Document) -> None:
        if ":lambda:" in subscription["Endpoint"]:
            self._invoke(message, subscription)
        else:
            self._to_queue(message, subscription)

    def _to_queue(self, message: Message, subscription: Document) -> None:
        _, _, _, region, account, name = subscription["Endpoint"].split(":", 5)
        parameters: dict[str, Any] = {"QueueUrl": f"https://sqs.{region}.amazonaws.com/{account}/{name}"}
        if is_raw(subscription) and not message.token:
            parameters["MessageBody"] = message.text_for("sqs")
            if message.attributes:
                parameters["MessageAttributes"] = {k: _queue_attribute(v) for k, v in message.attributes.items()}
        else:
            parameters["MessageBody"] = as_text(self._seal.enclose(message, subscription))
        by = _by(message.topic)
        call_out(self._door, by, "sqs", "SendMessage", parameters, account, region)

    def _invoke(self, message: Message, subscription: Document) -> None:
        _, _, _, region, account, _ = subscription["Endpoint"].split(":", 5)
        event = lambda_event(self._seal.enclose(message, subscription), subscription)
        parameters = {
            "FunctionName": subscription["Endpoint"],
            "InvocationType": "Event",
            "Payload": json.dumps(event).encode(),
        }
        call_out(self._door, _by(message.topic), "lambda", "Invoke", parameters, account, region)


def _by(topic: str) -> Principal:
    """SNS, for a topic."""
    return service_principal(SERVICE, account_of_arn(topic) or "", topic)


def call_out(
    door: Door,
    by: Principal,
    receiver: str,
    operation: str,
    parameters: Mapping[str, Any],
    account: str,
    region: str,
) -> Mapping[str, Any]:
    """A service's own call; raises Unreached and Refused."""
    try:
        return door.call(receiver, operation, parameters, account=account, region=region, as_=by)
    except Fault as fault:
        if fault.status >= HTTPStatus.INTERNAL_SERVER_ERROR or _is_transient(fault.code):
            raise Unreached(str(fault)) from fault
        raise Refused(str(fault)) from fault


def _is_transient(code: str) -> bool:
    return code in TRANSIENT_CODES or "Throttl" in code


def is_raw(subscription: Document) -> bool:
    return bool(subscription["Attributes"].get("RawMessageDelivery") == "true")


def _queue_attribute(attribute: Mapping[str, str]) -> dict[str, Any]:
    """An attribute as SQS takes it, where lists are texts."""
    kind = attribute["DataType"]
    if "BinaryValue" in attribute:
        return {"DataType": kind, "BinaryValue": base64.b64decode(attribute["BinaryValue"])}
    return {"DataType": "String" if kind == "String.Array" else kind, "StringValue": attribute["StringValue"]}
