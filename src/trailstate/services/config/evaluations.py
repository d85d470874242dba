"""Evaluations on demand, results that functions and people give, and what became of each rule's evaluations."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from trailstate.compliance.batch import change_of
from trailstate.compliance.configured import STATUS_KIND, ConfiguredRule
from trailstate.compliance.custom import Grant, InvalidResultToken, ResultTokens
from trailstate.compliance.definition import find, forget
from trailstate.compliance.engine import evaluation_row
from trailstate.compliance.line import DROPPED, JUDGED, Line, confirmed
from trailstate.compliance.notice import VerdictListeners, started_row
from trailstate.compliance.results import Results
from trailstate.configuration.recorder import Home
from trailstate.services.config.paged import paged
from trailstate.services.config.rules import asked_rules, existing, no_such_rule
from trailstate.services.operation import operation
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.values.timestamp import from_epoch, moment_text
from trailstate.wire.call import Call
from trailstate.wire.fault import faults
from trailstate.world import World

fault = faults("config")

STARTS_SECONDS = 60
STATUS_TIMES = (
    "LastSuccessfulInvocationTime",
    "LastFailedInvocationTime",
    "LastSuccessfulEvaluationTime",
    "LastFailedEvaluationTime",
    "FirstActivatedTime",
)
STATUS_LIMIT = 50


@operation("config")
def start_config_rules_evaluation(
    call: Call,
    shelf: StagedShelf,
    world: World,
    *,
    ConfigRuleNames: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Evaluate the rules against what is recorded; at most once a minute each."""
    if not ConfigRuleNames:
        raise fault.InvalidParameterValueException("Name at least one rule in ConfigRuleNames.")
    for name in ConfigRuleNames:
        existing(shelf, call, name)
        _note_start(shelf, call, name)
        shelf.send(evaluation_row(world, call.account, call.region, name, {}))
    shelf.send(started_row(world, Home(call.account, call.region), ConfigRuleNames))
    return {}


def _note_start(shelf: StagedShelf, call: Call, name: str) -> None:
    key = ShelfKey(call.account, call.region, STATUS_KIND, name)
    status = shelf.get(key) or {}
    moment = call.now.timestamp()
    if moment - status.get("started", float("-inf")) < STARTS_SECONDS:
        raise fault.LimitExceededException(
            f"An evaluation of the rule '{name}' was started less than {STARTS_SECONDS} seconds ago."
        )
    shelf.put(key, status | {"started": moment})


@operation("config")
def delete_evaluation_results(call: Call, shelf: StagedShelf, *, ConfigRuleName: str) -> dict[str, Any]:
    existing(shelf, call, ConfigRuleName)
    forget(shelf, call, ConfigRuleName, account=call.account)
    return {}


@operation("config")
def describe_config_rule_evaluation_status(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    ConfigRuleNames: Sequence[str] | None = None,
    NextToken: str | None = None,
    Limit: int | None = None,
) -> dict[str, Any]:
    """When each rule was asked and evaluated last, and the error if that failed."""
    documents = asked_rules(shelf, call, ConfigRuleNames)
    return paged(
        call,
        tokens,
        "ConfigRulesEvaluationStatus",
        documents,
        limit=Limit or STATUS_LIMIT,
        token=NextToken,
        shape=lambda each: _status(shelf, call, each["ConfigRule"]),
    )


def _status(shelf: StagedShelf, call: Call, rule: Mapping[str, Any]) -> dict[str, Any]:
    kept = shelf.get(ShelfKey(call.account, call.region, STATUS_KIND, rule["ConfigRuleName"])) or {}
    times = {name: from_epoch(int(kept[name])) for name in STATUS_TIMES if name in kept}
    errors = {name: kept[name] for name in ("LastErrorCode", "LastErrorMessage") if name in kept}
    identity = {name: rule[name] for name in ("ConfigRuleName", "ConfigRuleArn", "ConfigRuleId")}
    return identity | times | errors | {"FirstEvaluationStarted": kept.get("FirstEvaluationStarted", False)}


@operation("config")
def put_evaluations(
    _call: Call,
    shelf: StagedShelf,
    results: Results,
    listeners: VerdictListeners,
    tokens: ResultTokens,
    *,
    ResultToken: str,
    Evaluations: Sequence[Mapping[str, Any]] | None = None,
    TestMode: bool | None = None,
) -> dict[str, Any]:
    """A function's verdicts. The token says of which rule; a test run changes nothing and needs no token of ours."""
    if TestMode:
        return {"FailedEvaluations": []}
    grant = _grant(tokens, ResultToken)
    found = find(shelf, grant.account, grant.region, grant.rule)
    if found is None or found["ConfigRule"]["ConfigRuleId"] != grant.rule_id:
        raise no_such_rule(grant.rule)
    rule = ConfiguredRule.of(ShelfKey(grant.account, grant.region, "config.rule", grant.rule), found)
    for each in Evaluations or ():
        give(shelf, results, listeners, rule, each, invoked=grant.invoked)
    return {"FailedEvaluations": []}


def _grant(tokens: ResultTokens, token: str) -> Grant:
    try:
        return tokens.open(token)
    except InvalidResultToken as error:
        raise fault.InvalidResultTokenException("The specified ResultToken is invalid.") from error


def give(
    shelf: StagedShelf,
    results: Results,
    listeners: VerdictListeners,
    rule: ConfiguredRule,
    evaluation: Mapping[str, Any],
    *,
    invoked: str,
) -> None:
    """Take a verdict that came from outside. NOT_APPLICABLE means that there is none; an older one changes nothing."""
    kind, name = evaluation["ComplianceResourceType"], evaluation["ComplianceResourceId"]
    compliance, moment = evaluation["ComplianceType"], _ordering(evaluation["OrderingTimestamp"])
    previous = results.one(rule.account, rule.region, rule.name, kind, name)
    before = previous.compliance if previous else "NOT_APPLICABLE"
    annotation = evaluation.get("Annotation") or ""
    if previous is not None and moment < previous.time:
        return
    if (before, previous.annotation if previous else "") == (compliance, annotation):
        if previous is not None:
            for line in confirmed(rule.name, [(kind, name, moment)], time="", invoked=invoked):
                shelf.append(line.append(rule.account, rule.region))
        return
    line = Line(
        kind=DROPPED if compliance == "NOT_APPLICABLE" else JUDGED,
        rule=rule.name,
        time=moment,
        resource_type=kind,
        resource_id=name,
        compliance="" if compliance == "NOT_APPLICABLE" else compliance,
        annotation=annotation,
        previous=previous.compliance if previous else "",
        captured=moment,
        invoked=invoked,
    )
    shelf.append(line.append(rule.account, rule.region))
    change = change_of(rule, line, previous)
    for row in listeners.rows(change) if change else ():
        shelf.send(row)


def _ordering(moment: datetime) -> str:
    return moment_text(moment)


@operation("config")
def put_external_evaluation(
    call: Call,
    shelf: StagedShelf,
    results: Results,
    listeners: VerdictListeners,
    *,
    ConfigRuleName: str,
    ExternalEvaluation: Mapping[str, Any],
) -> dict[str, Any]:
    """A person's verdict on a manual control."""
    found = existing(shelf, call, ConfigRuleName)
    rule = ConfiguredRule.of(ShelfKey(call.account, call.region, "config.rule", ConfigRuleName), found)
    if rule.managed is None or rule.managed.trigger != "external":
        raise fault.InvalidParameterValueException(
            f"The rule '{ConfigRuleName}' is not a process check, so nobody gives its results by hand."
        )
    give(shelf, results, listeners, rule, ExternalEvaluation, invoked=moment_text(call.now))
    return {}
