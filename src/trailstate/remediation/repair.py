"""What a rule found wrong, repaired: when, how often, and never twice at once.

A remediation configuration (kind `config.remediation`, by rule) names a document and says how its parameters are
filled. Each resource has one repair (kind `config.repair`) and one queue, so that what is done about it is done in
order: wanted → queued → started → ended, and again after a failure, until the attempts within the window are used up;
then the resource is excepted from automatic repair, with the reason, as AWS does.

https://docs.aws.amazon.com/config/latest/developerguide/remediation.html
https://docs.aws.amazon.com/config/latest/APIReference/API_RemediationConfiguration.html
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from trailstate.compliance.notice import Change
from trailstate.follow import Later
from trailstate.functions.role import Roles
from trailstate.remediation.execution import WAITER, is_over, key_of, waiter_of
from trailstate.stores.interface import Commit, OutboxRow, ShelfChange, ShelfKey, Store
from trailstate.wire.call import Door
from trailstate.wire.fault import Fault
from trailstate.world import World

CONFIGURATION = "config.remediation"
EXCEPTION = "config.remediation-exception"
REPAIR = "config.repair"
QUEUE = "remediation/"
SERVICE = "remediation.config.amazonaws.com"
ROLE = "AWSServiceRoleForConfigRemediation"
ATTEMPTS = 5
WINDOW_SECONDS = 60
"""AWS's defaults of MaximumAutomaticAttempts and RetryAttemptSeconds."""
UNDER_WAY = frozenset({"QUEUED", "IN_PROGRESS"})
REASON_CHARACTERS_MAX = 1000

Repair = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """One resource under one rule."""

    account: str
    region: str
    rule: str
    resource_type: str
    resource_id: str

    @property
    def name(self) -> str:
        return "\n".join((self.rule, self.resource_type, self.resource_id))

    @property
    def repair(self) -> ShelfKey:
        return ShelfKey(self.account, self.region, REPAIR, self.name)

    @property
    def exception(self) -> ShelfKey:
        return ShelfKey(self.account, self.region, EXCEPTION, self.name)

    @property
    def configuration(self) -> ShelfKey:
        return ShelfKey(self.account, self.region, CONFIGURATION, self.rule)

    @property
    def queue(self) -> str:
        return f"{QUEUE}{self.account}/{self.region}/{self.rule}/{self.resource_type}/{self.resource_id}"

    def row(self, what: str, unique: str, **more: Any) -> OutboxRow:
        """Something to be done about the resource."""
        place = [self.account, self.region, self.rule, self.resource_type, self.resource_id]
        body = {"place": place, "what": what, **more}
        return OutboxRow(self.queue, f"{QUEUE}{what}/{unique}", json.dumps(body).encode())


def parameters_of(configuration: Mapping[str, Any], resource_id: str) -> dict[str, list[str]]:
    """The document's parameters for one resource: fixed values, and the resource's id where that is asked for."""
    return {
        name: [resource_id] if "ResourceValue" in value else [str(each) for each in value["StaticValue"]["Values"]]
        for name, value in (configuration.get("Parameters") or {}).items()
    }


def queued(
    place: Place,
    token: str,
    now: datetime,
    *,
    automatic: bool,
    failures: Sequence[str] = (),
    due: datetime | None = None,
) -> Commit:
    """A repair that is about to start. Its end is asked for before it begins, so that no end comes too early."""
    ended = place.row("ended", token, token=token)
    repair = {
        "rule": place.rule,
        "resourceType": place.resource_type,
        "resourceId": place.resource_id,
        "state": "QUEUED",
        "invoked": now.isoformat(),
        "updated": now.isoformat(),
        "execution": None,
        "token": token,
        "automatic": automatic,
        "failures": list(failures),
        "reason": None,
    }
    start = place.row("start", token, token=token, not_before=(due or now).isoformat())
    changes = [
        ShelfChange(place.repair, repair),
        ShelfChange(ShelfKey(place.account, place.region, WAITER, token), waiter_of(ended)),
    ]
    return Commit(shelf=changes, outbox=[start])


class Repairs:
    """The shipper of all repairs, and what compliance tells about changed verdicts."""

    prefix = QUEUE

    def __init__(self, store: Store, world: World, door: Door, roles: Roles) -> None:
        self._store = store
        self._world = world
        self._door = door
        self._roles = roles

    # What compliance tells (compliance.notice.VerdictChanged).

    def rows(self, change: Change) -> Sequence[OutboxRow]:
        """An automatic repair is wanted for a resource that has become non-compliant."""
        place = Place(change.account, change.region, change.rule, change.resource_type, change.resource_id)
        if change.verdict != "NON_COMPLIANT" or not self._is_automatic(place):
            return ()
        return (place.row("wanted", self._world.uuid()),)

    def _is_automatic(self, place: Place) -> bool:
        found = self._store.get(place.configuration)
        if found is None or found.value.get("ResourceType") not in (None, "", place.resource_type):
            return False
        return bool(found.value.get("Automatic"))

    # What is to be done (follow.Shipper).

    def ship(self, row: OutboxRow) -> Commit:
        order = json.loads(row.body)
        place = Place(*order["place"])
        if order["what"] == "sweep":
            return self._sweep(place)
        configuration = self._store.get(place.configuration)
        if configuration is None:
            return Commit()
        if order["what"] == "wanted":
            return self._wanted(place)
        repair = self._store.get(place.repair)
        if repair is None or repair.value["token"] != order["token"] or repair.value["state"] not in UNDER_WAY:
            return Commit()
        if order["what"] == "start":
            return self._start(place, configuration.value, repair.value, datetime.fromisoformat(order["not_before"]))
        return self._ended(place, configuration.value, repair.value)

    def _sweep(self, place: Place) -> Commit:
        """Automatic repair was switched on: what is non-compliant already wants it too."""
        asked = {"ConfigRuleName": place.rule, "ComplianceTypes": ["NON_COMPLIANT"], "Limit": 100}
        try:
            session = self._roles.session(SERVICE, self._role(place), place.rule[:64], **_where(place))
            answer = self._door.call(
                "config", "GetComplianceDetailsByConfigRule", asked, as_=session.principal, **_where(place)
            )
        except Fault:  # the rule is gone, or has judged nothing yet; its verdicts will tell
            return Commit()
        rows = []
        for result in answer.get("EvaluationResults", ()):
            found = result["EvaluationResultIdentifier"]["EvaluationResultQualifier"]
            each = Place(place.account, place.region, place.rule, found["ResourceType"], found["ResourceId"])
            rows.append(each.row("wanted", self._world.uuid()))
        return Commit(outbox=rows)

    def _wanted(self, place: Place) -> Commit:
        repair = self._store.get(place.repair)
        if repair is not None and repair.value["state"] in UNDER_WAY:
            return Commit()
        if self._is_excepted(place) or not self._is_automatic(place):
            return Commit()
        return queued(place, self._world.uuid(), self._world.now(), automatic=True)

    def _is_excepted(self, place: Place) -> bool:
        found = self._store.get(place.exception)
        if found is None:
            return False
        ends = found.value.get("ExpirationTime")
        return ends is None or datetime.fromisoformat(ends) > self._world.now()

    def _start(self, place: Place, configuration: Mapping[str, Any], repair: Repair, due: datetime) -> Commit:
        now = self._world.now()
        if due > now:
            raise Later("the repair failed and is tried again", (due - now).total_seconds())
        asked: dict[str, Any] = {"DocumentName": configuration["TargetId"], "ClientToken": repair["token"]}
        if configuration.get("TargetVersion"):
            asked["DocumentVersion"] = configuration["TargetVersion"]
        parameters = parameters_of(configuration, place.resource_id)
        if parameters:
            asked["Parameters"] = parameters
        try:
            session = self._roles.session(SERVICE, self._role(place), place.rule[:64], **_where(place))
            answer = self._door.call("ssm", "StartAutomationExecution", asked, as_=session.principal, **_where(place))
        except Fault as fault:
            return self._failed(place, configuration, repair, f"{fault.code}: {fault.message}")
        changed = {"state": "IN_PROGRESS", "execution": answer["AutomationExecutionId"], "updated": now.isoformat()}
        return Commit(shelf=[ShelfChange(place.repair, {**repair, **changed})])

    def _role(self, place: Place) -> str:
        return f"arn:aws:iam::{place.account}:role/aws-service-role/{SERVICE}/{ROLE}"

    def _ended(self, place: Place, configuration: Mapping[str, Any], repair: Repair) -> Commit:
        found = self._store.get(key_of(place.account, place.region, str(repair["execution"])))
        if found is None or not is_over(found.value):
            return Commit()
        if found.value["AutomationExecutionStatus"] != "Success":
            reason = found.value.get("FailureMessage") or found.value["AutomationExecutionStatus"]
            return self._failed(place, configuration, repair, str(reason))
        changed = {"state": "SUCCEEDED", "updated": self._world.now().isoformat(), "reason": None}
        return Commit(shelf=[ShelfChange(place.repair, {**repair, **changed, "failures": []})])

    def _failed(self, place: Place, configuration: Mapping[str, Any], repair: Repair, reason: str) -> Commit:
        """Try again within the window, or stop and say why."""
        now, most, window = self._world.now(), *_bounds(configuration)
        recent = [each for each in repair["failures"] if now - datetime.fromisoformat(each) < window]
        failures = [*recent, now.isoformat()]
        if repair["automatic"] and len(failures) < most and not self._is_excepted(place):
            due = now + min(window / most, timedelta(minutes=1))
            return queued(place, self._world.uuid(), now, automatic=True, failures=failures, due=due)
        stopped = {"state": "FAILED", "updated": now.isoformat(), "failures": failures, "reason": _short(reason)}
        changes = [ShelfChange(place.repair, {**repair, **stopped})]
        if repair["automatic"]:
            message = f"Automatic remediation failed {len(failures)} times: {reason}"
            changes.append(ShelfChange(place.exception, exception(place, _short(message), None)))
        return Commit(shelf=changes)


def exception(place: Place, message: str | None, ends: datetime | None) -> dict[str, Any]:
    """A remediation exception: the resource is not repaired automatically until it ends."""
    made: dict[str, Any] = {
        "ConfigRuleName": place.rule,
        "ResourceType": place.resource_type,
        "ResourceId": place.resource_id,
    }
    optional = {"Message": message, "ExpirationTime": None if ends is None else ends.isoformat()}
    return made | {name: value for name, value in optional.items() if value is not None}


def _bounds(configuration: Mapping[str, Any]) -> tuple[int, timedelta]:
    most = int(configuration.get("MaximumAutomaticAttempts") or ATTEMPTS)
    return most, timedelta(seconds=int(configuration.get("RetryAttemptSeconds") or WINDOW_SECONDS))


def _where(place: Place) -> dict[str, str]:
    return {"account": place.account, "region": place.region}


def _short(text: str) -> str:
    return text[:REASON_CHARACTERS_MAX]
