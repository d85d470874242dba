"""aws:branch, aws:sleep, aws:pause, aws:approve: where an execution goes on, and when.

https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-branch.html
https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-approve.html
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from trailstate.remediation.action import Done, Outcome, StepFailed, StepRun, Waiting, action

DURATION = re.compile(r"P(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,9})S)?)?")
SLEEP_SECONDS_MAX = 7 * 24 * 3600
WEEK_SECONDS = 7 * 24 * 3600
CONDITIONS_DEPTH_MAX = 8

Test = Callable[[Any, Any], bool]


def _numbers(compare: Callable[[float, float], bool]) -> Test:
    return lambda found, wanted: compare(float(found), float(wanted))


OPERATORS: Mapping[str, Test] = {
    "StringEquals": lambda found, wanted: str(found) == str(wanted),
    "EqualsIgnoreCase": lambda found, wanted: str(found).lower() == str(wanted).lower(),
    "StartsWith": lambda found, wanted: str(found).startswith(str(wanted)),
    "EndsWith": lambda found, wanted: str(found).endswith(str(wanted)),
    "Contains": lambda found, wanted: str(wanted) in found if isinstance(found, list) else str(wanted) in str(found),
    "NumericEquals": _numbers(lambda found, wanted: found == wanted),
    "NumericGreater": _numbers(lambda found, wanted: found > wanted),
    "NumericLesser": _numbers(lambda found, wanted: found < wanted),
    "NumericGreaterOrEquals": _numbers(lambda found, wanted: found >= wanted),
    "NumericLesserOrEquals": _numbers(lambda found, wanted: found <= wanted),
    "BooleanEquals": lambda found, wanted: str(found).lower() == str(wanted).lower(),
}


@action("aws:branch")
def branch(_: StepRun, *, Choices: Sequence[Mapping[str, Any]], Default: str | None = None) -> Outcome:
    """Go on at the first choice that holds, else at the default, else at the next step."""
    for choice in Choices:
        if holds(choice):
            return Done(next_step=str(choice["NextStep"]))
    return Done(next_step=Default)


def holds(condition: Mapping[str, Any], depth: int = 1) -> bool:
    """Whether one condition holds: an operator on a variable, or And, Or, Not of conditions."""
    if depth > CONDITIONS_DEPTH_MAX:
        raise StepFailed(f"conditions are nested deeper than {CONDITIONS_DEPTH_MAX}", "InvalidInput")
    if "And" in condition:
        return all(holds(each, depth + 1) for each in condition["And"])
    if "Or" in condition:
        return any(holds(each, depth + 1) for each in condition["Or"])
    if "Not" in condition:
        return not holds(condition["Not"], depth + 1)
    named = [name for name in condition if name in OPERATORS]
    if len(named) != 1 or "Variable" not in condition:
        raise StepFailed(f"a condition has a Variable and one of {', '.join(OPERATORS)}", "InvalidInput")
    try:
        return OPERATORS[named[0]](condition["Variable"], condition[named[0]])
    except (ValueError, TypeError) as error:
        raise StepFailed(f"{named[0]} cannot compare {condition['Variable']!r}: {error}", "InvalidInput") from error


@action("aws:sleep", timeout_seconds=SLEEP_SECONDS_MAX + 3600)
def sleep(step: StepRun, *, Duration: str | None = None, Timestamp: str | None = None) -> Outcome:
    """Go on once the duration has passed since the step began, or at the time named."""
    if (Duration is None) == (Timestamp is None):
        raise StepFailed("aws:sleep takes either Duration or Timestamp", "InvalidInput")
    until = step.started + _duration(Duration) if Duration is not None else _moment(str(Timestamp))
    if (until - step.started).total_seconds() > SLEEP_SECONDS_MAX:
        raise StepFailed(f"aws:sleep waits at most {SLEEP_SECONDS_MAX} seconds", "InvalidInput")
    if step.now >= until:
        return Done()
    return Waiting((until - step.now).total_seconds(), {"until": until.isoformat()})


def _duration(text: str) -> timedelta:
    matched = DURATION.fullmatch(text)
    if matched is None or not any(matched.groups()):
        raise StepFailed(f"a duration is written as ISO 8601, such as PT10M; found '{text}'", "InvalidInput")
    days, hours, minutes, seconds = (int(each or 0) for each in matched.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise StepFailed(f"a timestamp is written as ISO 8601; found '{text}'", "InvalidInput") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@action("aws:pause", timeout_seconds=WEEK_SECONDS)
def pause(step: StepRun) -> Outcome:
    """Wait until somebody resumes the execution."""
    if any(signal["SignalType"] == "Resume" for signal in step.signals):
        return Done()
    return Waiting(max(step.seconds_left, 1.0), {}, status="Waiting")


@action("aws:approve", timeout_seconds=WEEK_SECONDS, outputs=("ApprovalStatus",))
def approve(
    step: StepRun,
    *,
    Approvers: Sequence[str],
    NotificationArn: str | None = None,
    Message: str | None = None,
    MinRequiredApprovals: int = 1,
) -> Outcome:
    """Wait until enough of the approvers approve, or one of them rejects. The topic is told when the step begins."""
    decisions = {
        str(each["By"]): each["SignalType"] for each in step.signals if _may_decide(Approvers, str(each["By"]))
    }
    if "Reject" in decisions.values():
        raise StepFailed("the step was rejected", "Rejected")
    if list(decisions.values()).count("Approve") >= int(MinRequiredApprovals):
        return Done({"ApprovalStatus": "Approved"})
    if NotificationArn is not None and not step.memory.get("told"):
        text = f"{Message or 'An automation waits for approval.'}\nExecution: {step.execution}"
        step.hands.call(
            "sns", "Publish", {"TopicArn": NotificationArn, "Message": text, "Subject": "Approval required"}
        )
    return Waiting(max(step.seconds_left, 1.0), {"told": True}, status="Waiting")


def _may_decide(approvers: Sequence[str], who: str) -> bool:
    """Approvers are named by ARN or user name; a session decides for its role."""
    role = re.sub(r":sts:(.*):assumed-role/([^/]+)/.*", r":iam:\1:role/\2", who)
    return any(each in {who, role, who.rpartition("/")[2]} for each in approvers)
