"""DescribeAlarms, DescribeAlarmsForMetric, DescribeAlarmHistory."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from trailstate.services.cloudwatch.data import dimensions, fault
from trailstate.services.cloudwatch.state import existing
from trailstate.services.operation import operation
from trailstate.services.paging import page
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.watch import change
from trailstate.watch.composite import read_rule
from trailstate.wire.call import Call
from trailstate.wire.fault import Fault

RECORDS_MAX = 100
TIMES = ("AlarmConfigurationUpdatedTimestamp", "StateUpdatedTimestamp", "StateTransitionedTimestamp")
HIDDEN = ("Tags", "Type")

Members = Mapping[str, Any]


@operation("cloudwatch")
def describe_alarms(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    AlarmNames: Sequence[str] | None = None,
    AlarmNamePrefix: str | None = None,
    AlarmTypes: Sequence[str] | None = None,
    ChildrenOfAlarmName: str | None = None,
    ParentsOfAlarmName: str | None = None,
    StateValue: str | None = None,
    ActionPrefix: str | None = None,
    MaxRecords: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """Alarms by name; metric alarms alone unless types are named."""
    if AlarmNames and AlarmNamePrefix:
        raise fault.InvalidParameterCombinationException("AlarmNames and AlarmNamePrefix are mutually exclusive.")
    types = AlarmTypes or (change.METRIC_ALARM,)
    family = _family(call, shelf, ChildrenOfAlarmName, ParentsOfAlarmName)
    found = [
        value
        for value in _alarms(call, shelf)
        if (value["Type"] in types if family is None else value["AlarmName"] in family)
        and (not AlarmNames or value["AlarmName"] in AlarmNames)
        and value["AlarmName"].startswith(AlarmNamePrefix or "")
        and StateValue in (None, value["StateValue"])
        and _acts(value, ActionPrefix)
    ]
    question = [call.account, call.region, AlarmNames, AlarmNamePrefix, AlarmTypes, StateValue, ActionPrefix]
    shown, following = page(
        tokens, question, found, limit=MaxRecords or RECORDS_MAX, token=NextToken, refuse=_bad_token
    )
    answer: dict[str, Any] = {
        "MetricAlarms": [described(each) for each in shown if each["Type"] == change.METRIC_ALARM],
        "CompositeAlarms": [described(each) for each in shown if each["Type"] == change.COMPOSITE_ALARM],
    }
    return answer if following is None else answer | {"NextToken": following}


def _bad_token(message: str) -> Fault:
    return fault.InvalidNextToken(message)


def _alarms(call: Call, shelf: StagedShelf) -> Iterator[dict[str, Any]]:
    return (value for _, value in shelf.documents(call.account, call.region, change.ALARMS))


def _family(call: Call, shelf: StagedShelf, parent: str | None, child: str | None) -> frozenset[str] | None:
    """The alarms that one looks at, or that look at one; None when neither is asked for."""
    if parent is not None:
        document = existing(call, shelf, parent)
        return frozenset(read_rule(document["AlarmRule"])[1] if "AlarmRule" in document else ())
    if child is not None:
        composites = (value for value in _alarms(call, shelf) if value["Type"] == change.COMPOSITE_ALARM)
        return frozenset(each["AlarmName"] for each in composites if child in read_rule(each["AlarmRule"])[1])
    return None


def _acts(value: Members, prefix: str | None) -> bool:
    return prefix is None or any(
        action.startswith(prefix) for name in change.ACTIONS.values() for action in value.get(name, ())
    )


def described(value: Members) -> dict[str, Any]:
    """An alarm as the API tells it."""
    told = {name: each for name, each in value.items() if name not in HIDDEN}
    return told | {name: datetime.fromisoformat(value[name]) for name in TIMES}


@operation("cloudwatch")
def describe_alarms_for_metric(
    call: Call,
    shelf: StagedShelf,
    *,
    MetricName: str,
    Namespace: str,
    Statistic: str | None = None,
    ExtendedStatistic: str | None = None,
    Dimensions: Sequence[Members] | None = None,
    Period: int | None = None,
    Unit: str | None = None,
) -> dict[str, Any]:
    """The metric alarms that watch exactly this metric."""
    wanted = dimensions(Dimensions)
    asked = {"Statistic": Statistic, "ExtendedStatistic": ExtendedStatistic, "Period": Period, "Unit": Unit}
    found = [
        described(value)
        for value in _alarms(call, shelf)
        if (value.get("Namespace"), value.get("MetricName")) == (Namespace, MetricName)
        and dimensions(value.get("Dimensions")) == wanted
        and all(given is None or value.get(name) == given for name, given in asked.items())
    ]
    return {"MetricAlarms": found}


@operation("cloudwatch")
def describe_alarm_history(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    AlarmName: str | None = None,
    AlarmContributorId: str | None = None,
    AlarmTypes: Sequence[str] | None = None,
    HistoryItemType: str | None = None,
    StartDate: datetime | None = None,
    EndDate: datetime | None = None,
    MaxRecords: int | None = None,
    NextToken: str | None = None,
    ScanBy: str | None = None,
) -> dict[str, Any]:
    """What became of alarms, those deleted included, newest first unless asked otherwise."""
    documents = shelf.documents(call.account, call.region, change.HISTORY)
    items = [_item(each) for key, value in documents if AlarmName in (None, key.name) for each in value["items"]]
    found = [
        each
        for each in items
        if (not AlarmTypes or each["AlarmType"] in AlarmTypes)
        and HistoryItemType in (None, each["HistoryItemType"])
        and (StartDate is None or each["Timestamp"] >= StartDate)
        and (EndDate is None or each["Timestamp"] <= EndDate)
    ]
    is_ascending = ScanBy == "TimestampAscending"
    ordered = sorted(found, key=lambda each: each["Timestamp"])
    question = [call.account, call.region, AlarmName, AlarmTypes, HistoryItemType, str(StartDate), str(EndDate), ScanBy]
    shown, following = page(
        tokens,
        question,
        ordered if is_ascending else ordered[::-1],
        limit=MaxRecords or RECORDS_MAX,
        token=NextToken,
        refuse=_bad_token,
    )
    answer: dict[str, Any] = {"AlarmHistoryItems": list(shown)}
    return answer if following is None else answer | {"NextToken": following}


def _item(stored: Members) -> dict[str, Any]:
    return dict(stored) | {"Timestamp": datetime.fromisoformat(stored["Timestamp"])}
