"""A changed verdict is told: on the event bus, to the delivery channel's topic, and to whoever repairs.

Follows "Notifications that AWS Config sends to an Amazon SNS topic" and "Monitoring AWS Config with EventBridge" in
the developer guide: one message, as it is for the topic, wrapped as the detail of an event for the bus.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, Protocol

import msgspec

from trailstate.configuration.notice import Message, Messenger, subject
from trailstate.configuration.recorder import CHANNEL, Home
from trailstate.follow import Later
from trailstate.stores.interface import Commit, OutboxRow, Store
from trailstate.values.timestamp import moment_text
from trailstate.wire.fault import Fault
from trailstate.world import World

QUEUE = "compliance/"
RECORD_VERSION = "1.0"
DETAIL_TYPE = "Config Rules Compliance Change"
STARTED_DETAIL_TYPE = "Config Rules Evaluation Status"
RETRY_SECONDS = 10


class Change(msgspec.Struct, frozen=True, rename="camel"):
    """A rule says something else of a resource than before. Times are texts as in configuration items."""

    account: str
    region: str
    rule: str
    rule_arn: str
    resource_type: str
    resource_id: str
    verdict: str
    annotation: str
    previous: str
    """Empty: nothing was said of it before."""
    previous_result: Mapping[str, Any] | None
    """AWS's oldEvaluationResult."""
    time: str
    invoked: str


class VerdictChanged(Protocol):
    """Who wants to act on changed verdicts; its rows commit with the verdict."""

    def rows(self, change: Change) -> Sequence[OutboxRow]: ...


class VerdictListeners:
    """Whoever acts on changed verdicts. Later parts of the house add themselves."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._others: list[VerdictChanged] = []

    def add(self, listener: VerdictChanged) -> None:
        self._others.append(listener)

    def rows(self, change: Change) -> list[OutboxRow]:
        """What to commit with the verdict: the notice, and what the listeners ask for."""
        queue = f"{QUEUE}{change.account}/{change.region}/{change.rule}"
        told = OutboxRow(queue, f"{QUEUE}{self._world.uuid()}", msgspec.json.encode(change))
        return [told, *(row for each in self._others for row in each.rows(change))]


def message(change: Mapping[str, Any], now: datetime) -> Message:
    """AWS's ComplianceChangeNotification of a change."""
    text = moment_text(now)
    content = {
        "awsAccountId": change["account"],
        "configRuleName": change["rule"],
        "configRuleARN": change["ruleArn"],
        "resourceType": change["resourceType"],
        "resourceId": change["resourceId"],
        "awsRegion": change["region"],
        "newEvaluationResult": evaluation_result(
            change, compliance=change["verdict"], annotation=change["annotation"], recorded=text
        ),
        "oldEvaluationResult": change["previousResult"],
        "notificationCreationTime": text,
        "messageType": "ComplianceChangeNotification",
        "recordVersion": RECORD_VERSION,
    }
    words = (
        f"{change['resourceType']} {change['resourceId']} is {change['verdict']} with {change['rule']}"
        f" in Account {change['account']}"
    )
    home = Home(change["account"], change["region"])
    return Message(DETAIL_TYPE, subject(home, words), content, (change["ruleArn"],))


def evaluation_started(home: Home, rules: Sequence[str], now: datetime) -> Message:
    """AWS's ConfigRulesEvaluationStarted."""
    content = {
        "awsAccountId": home.account,
        "awsRegion": home.region,
        "configRuleNames": list(rules),
        "notificationCreationTime": moment_text(now),
        "messageType": "ConfigRulesEvaluationStarted",
        "recordVersion": RECORD_VERSION,
    }
    words = f"Config Rules Evaluation Started for Account {home.account}"
    return Message(STARTED_DETAIL_TYPE, subject(home, words), content)


def started_row(world: World, home: Home, rules: Sequence[str]) -> OutboxRow:
    """Have it told that somebody started the evaluation of these rules."""
    body = {"account": home.account, "region": home.region, "started": list(rules)}
    return OutboxRow(f"{QUEUE}{home.account}/{home.region}", f"{QUEUE}{world.uuid()}", msgspec.json.encode(body))


def evaluation_result(change: Mapping[str, Any], *, compliance: str, annotation: str, recorded: str) -> dict[str, Any]:
    """A result as messages show it; `change` names rule, resource and times."""
    return {
        "evaluationResultIdentifier": {
            "evaluationResultQualifier": {
                "configRuleName": change["rule"],
                "resourceType": change["resourceType"],
                "resourceId": change["resourceId"],
            },
            "orderingTimestamp": change["time"],
        },
        "complianceType": compliance,
        "resultRecordedTime": recorded,
        "configRuleInvokedTime": change["invoked"],
        "annotation": annotation or None,
        "resultToken": None,
    }


class NoticeShipper:
    """Tells the bus and the topic. Whoever refuses is not asked again: AWS promises no delivery either."""

    prefix = QUEUE

    def __init__(self, store: Store, world: World, messenger: Messenger) -> None:
        self._store = store
        self._world = world
        self._messenger = messenger

    def ship(self, row: OutboxRow) -> Commit:
        told, now = msgspec.json.decode(row.body), self._world.now()
        home = Home(told["account"], told["region"])
        about = evaluation_started(home, told["started"], now) if "started" in told else message(told, now)
        try:
            self._messenger.send(home, self._topic(home), about, now)
        except Fault as fault:
            if fault.status == HTTPStatus.SERVICE_UNAVAILABLE:
                raise Later(str(fault), RETRY_SECONDS) from fault
        return Commit()

    def _topic(self, home: Home) -> str | None:
        channels = self._store.documents(home.account, home.region, CHANNEL)
        return next((found.value["snsTopicARN"] for _, found in channels if found.value.get("snsTopicARN")), None)
