"""PutMetricAlarm and PutCompositeAlarm: what an alarm watches, how it judges, and what it does."""

from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.services.cloudwatch.data import dimensions, fault, hold_statistic
from trailstate.services.cloudwatch.query import hold_queries, hold_work
from trailstate.services.cloudwatch.tags import hold_tags
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.watch import change
from trailstate.watch.action import KINDS
from trailstate.watch.alarm import INSUFFICIENT
from trailstate.watch.composite import MalformedRule, read_rule
from trailstate.watch.queries import BadQueries, computed
from trailstate.wire.call import Call
from trailstate.wire.spelling import NOT_SUPPORTED

PERIODS = (10, 20, 30)
WINDOW_SECONDS_MAX = 7 * 86_400
ACTIONS_MAX = 5
WORK_MAX = 1_000_000
"""Steps of metric math at each evaluation of an alarm: some hundredths of a second."""
TREATMENTS = ("breaching", "notBreaching", "ignore", "missing")
UNCHECKED = "Unchecked: Initial alarm creation"

AS_GIVEN = ("DatapointsToAlarm", "EvaluateLowSampleCountPercentile", "EvaluationPeriods", "Threshold")
"""Members of calls that are kept as they are."""
OF_ONE_METRIC = ("Dimensions", "ExtendedStatistic", "MetricName", "Namespace", "Period", "Statistic", "Unit")
"""Members of an alarm on one metric, in place of `Metrics`."""
UNSUPPORTED = (
    "ActionConfiguration",
    "EvaluationCriteria",
    "EvaluationInterval",
    "EvaluationWindow",
    "ThresholdMetricId",
    "WarmUpConfiguration",
)

Members = Mapping[str, Any]


@operation("cloudwatch")
def put_metric_alarm(
    call: Call,
    shelf: StagedShelf,
    *,
    AlarmName: str,
    AlarmDescription: str | None = None,
    ActionsEnabled: bool | None = None,
    OKActions: Sequence[str] | None = None,
    AlarmActions: Sequence[str] | None = None,
    InsufficientDataActions: Sequence[str] | None = None,
    MetricName: str | None = None,
    Namespace: str | None = None,
    Statistic: str | None = None,
    ExtendedStatistic: str | None = None,
    Dimensions: Sequence[Members] | None = None,
    Period: int | None = None,
    Unit: str | None = None,
    EvaluationPeriods: int | None = None,
    DatapointsToAlarm: int | None = None,
    Threshold: float | None = None,
    ComparisonOperator: str | None = None,
    TreatMissingData: str | None = None,
    EvaluateLowSampleCountPercentile: str | None = None,
    Metrics: Sequence[Members] | None = None,
    Tags: Sequence[Members] | None = None,
    ThresholdMetricId: str | None = None,
    EvaluationWindow: Members | None = None,
    WarmUpConfiguration: Members | None = None,
    EvaluationCriteria: Members | None = None,
    EvaluationInterval: int | None = None,
    ActionConfiguration: Members | None = None,
) -> dict[str, Any]:
    """Make the alarm, or give it new settings; its state stays until it is evaluated."""
    _hold_known(call, *UNSUPPORTED)
    _required("Threshold", Threshold)
    watched, period = _queries(call, Metrics) if Metrics else _metric(call, Statistic, ExtendedStatistic)
    _hold_window(period, _required("EvaluationPeriods", EvaluationPeriods), DatapointsToAlarm)
    given = {
        **{name: call.parameters.get(name) for name in AS_GIVEN},
        **watched,
        "ComparisonOperator": _comparison(ComparisonOperator),
        "TreatMissingData": _treatment(TreatMissingData),
        **_acting(call),
    }
    _put(call, shelf, AlarmName, change.METRIC_ALARM, given, Tags)
    return {}


def _required(name: str, value: Any) -> Any:
    if value is None:
        raise fault.MissingRequiredParameterException(f"The parameter {name} is required.")
    return value


def _hold_known(call: Call, *names: str) -> None:
    for name in names:
        if call.parameters.get(name):
            raise fault.InvalidParameterValueException(f"The parameter {name} {NOT_SUPPORTED}")


def _metric(call: Call, plain: str | None, extended: str | None) -> tuple[dict[str, Any], int]:
    """One metric, and the period of its statistic."""
    given = call.parameters
    for name in ("MetricName", "Namespace", "Period"):
        _required(name, given.get(name))
    if (plain is None) == (extended is None):
        raise fault.InvalidParameterCombinationException(
            "Exactly one of Statistic and ExtendedStatistic must be given."
        )
    hold_statistic(plain or extended or "")
    named = [{"Name": name, "Value": value} for name, value in dimensions(given.get("Dimensions"))]
    return {name: given.get(name) for name in OF_ONE_METRIC} | {"Dimensions": named}, given["Period"]


def _queries(call: Call, given: Sequence[Members]) -> tuple[dict[str, Any], int]:
    """Several metrics and an expression, or one metric as a query; and the period of what is watched."""
    beside = [name for name in OF_ONE_METRIC if call.parameters.get(name)]
    if beside:
        raise fault.ValidationException(f"Metrics cannot be specified together with {', '.join(beside)}.")
    queries = hold_queries(call, given)
    count = int(call.parameters.get("EvaluationPeriods") or 0)
    hold_work(queries, lambda _: count, WORK_MAX)
    told = [each for each in queries.values() if each.returns]
    if len(told) != 1:
        raise fault.ValidationException("Exactly one element of the metrics list should return data.")
    try:
        computed(queries, lambda _: {}, lambda period: range(0, period, period))
    except BadQueries as error:
        raise fault.ValidationException(str(error)) from error
    return {"Metrics": [dict(each) for each in given]}, told[0].period


def _hold_window(period: int, count: int, needed: int | None) -> None:
    if period not in PERIODS and (period < 60 or period % 60):
        raise fault.InvalidParameterValueException(f"Period must be 10, 20, 30 or a multiple of 60; found {period}.")
    if count < 1 or period * count > WINDOW_SECONDS_MAX:
        raise fault.InvalidParameterValueException(
            "Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= 604800)."
        )
    if needed is not None and not 1 <= needed <= count:
        raise fault.InvalidParameterCombinationException(
            f"DatapointsToAlarm must be between 1 and EvaluationPeriods ({count}); found {needed}."
        )


def _comparison(given: str | None) -> str:
    wanted = str(_required("ComparisonOperator", given))
    if not wanted.endswith("Threshold") or "Upper" in wanted or "Lower" in wanted:
        raise fault.InvalidParameterValueException(f"The comparison {wanted} {NOT_SUPPORTED}")
    return wanted


def _treatment(given: str | None) -> str | None:
    if given is not None and given not in TREATMENTS:
        raise fault.InvalidParameterValueException(
            f"Value '{given[:64]}' at 'treatMissingData' must be one of {', '.join(TREATMENTS)}."
        )
    return given


def _acting(call: Call) -> dict[str, Any]:
    """What metric and composite alarms have in common."""
    actions = {name: list(call.parameters.get(name) or ()) for name in change.ACTIONS.values()}
    for name, given in actions.items():
        _hold_actions(name, given)
    return {
        "AlarmDescription": call.parameters.get("AlarmDescription"),
        "ActionsEnabled": call.parameters.get("ActionsEnabled") is not False,
        **actions,
    }


def _hold_actions(name: str, given: Sequence[str]) -> None:
    if len(given) > ACTIONS_MAX:
        raise fault.InvalidParameterValueException(f"{name} holds at most {ACTIONS_MAX} actions; found {len(given)}.")
    for arn in given:
        parts = arn.split(":", 5)
        if len(parts) < 6 or parts[0] != "arn":
            raise fault.InvalidParameterValueException(f"Invalid arn syntax: {arn[:256]}")
        is_automation = parts[2] != "ssm" or parts[5].startswith("automation-definition/")
        if parts[2] not in KINDS or not is_automation:
            raise fault.InvalidParameterValueException(f"The action {arn[:256]} {NOT_SUPPORTED}")


@operation("cloudwatch")
def put_composite_alarm(
    call: Call,
    shelf: StagedShelf,
    *,
    AlarmName: str,
    AlarmRule: str,
    ActionsEnabled: bool | None = None,
    AlarmActions: Sequence[str] | None = None,
    AlarmDescription: str | None = None,
    InsufficientDataActions: Sequence[str] | None = None,
    OKActions: Sequence[str] | None = None,
    Tags: Sequence[Members] | None = None,
    ActionsSuppressor: str | None = None,
    ActionsSuppressorWaitPeriod: int | None = None,
    ActionsSuppressorExtensionPeriod: int | None = None,
    ActionConfiguration: Members | None = None,
) -> dict[str, Any]:
    """An alarm about other alarms, which must be there."""
    _hold_known(call, "ActionsSuppressor", "ActionConfiguration")
    try:
        _, names = read_rule(AlarmRule)
    except MalformedRule as malformed:
        raise fault.ValidationException(f"AlarmRule is invalid: {malformed}") from None
    for name in names:
        if name == AlarmName or shelf.get(change.alarm_key(call.account, call.region, name)) is None:
            raise fault.ValidationException(
                f"Could not save the composite alarm as alarms [{name}] in the alarm rule do not exist"
            )
    _put(call, shelf, AlarmName, change.COMPOSITE_ALARM, _acting(call) | {"AlarmRule": AlarmRule}, Tags)
    return {}


def _put(call: Call, shelf: StagedShelf, name: str, kind: str, given: Members, tags: Sequence[Members] | None) -> None:
    key = change.alarm_key(call.account, call.region, name)
    before = shelf.get(key)
    if before is not None and before["Type"] != kind:
        raise fault.ValidationException(f"An alarm of another type is named '{name}'.")
    now = change.stamp(call.now)
    state = {
        "StateValue": INSUFFICIENT,
        "StateReason": UNCHECKED,
        "StateUpdatedTimestamp": now,
        "StateTransitionedTimestamp": now,
        "Tags": hold_tags({}, tags or ()),
    }
    if before is not None:
        state = {name: before[name] for name in (*state, "StateReasonData") if name in before}
    document = {
        "AlarmName": name,
        "AlarmArn": f"arn:aws:cloudwatch:{call.region}:{call.account}:alarm:{name}",
        "Type": kind,
        "AlarmConfigurationUpdatedTimestamp": now,
        **{name: value for name, value in given.items() if value is not None},
        **state,
    }
    shelf.put(key, document)
    told = {"version": "1.0", "type": "Create" if before is None else "Update"}
    note(
        call,
        shelf,
        document,
        "ConfigurationUpdate",
        f'Alarm "{name}" {"created" if before is None else "updated"}',
        told,
    )


def note(call: Call, shelf: StagedShelf, document: Members, kind: str, summary: str, data: Members) -> None:
    """Add to the alarm's history."""
    key = change.history_key(call.account, call.region, document["AlarmName"])
    shelf.put(key, change.with_history(shelf.get(key), change.history_item(document, kind, summary, data, call.now)))
