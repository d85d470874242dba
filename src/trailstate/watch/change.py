"""An alarm's change of state: its new document, its history, and the actions that follow, to be committed together.

CloudWatch user guide, "Notifying users on alarm changes" (the message of a topic), "Alarm events and EventBridge",
"Alarm actions: Lambda" (the input of a function). Each change's rows have ids of their own, so nothing acts twice.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from trailstate.stores.interface import OutboxRow, ShelfKey
from trailstate.watch.alarm import ALARM, INSUFFICIENT, OK, milliseconds_stamp, queries_of, statistic_of, watched
from trailstate.watch.queries import Query

ALARMS = "cloudwatch.alarm"
HISTORY = "cloudwatch.alarm_history"
QUEUE = "alarm/"
METRIC_ALARM = "MetricAlarm"
COMPOSITE_ALARM = "CompositeAlarm"

HISTORY_ITEMS_MAX = 100
"""Kept of each alarm, the newest."""

ACTIONS = {OK: "OKActions", ALARM: "AlarmActions", INSUFFICIENT: "InsufficientDataActions"}
REGION_NAMES = {
    "us-east-1": "US East (N. Virginia)",
    "us-east-2": "US East (Ohio)",
    "us-west-1": "US West (N. California)",
    "us-west-2": "US West (Oregon)",
    "ca-central-1": "Canada (Central)",
    "sa-east-1": "South America (Sao Paulo)",
    "eu-west-1": "EU (Ireland)",
    "eu-west-2": "EU (London)",
    "eu-west-3": "EU (Paris)",
    "eu-central-1": "EU (Frankfurt)",
    "eu-north-1": "EU (Stockholm)",
    "eu-south-1": "EU (Milan)",
    "ap-south-1": "Asia Pacific (Mumbai)",
    "ap-southeast-1": "Asia Pacific (Singapore)",
    "ap-southeast-2": "Asia Pacific (Sydney)",
    "ap-northeast-1": "Asia Pacific (Tokyo)",
    "ap-northeast-2": "Asia Pacific (Seoul)",
    "ap-northeast-3": "Asia Pacific (Osaka)",
    "ap-east-1": "Asia Pacific (Hong Kong)",
    "me-south-1": "Middle East (Bahrain)",
    "af-south-1": "Africa (Cape Town)",
}

STATISTIC_WORDS = {"SampleCount": "SAMPLE_COUNT"}

Document = dict[str, Any]

_encode = msgspec.json.Encoder().encode


class Action(msgspec.Struct):
    """One effect of a change: what is called on whose account. `arn` is empty for the event on the bus."""

    account: str
    region: str
    alarm: str
    arn: str
    subject: str
    content: dict[str, Any]


def stamp(moment: datetime) -> str:
    """A time as it stands in documents."""
    return moment.isoformat()


def alarm_key(account: str, region: str, name: str) -> ShelfKey:
    return ShelfKey(account, region, ALARMS, name)


def history_key(account: str, region: str, name: str) -> ShelfKey:
    return ShelfKey(account, region, HISTORY, name)


def with_history(history: Mapping[str, Any] | None, item: Mapping[str, Any]) -> Document:
    """The history and a new item, without the oldest beyond the bound."""
    return {"items": [*(history or {}).get("items", ()), dict(item)][-HISTORY_ITEMS_MAX:]}


def history_item(
    document: Mapping[str, Any], kind: str, summary: str, data: Mapping[str, Any], now: datetime
) -> Document:
    """An entry of the alarm's history."""
    return {
        "AlarmName": document["AlarmName"],
        "AlarmType": document["Type"],
        "Timestamp": stamp(now),
        "HistoryItemType": kind,
        "HistorySummary": summary,
        "HistoryData": _encode(data).decode(),
    }


def moved(
    document: Mapping[str, Any], state: str, reason: str, data: Mapping[str, Any] | None, now: datetime
) -> tuple[Document, Document]:
    """The alarm in its new state, and the item of its history."""
    after = dict(document) | {
        "StateValue": state,
        "StateReason": reason,
        "StateUpdatedTimestamp": stamp(now),
        "StateTransitionedTimestamp": stamp(now),
    }
    after.pop("StateReasonData", None)
    if data is not None:
        after["StateReasonData"] = _encode(data).decode()
    before = document["StateValue"]
    told = {
        "version": "1.0",
        "oldState": {"stateValue": before, "stateReason": document["StateReason"]},
        "newState": {"stateValue": state, "stateReason": reason} | ({"stateReasonData": data} if data else {}),
    }
    return after, history_item(document, "StateUpdate", f"Alarm updated from {before} to {state}", told, now)


def rows(before: Mapping[str, Any], after: Mapping[str, Any], account: str, region: str) -> list[OutboxRow]:
    """What follows from a change: an event always, the state's actions if they are enabled."""
    name, moment = after["AlarmName"], after["StateUpdatedTimestamp"]
    actions = [Action(account, region, name, "", "", event_detail(before, after))]
    if after.get("ActionsEnabled", True):
        actions += [_action(arn, before, after, account, region) for arn in after.get(ACTIONS[after["StateValue"]], ())]
    base = f"{QUEUE}{account}/{region}/{name}"
    return [
        OutboxRow(f"{base}/{number}", f"{base}/{number}/{moment}/{after['StateValue']}", _encode(action))
        for number, action in enumerate(actions)
    ]


def _action(arn: str, before: Mapping[str, Any], after: Mapping[str, Any], account: str, region: str) -> Action:
    subject = f'{after["StateValue"]}: "{after["AlarmName"]}" in {REGION_NAMES.get(region, region)}'
    content = (
        function_input(before, after, account, region) if ":lambda:" in arn else message(before, after, account, region)
    )
    return Action(account, region, after["AlarmName"], arn, subject, content)


def message(before: Mapping[str, Any], after: Mapping[str, Any], account: str, region: str) -> Document:
    """What a topic is told."""
    told = {
        "AlarmName": after["AlarmName"],
        "AlarmDescription": after.get("AlarmDescription"),
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": _moment(after["AlarmConfigurationUpdatedTimestamp"]),
        "NewStateValue": after["StateValue"],
        "NewStateReason": after["StateReason"],
        "StateChangeTime": _moment(after["StateUpdatedTimestamp"]),
        "Region": REGION_NAMES.get(region, region),
        "AlarmArn": after["AlarmArn"],
        "OldStateValue": before["StateValue"],
        "OKActions": after.get("OKActions", []),
        "AlarmActions": after.get("AlarmActions", []),
        "InsufficientDataActions": after.get("InsufficientDataActions", []),
    }
    if after["Type"] == COMPOSITE_ALARM:
        return told | {"AlarmRule": after["AlarmRule"]}
    return told | {"Trigger": _trigger(after)}


def _trigger(document: Mapping[str, Any]) -> Document:
    """What is watched, and how it is judged."""
    return {
        **(_one_metric(document) if "Metrics" not in document else _several(document)),
        "EvaluationPeriods": document["EvaluationPeriods"],
        **({"DatapointsToAlarm": document["DatapointsToAlarm"]} if "DatapointsToAlarm" in document else {}),
        "ComparisonOperator": document["ComparisonOperator"],
        "Threshold": document["Threshold"],
        "TreatMissingData": document.get("TreatMissingData", "missing"),
        "EvaluateLowSampleCountPercentile": document.get("EvaluateLowSampleCountPercentile", ""),
    }


def _several(document: Mapping[str, Any]) -> Document:
    """The queries of an alarm on an expression, dimensions written as messages write them."""

    def told(query: Mapping[str, Any]) -> Document:
        stat = query.get("MetricStat")
        rest = {name: value for name, value in query.items() if name != "MetricStat"} | {
            "ReturnData": query.get("ReturnData") is not False
        }
        if stat is None:
            return rest
        metric = stat["Metric"]
        dimensions = [{"value": each["Value"], "name": each["Name"]} for each in metric.get("Dimensions") or ()]
        return rest | {"MetricStat": {**stat, "Metric": {**metric, "Dimensions": dimensions}}}

    return {"Period": watched(queries_of("", "", document)).period, "Metrics": [told(e) for e in document["Metrics"]]}


def _one_metric(document: Mapping[str, Any]) -> Document:
    name = statistic_of(document)
    kind = (
        {"StatisticType": "Statistic", "Statistic": STATISTIC_WORDS.get(name, name.upper())}
        if document.get("Statistic")
        else {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": name}
    )
    return {
        "MetricName": document["MetricName"],
        "Namespace": document["Namespace"],
        **kind,
        "Unit": document.get("Unit"),
        "Dimensions": [{"value": each["Value"], "name": each["Name"]} for each in document.get("Dimensions", ())],
        "Period": document["Period"],
    }


def _moment(text: str) -> str:
    return milliseconds_stamp(datetime.fromisoformat(text))


def _state(document: Mapping[str, Any]) -> Document:
    told = {
        "value": document["StateValue"],
        "reason": document["StateReason"],
        "timestamp": _moment(document["StateUpdatedTimestamp"]),
    }
    return told | ({"reasonData": document["StateReasonData"]} if document.get("StateReasonData") else {})


def _configuration(document: Mapping[str, Any]) -> Document:
    described = {"description": document["AlarmDescription"]} if document.get("AlarmDescription") else {}
    if document["Type"] == COMPOSITE_ALARM:
        return described | {"alarmRule": document["AlarmRule"]}
    expressions = {each["Id"]: each["Expression"] for each in document.get("Metrics", ()) if each.get("Expression")}
    queries = queries_of("", "", document).values()
    return described | {"metrics": [_query(each, expressions.get(each.id)) for each in queries]}


def _query(query: Query, expression: str | None) -> Document:
    told: Document = {"id": query.id, "returnData": query.returns}
    if query.metric is None:
        return told | {"expression": expression, "label": query.label}
    metric = {
        "namespace": query.metric.namespace,
        "name": query.metric.name,
        "dimensions": dict(query.metric.dimensions),
    }
    return told | {"metricStat": {"metric": metric, "period": query.period, "stat": query.statistic}}


def event_detail(before: Mapping[str, Any], after: Mapping[str, Any]) -> Document:
    """The detail of "CloudWatch Alarm State Change"."""
    return {
        "alarmName": after["AlarmName"],
        "state": _state(after),
        "previousState": _state(before),
        "configuration": _configuration(after),
    }


def function_input(before: Mapping[str, Any], after: Mapping[str, Any], account: str, region: str) -> Document:
    """What a function is called with."""
    return {
        "source": "aws.cloudwatch",
        "alarmArn": after["AlarmArn"],
        "accountId": account,
        "time": _moment(after["StateUpdatedTimestamp"]),
        "region": region,
        "alarmData": {
            "alarmName": after["AlarmName"],
            "state": _state(after),
            "previousState": _state(before),
            "configuration": _configuration(after),
        },
    }
