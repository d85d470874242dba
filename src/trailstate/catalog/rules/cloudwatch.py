"""Rules over CloudWatch alarms and log groups: what alarms do, how long logs stay, who encrypts them."""

from collections.abc import Mapping
from typing import Any

from trailstate.catalog.reading import is_key, not_held
from trailstate.compliance.form import (
    COMPLIANT,
    MISSING,
    NOT_APPLICABLE,
    Inventory,
    Item,
    Verdict,
    field_at,
    insufficient_data,
    is_true,
    non_compliant,
    require,
    rule,
)

ALARM, LOG_GROUP = "AWS::CloudWatch::Alarm", "AWS::Logs::LogGroup"

require("CLOUDWATCH_ALARM_ACTION_ENABLED_CHECK", ALARM, "configuration.actionsEnabled", is_true)


@rule("CLOUDWATCH_ALARM_ACTION_CHECK", ALARM)
def cloudwatch_alarm_action_check(
    item: Item,
    _inventory: Inventory,
    *,
    alarmActionRequired: str,
    insufficientDataActionRequired: str,
    okActionRequired: str,
    action1: str | None = None,
    action2: str | None = None,
    action3: str | None = None,
    action4: str | None = None,
    action5: str | None = None,
) -> Verdict:
    """The alarm acts on each of the states that must have an action, and by one of the actions if any are named."""
    demanded = {
        "alarmActions": alarmActionRequired,
        "insufficientDataActions": insufficientDataActionRequired,
        "okactions": okActionRequired,
    }
    held = {name: item["configuration"].get(name) or [] for name in demanded}
    lacking = [name for name, asked in demanded.items() if asked.lower() == "true" and not held[name]]
    if lacking:
        return non_compliant(f"The alarm has no {' and no '.join(lacking)}.")
    named = {action for action in (action1, action2, action3, action4, action5) if action}
    found = {action for actions in held.values() for action in actions}
    if named and not named & found:
        return non_compliant("The alarm has none of the actions that are named.")
    return COMPLIANT


@rule("CLOUDWATCH_ALARM_SETTINGS_CHECK", ALARM)
def cloudwatch_alarm_settings_check(
    item: Item,
    _inventory: Inventory,
    *,
    metricName: str,
    threshold: int | None = None,
    evaluationPeriods: int | None = None,
    period: int = 300,
    comparisonOperator: str | None = None,
    statistic: str | None = None,
) -> Verdict:
    """An alarm on the metric is set as the parameters say. Alarms on other metrics are not judged."""
    if item["configuration"].get("metricName") != metricName:
        return NOT_APPLICABLE
    asked = {
        "threshold": threshold,
        "evaluationPeriods": evaluationPeriods,
        "period": period,
        "comparisonOperator": comparisonOperator,
        "statistic": statistic,
    }
    return _as_asked(item["configuration"], {name: value for name, value in asked.items() if value is not None})


def _as_asked(alarm: Mapping[str, Any], asked: Mapping[str, Any]) -> Verdict:
    for name, value in asked.items():
        if alarm.get(name) is None:
            return not_held(f"configuration.{name}")
        if alarm[name] != value:
            return non_compliant(f"'{name}' is '{alarm[name]}'; expected '{value}'.")
    return COMPLIANT


def _of_group(item: Item, *names: str) -> Any:
    """A field of a log group in either of the spellings in which its item may come."""
    found = (field_at(item, f"configuration.{name}") for name in names)
    return next((value for value in found if value is not MISSING), MISSING)


@rule("CLOUDWATCH_LOG_GROUP_ENCRYPTED", LOG_GROUP)
def cloudwatch_log_group_encrypted(item: Item, _inventory: Inventory, *, KmsKeyId: str | None = None) -> Verdict:
    """The log group is encrypted with a KMS key, with the one that is named if one is."""
    key = _of_group(item, "KmsKeyId", "kmsKeyId")
    if key is MISSING:
        return non_compliant("The log group is encrypted with no KMS key.")
    if KmsKeyId and not is_key(key, (KmsKeyId,)):
        return non_compliant(f"The log group is encrypted with '{key}'; expected '{KmsKeyId}'.")
    return COMPLIANT


@rule("CW_LOGGROUP_RETENTION_PERIOD_CHECK", LOG_GROUP)
def cw_loggroup_retention_period_check(
    item: Item,
    _inventory: Inventory,
    *,
    LogGroupNames: tuple[str, ...] | None = None,
    MinRetentionTime: int | None = None,
) -> Verdict:
    """Logs stay for at least so many days, 365 when no number is given; without a limit they stay for ever."""
    name = _of_group(item, "LogGroupName", "logGroupName")
    if name is MISSING:
        return insufficient_data("The configuration item does not name the log group.")
    if LogGroupNames and name not in LogGroupNames:
        return NOT_APPLICABLE
    days, least = _of_group(item, "RetentionInDays", "retentionInDays"), MinRetentionTime or 365
    if days is MISSING or days >= least:
        return COMPLIANT
    return non_compliant(f"Logs stay for {days} days; expected at least {least}.")
