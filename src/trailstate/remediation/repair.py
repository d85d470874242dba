"""What a rule found wrong, repaired: when, how often, and never twice at once.

A remediation configuration (kind `config.remediation`, by rule) names a document and says how its parameters are
filled. Each resource has one repair (kind `config.repair`) and one queue, so that what is done about it is done in
order: wanted → queued → started → ended. A while after a repair succeeded it is checked what the rule says. After a
failure, or where the verdict did not turn, it is tried again, until the attempts within the window are used up; then
the resource is excepted from automatic repair, with the reason, as AWS does. Of one rule's repairs only so many run at
once (`controls`): one that finds no room waits, and whichever ends lets it begin.

https://docs.aws.amazon.com/config/latest/developerguide/remediation.html
https://docs.aws.amazon.com/config/latest/APIReference/API_RemediationConfiguration.html
"""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from trailstate.compliance.configured import RULE_KIND, ConfiguredRule
from trailstate.compliance.engine import evaluation_row
from trailstate.compliance.notice import Change
from trailstate.compliance.results import Results
from trailstate.compliance.summary import NON_COMPLIANT
from trailstate.follow import Later
from trailstate.functions.role import Roles
from trailstate.remediation.controls import Turn, marked, next_to_begin, turn_of
from trailstate.remediation.execution import is_over, key_of
from trailstate.remediation.place import QUEUE, REPAIR, UNDER_WAY, Place, Repair, exception, parameters_of, queued
from trailstate.stores.interface import Commit, OutboxRow, ShelfChange, ShelfKey, Store
from trailstate.wire.call import Door
from trailstate.wire.fault import Fault
from trailstate.world import World

SERVICE = "remediation.config.amazonaws.com"
ROLE = "AWSServiceRoleForConfigRemediation"
ATTEMPTS = 5
WINDOW_SECONDS = 60
"""AWS's defaults of MaximumAutomaticAttempts and RetryAttemptSeconds."""
PAUSE_MAX = timedelta(minutes=1)
"""Between two attempts, however wide the window is."""
REASON_CHARACTERS_MAX = 1000
UNTURNED = "The document succeeded, and the rule still finds the resource NON_COMPLIANT."
STOPPED = "So many repairs of the rule failed (ErrorPercentage) that no further one is begun."


Step = Callable[[Place, Mapping[str, Any], Repair], Commit]
"""(place, configuration, repair); what to commit."""


class Repairs:
    """The shipper of all repairs, and what compliance tells about changed verdicts."""

    prefix = QUEUE

    def __init__(self, store: Store, world: World, door: Door, roles: Roles, results: Results) -> None:
        self._store = store
        self._world = world
        self._door = door
        self._roles = roles
        self._results = results
        self._turns = threading.Lock()
        """Held from looking how many run to the commit that makes one more or one less of them."""
        self._steps: Mapping[tuple[str, str], Step] = {
            ("start", "QUEUED"): self._start,
            ("ended", "QUEUED"): self._ended,
            ("ended", "IN_PROGRESS"): self._ended,
            ("check", "SUCCEEDED"): self._check,
            ("evaluated", "SUCCEEDED"): self._evaluated,
            ("unturned", "SUCCEEDED"): self._unturned,
        }

    # What compliance tells (compliance.notice.VerdictChanged).

    def rows(self, change: Change) -> Sequence[OutboxRow]:
        """An automatic repair is wanted for a resource that has become non-compliant."""
        place = Place(change.account, change.region, change.rule, change.resource_type, change.resource_id)
        if change.verdict != NON_COMPLIANT or not self._is_automatic(place):
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
        place, what = Place(*order["place"]), order["what"]
        if what == "sweep":
            return self._sweep(place)
        configuration, repair = self._store.get(place.configuration), self._store.get(place.repair)
        if configuration is None:
            return Commit()
        if what == "wanted":
            return self._wanted(place, repair.value if repair else None)
        if repair is None or repair.value["token"] != order["token"]:
            return Commit()
        step = self._steps.get((what, repair.value["state"]))
        if step is None:
            return Commit()
        due, now = order.get("not_before"), self._world.now()
        if due and datetime.fromisoformat(due) > now:
            raise Later("it is not time yet", (datetime.fromisoformat(due) - now).total_seconds())
        return step(place, configuration.value, repair.value)

    def _sweep(self, place: Place) -> Commit:
        """Automatic repair was switched on: what is non-compliant already wants it too."""
        found = self._results.of_rule(place.account, place.region, place.rule)
        wrong = [each for each in found if each.compliance == NON_COMPLIANT]
        places = [Place(place.account, place.region, place.rule, each.type, each.id) for each in wrong]
        return Commit(outbox=[each.row("wanted", self._world.uuid()) for each in places])

    def _wanted(self, place: Place, repair: Repair | None) -> Commit:
        if repair is not None and repair["state"] in UNDER_WAY:
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

    # Its turn, and its start.

    def _start(self, place: Place, configuration: Mapping[str, Any], repair: Repair) -> Commit:
        turn = self._take_turn(place, configuration, repair)
        if turn is Turn.WAITS:
            return Commit()
        if turn is Turn.IS_STOPPED:
            return self._over(place, configuration, self._stopped(place, repair, STOPPED))
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
        begun = {"state": "IN_PROGRESS", "execution": answer["AutomationExecutionId"], "updated": self._now()}
        return Commit(shelf=[ShelfChange(place.repair, {**repair, **begun})])

    def _take_turn(self, place: Place, configuration: Mapping[str, Any], repair: Repair) -> Turn:
        """What the repair does next. That it has a turn, or waits for one, is durable when this returns."""
        with self._turns:
            others = [each for key, each in self._of_rule(place) if key != place.repair]
            turn = turn_of(repair, others, configuration)
            if turn is not Turn.IS_STOPPED:
                self._store.commit(Commit(shelf=[ShelfChange(place.repair, marked(repair, turn))]))
            return turn

    def _of_rule(self, place: Place) -> list[tuple[ShelfKey, Repair]]:
        found = self._store.documents(place.account, place.region, REPAIR)
        return [(key, each.value) for key, each in found if each.value["rule"] == place.rule]

    def _role(self, place: Place) -> str:
        return f"arn:aws:iam::{place.account}:role/aws-service-role/{SERVICE}/{ROLE}"

    # Its end.

    def _ended(self, place: Place, configuration: Mapping[str, Any], repair: Repair) -> Commit:
        found = self._store.get(key_of(place.account, place.region, str(repair["execution"])))
        if found is None or not is_over(found.value):
            return Commit()
        if found.value["AutomationExecutionStatus"] != "Success":
            reason = found.value.get("FailureMessage") or found.value["AutomationExecutionStatus"]
            return self._failed(place, configuration, repair, str(reason))
        changed = {"state": "SUCCEEDED", "updated": self._now(), "reason": None}
        due = (self._world.now() + _pause(configuration) / 2).isoformat()
        check = place.row("check", repair["token"], lane="/check", token=repair["token"], not_before=due)
        shelf = [ShelfChange(place.repair, {**repair, **changed})]
        return self._over(place, configuration, Commit(shelf=shelf, outbox=[check] if repair["automatic"] else []))

    def _check(self, place: Place, configuration: Mapping[str, Any], repair: Repair) -> Commit:
        """Half the pause is over. A rule that the clock asks is asked now, to have judged by the end of it."""
        asked = evaluation_row(self._world, place.account, place.region, place.rule, {})
        due = (self._world.now() + _pause(configuration) / 2).isoformat()
        evaluated = place.row("evaluated", repair["token"], lane="/check", token=repair["token"], not_before=due)
        return Commit(outbox=[asked, evaluated] if self._is_periodic(place) else [evaluated])

    def _evaluated(self, place: Place, _configuration: Mapping[str, Any], repair: Repair) -> Commit:
        """Has the verdict turned?"""
        result = self._results.one(place.account, place.region, place.rule, place.resource_type, place.resource_id)
        if result is None or result.compliance != NON_COMPLIANT:
            return Commit()
        return Commit(outbox=[place.row("unturned", repair["token"], token=repair["token"])])

    def _is_periodic(self, place: Place) -> bool:
        key = ShelfKey(place.account, place.region, RULE_KIND, place.rule)
        found = self._store.get(key)
        return found is not None and ConfiguredRule.of(key, found.value).period_seconds > 0

    def _unturned(self, place: Place, configuration: Mapping[str, Any], repair: Repair) -> Commit:
        """It waited long enough while it was checked, so the next attempt is due at once."""
        return self._again(place, configuration, repair, UNTURNED, has_failed=False)

    def _failed(self, place: Place, configuration: Mapping[str, Any], repair: Repair, reason: str) -> Commit:
        return self._over(place, configuration, self._again(place, configuration, repair, reason, has_failed=True))

    def _again(
        self, place: Place, configuration: Mapping[str, Any], repair: Repair, reason: str, *, has_failed: bool
    ) -> Commit:
        """Try again within the window, or stop and say why."""
        now, most, window = self._world.now(), *_bounds(configuration)
        recent = [each for each in repair["failures"] if now - datetime.fromisoformat(each) < window]
        so_far: dict[str, Any] = {"failures": [*recent, now.isoformat()], "has_failed": has_failed}
        if repair["automatic"] and len(recent) + 1 < most and not self._is_excepted(place):
            due = now + _pause(configuration) if has_failed else now
            return queued(place, self._world.uuid(), now, automatic=True, due=due, **so_far)
        stopped = self._stopped(place, {**repair, **so_far}, reason)
        if not repair["automatic"]:
            return stopped
        message = f"Automatic remediation failed {len(recent) + 1} times: {reason}"
        excepted = ShelfChange(place.exception, exception(place, _short(message), None))
        return Commit(shelf=[*stopped.shelf, excepted])

    def _stopped(self, place: Place, repair: Repair, reason: str) -> Commit:
        stopped = {"state": "FAILED", "updated": self._now(), "reason": _short(reason)}
        return Commit(shelf=[ShelfChange(place.repair, {**repair, **stopped})])

    def _over(self, place: Place, configuration: Mapping[str, Any], commit: Commit) -> Commit:
        """Keep how a repair ended, and let those begin that waited for it; nothing is left to commit."""
        with self._turns:
            repairs = dict(self._of_rule(place)) | _repairs_in(commit)
            rows = [_start_row(key, repairs[key]) for key in next_to_begin(repairs, configuration)]
            self._store.commit(Commit(shelf=commit.shelf, outbox=[*commit.outbox, *rows]))
        return Commit()

    def _now(self) -> str:
        return self._world.now().isoformat()


def _repairs_in(commit: Commit) -> dict[ShelfKey, Repair]:
    return {each.key: dict(each.value) for each in commit.shelf if each.key.kind == REPAIR and each.value is not None}


def _start_row(key: ShelfKey, repair: Repair) -> OutboxRow:
    place, token = Place.of(key, repair), repair["token"]
    return place.row("start", f"{token}/{repair['waited']}", token=token)


def _bounds(configuration: Mapping[str, Any]) -> tuple[int, timedelta]:
    most = int(configuration.get("MaximumAutomaticAttempts") or ATTEMPTS)
    return most, timedelta(seconds=int(configuration.get("RetryAttemptSeconds") or WINDOW_SECONDS))


def _pause(configuration: Mapping[str, Any]) -> timedelta:
    """Between two attempts: all of them fit into the window."""
    most, window = _bounds(configuration)
    return min(window / most, PAUSE_MAX)


def _where(place: Place) -> dict[str, str]:
    return {"account": place.account, "region": place.region}


def _short(text: str) -> str:
    return text[:REASON_CHARACTERS_MAX]
