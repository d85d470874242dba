"""Events reach their targets: once each, again when that fails, and at last among the dead letters.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
"""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from trailstate.follow import Later
from trailstate.functions.role import Roles
from trailstate.stores.interface import Commit, OutboxRow, Store
from trailstate.values import jsonpath
from trailstate.watch.bus import DEFAULT, QUEUE, Buses, BusName, Delivery, Event, bus_of_arn, lets_in
from trailstate.watch.distribute import Refused, Unreached, call_out
from trailstate.watch.transform import input_of
from trailstate.wire.call import Door, Principal, service_principal
from trailstate.wire.fault import Fault
from trailstate.world import World

log = logging.getLogger(__name__)

SERVICE = "events.amazonaws.com"
ATTEMPTS_MAX = 185
AGE_SECONDS_MAX = 86_400
WAIT_SECONDS_MAX = 600

Parameters = dict[str, Any]
Request = tuple[str, str, Parameters]
"""Service, operation, parameters."""

_decode = msgspec.json.Decoder(Delivery).decode
_event = msgspec.json.Decoder(Event).decode


def service_of(arn: str) -> str:
    """What kind of target an ARN names: a key of REQUESTS, `bus`, or what the ARN says."""
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return ""
    if parts[2] == "events" and parts[5].startswith("event-bus/"):
        return "bus"
    return parts[2]


def is_possible(arn: str) -> bool:
    """Whether events can be brought there."""
    kind = service_of(arn)
    return kind in (*REQUESTS, "bus") and arn.split(":", 5)[5].startswith(RESOURCES.get(kind, ""))


RESOURCES = {
    "firehose": "deliverystream/",
    "kinesis": "stream/",
    "lambda": "function:",
    "logs": "log-group:",
    "ssm": "automation-definition/",
    "states": "stateMachine:",
}
"""How a service's only kind of target begins."""


def _to_queue(target: Mapping[str, Any], text: str, _: Mapping[str, Any]) -> Request:
    _, _, _, region, account, name = target["Arn"].split(":", 5)
    parameters = {"QueueUrl": f"https://sqs.{region}.amazonaws.com/{account}/{name}", "MessageBody": text}
    group = (target.get("SqsParameters") or {}).get("MessageGroupId")
    return "sqs", "SendMessage", parameters | ({"MessageGroupId": group} if group else {})


def _to_topic(target: Mapping[str, Any], text: str, _: Mapping[str, Any]) -> Request:
    return "sns", "Publish", {"TopicArn": target["Arn"], "Message": text}


def _to_function(target: Mapping[str, Any], text: str, _: Mapping[str, Any]) -> Request:
    parameters = {"FunctionName": target["Arn"], "InvocationType": "Event", "Payload": text.encode()}
    return "lambda", "Invoke", parameters


def _to_logs(target: Mapping[str, Any], text: str, event: Mapping[str, Any]) -> Request:
    group = target["Arn"].split(":log-group:", 1)[-1].removesuffix(":*")
    moment = int(datetime.fromisoformat(event["time"]).timestamp() * 1000)
    return (
        "logs",
        "PutLogEvents",
        {"logGroupName": group, "logStreamName": target["Id"], "logEvents": [{"timestamp": moment, "message": text}]},
    )


def _to_automation(target: Mapping[str, Any], text: str, _: Mapping[str, Any]) -> Request:
    name, _, version = target["Arn"].partition(":automation-definition/")[2].partition(":")
    given = _object(text)
    parameters: Parameters = {"DocumentName": name, "DocumentVersion": version or "$DEFAULT"}
    listed = {key: value if isinstance(value, list) else [value] for key, value in given.items()}
    texts = {
        key: [each if isinstance(each, str) else json.dumps(each) for each in value] for key, value in listed.items()
    }
    return "ssm", "StartAutomationExecution", parameters | ({"Parameters": texts} if texts else {})


def _to_states(target: Mapping[str, Any], text: str, _: Mapping[str, Any]) -> Request:
    return "stepfunctions", "StartExecution", {"stateMachineArn": target["Arn"], "input": text}


def _to_stream(target: Mapping[str, Any], text: str, event: Mapping[str, Any]) -> Request:
    path = (target.get("KinesisParameters") or {}).get("PartitionKeyPath")
    try:
        key = str(jsonpath.find(path, event)) if path else event["id"]
    except (jsonpath.Absent, jsonpath.BadPath):
        key = event["id"]
    name = target["Arn"].rpartition("/")[2]
    return "kinesis", "PutRecord", {"StreamName": name, "Data": text.encode(), "PartitionKey": key}


def _to_firehose(target: Mapping[str, Any], text: str, _: Mapping[str, Any]) -> Request:
    name = target["Arn"].rpartition("/")[2]
    return "firehose", "PutRecord", {"DeliveryStreamName": name, "Record": {"Data": text.encode()}}


def _object(text: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise Refused("expected an object of parameters as the target's input")
    return found


REQUESTS: Mapping[str, Callable[[Mapping[str, Any], str, Mapping[str, Any]], Request]] = {
    "firehose": _to_firehose,
    "kinesis": _to_stream,
    "lambda": _to_function,
    "logs": _to_logs,
    "sns": _to_topic,
    "sqs": _to_queue,
    "ssm": _to_automation,
    "states": _to_states,
}
"""What the ARN's service is -> the call that brings an event there."""


class BusShipper:
    """Brings events to targets."""

    prefix = QUEUE

    def __init__(self, store: Store, world: World, door: Door, buses: Buses, roles: Roles) -> None:
        self._store = store
        self._world = world
        self._door = door
        self._buses = buses
        self._roles = roles

    def ship(self, row: OutboxRow) -> Commit:
        """Deliver once; what failed commits its next try in a queue of its own, or becomes a dead letter."""
        delivery, now = _decode(row.body), self._world.now()
        wait = (datetime.fromisoformat(delivery.not_before) - now).total_seconds() if delivery.not_before else 0
        if wait > 0:
            raise Later("the target failed and is tried again", wait)
        try:
            return self._deliver(delivery, now)
        except Refused as refusal:
            return self._given_up(delivery, "", refusal)
        except Unreached as failure:
            exhausted = _exhausted(delivery, now)
            if exhausted:
                return self._given_up(delivery, exhausted, failure)
            return Commit(outbox=[_again(row, delivery, now)])

    def _deliver(self, delivery: Delivery, now: datetime) -> Commit:
        target = delivery.target
        if service_of(target["Arn"]) == "bus":
            return self._forward(delivery, now)
        event = msgspec.json.decode(delivery.event)
        bus = bus_of_arn(delivery.bus)
        assert bus is not None
        reserved = {
            "aws.events.rule-arn": bus.rule_arn(delivery.rule),
            "aws.events.rule-name": delivery.rule,
            "aws.events.event.ingestion-time": f"{datetime.fromisoformat(delivery.arrived):%Y-%m-%dT%H:%M:%SZ}",
        }
        text = input_of(target, event, delivery.event, reserved)
        service, operation, parameters = REQUESTS[service_of(target["Arn"])](target, text, event)
        _, _, _, region, account, _ = target["Arn"].split(":", 5)
        place = (account or bus.account, region or bus.region)
        by = self._caller(delivery, bus)
        if service == "logs":
            self._make_stream(by, parameters, *place)
        call_out(self._door, by, service, operation, parameters, *place)
        return Commit()

    def _caller(self, delivery: Delivery, bus: BusName) -> Principal:
        """The role that the target names, or EventBridge for the rule."""
        role = delivery.target.get("RoleArn")
        if not role:
            return service_principal(SERVICE, bus.account, bus.rule_arn(delivery.rule))
        try:
            return self._roles.session(SERVICE, role, delivery.rule, account=bus.account, region=bus.region).principal
        except Fault as refusal:
            raise Refused(str(refusal)) from refusal

    def _make_stream(self, by: Principal, parameters: Parameters, account: str, region: str) -> None:
        stream = {name: parameters[name] for name in ("logGroupName", "logStreamName")}
        try:
            call_out(self._door, by, "logs", "CreateLogStream", stream, account, region)
        except Refused as refusal:
            if "ResourceAlreadyExists" not in str(refusal):
                raise

    def _forward(self, delivery: Delivery, now: datetime) -> Commit:
        """Another bus gets the event as it is; an event that comes back to a target it had does nothing there."""
        bus, other = bus_of_arn(delivery.bus), bus_of_arn(delivery.target["Arn"])
        assert bus is not None
        assert other is not None
        held = self._store.get(other.key)
        if held is None and other.name != DEFAULT:
            raise Refused(f"ResourceNotFoundException: Event bus {other.name} does not exist.")
        if bus.account != other.account and not lets_in(other, None if held is None else held.value, bus.account):
            raise Refused(
                f"AccessDenied: events:PutEvents on resource: {other.arn}: no policy of it lets {bus.account} in"
            )
        return Commit(outbox=list(self._buses.arrivals(other, _event(delivery.event.encode()), now)))

    def _given_up(self, delivery: Delivery, exhausted: str, why: Exception) -> Commit:
        log.warning("an event of rule %s is not delivered to %s: %s", delivery.rule, delivery.target["Arn"], why)
        queue = (delivery.target.get("DeadLetterConfig") or {}).get("Arn")
        bus = bus_of_arn(delivery.bus)
        if not queue or bus is None:
            return Commit()
        code, _, message = str(why).partition(": ")
        if code.startswith("AccessDenied") or code == "AuthorizationError":
            code = "NO_PERMISSIONS"
        told = {
            "RULE_ARN": bus.rule_arn(delivery.rule),
            "TARGET_ARN": delivery.target["Arn"],
            "ERROR_CODE": code,
            "ERROR_MESSAGE": message or code,
            "EXHAUSTED_RETRY_CONDITION": exhausted,
            "RETRY_ATTEMPTS": str(delivery.attempt - 1),
        }
        _, _, parameters = _to_queue({"Arn": queue}, delivery.event, {})
        parameters["MessageAttributes"] = {k: {"DataType": "String", "StringValue": v} for k, v in told.items() if v}
        _, _, _, region, account, _ = queue.split(":", 5)
        by = service_principal(SERVICE, bus.account, bus.rule_arn(delivery.rule))
        try:
            call_out(self._door, by, "sqs", "SendMessage", parameters, account, region)
        except Unreached as failure:
            raise Later(f"the dead letters are out of reach: {failure}", 5.0) from failure
        except Refused as refusal:
            log.warning("the dead-letter queue %s refused an event: %s", queue, refusal)
        return Commit()


def _exhausted(delivery: Delivery, now: datetime) -> str:
    """Which bound of the retry policy is reached; empty while none is."""
    policy = delivery.target.get("RetryPolicy") or {}
    if delivery.attempt > policy.get("MaximumRetryAttempts", ATTEMPTS_MAX):
        return "MaximumRetryAttempts"
    age = (now - datetime.fromisoformat(delivery.arrived)).total_seconds()
    return "MaximumEventAgeInSeconds" if age >= policy.get("MaximumEventAgeInSeconds", AGE_SECONDS_MAX) else ""


def _again(row: OutboxRow, delivery: Delivery, now: datetime) -> OutboxRow:
    wait = timedelta(seconds=min(WAIT_SECONDS_MAX, 2 ** min(delivery.attempt - 1, 16)))
    again = msgspec.structs.replace(delivery, attempt=delivery.attempt + 1, not_before=(now + wait).isoformat())
    name = f"{row.id.rpartition('#')[0] or row.id}#{again.attempt}"
    return OutboxRow(f"{QUEUE}again/{name}", name, msgspec.json.encode(again))
