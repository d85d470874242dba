"""A conformance pack: rules deployed, judged and withdrawn together.

Follows "Conformance Packs for AWS Config" in the developer guide. A pack's document holds what was asked for and which
rules came of it; the rules themselves stand among the account's, marked as the service's own.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from trailstate.compliance.configured import RULE_KIND
from trailstate.compliance.definition import (
    ID_ALPHABET,
    RULES_MAX,
    InvalidRule,
    fresh_identity,
    hold,
    put,
    remove,
    rules_of,
)
from trailstate.compliance.results import Result
from trailstate.compliance.summary import COMPLIANT, INSUFFICIENT_DATA, NON_COMPLIANT, joint
from trailstate.compliance.template import BadTemplate, Template
from trailstate.configuration.recorder import RECORDER
from trailstate.stores.interface import Commit, OutboxRow, ShelfChange, ShelfKey, Store
from trailstate.stores.staged import StagedShelf
from trailstate.values.timestamp import moment_text
from trailstate.wire.call import Call, Door, service_principal
from trailstate.wire.fault import Fault
from trailstate.wire.model import operation_model
from trailstate.wire.validate import validate
from trailstate.world import World

PACK_KIND = "config.pack"
QUEUE = "pack/"
SERVICE = "config-conforms.amazonaws.com"
PACKS_MAX = 50
RULE_NAME_CHARACTERS_MAX = 128
PACK_ID_CHARACTERS = 9


def find(shelf: StagedShelf, account: str, region: str, name: str) -> dict[str, Any] | None:
    return shelf.get(ShelfKey(account, region, PACK_KIND, name))


def packs_of(shelf: StagedShelf, account: str, region: str) -> list[dict[str, Any]]:
    return [value for _, value in shelf.documents(account, region, PACK_KIND)]


def fresh(world: World, account: str, region: str, name: str) -> dict[str, Any]:
    """Name, id and ARN of a new pack."""
    identifier = f"conformance-pack-{world.token(PACK_ID_CHARACTERS, ID_ALPHABET)}"
    arn = f"arn:aws:config:{region}:{account}:conformance-pack/{name}/{identifier}"
    return {"ConformancePackName": name, "ConformancePackId": identifier, "ConformancePackArn": arn}


def deployed_name(name: str, pack_id: str) -> str:
    """The name under which a pack's rule stands in the account."""
    return f"{name[: RULE_NAME_CHARACTERS_MAX - len(pack_id) - 1]}-{pack_id}"


def hold_rules(template: Template) -> None:
    """Raises BadTemplate for the first rule that PutConfigRule would refuse, and for names used twice."""
    seen: set[str] = set()
    described = operation_model("config", "PutConfigRule")
    for each in template.rules:
        name = each.rule["ConfigRuleName"]
        if name in seen:
            raise BadTemplate(f"Two rules of the template have the name '{name}'.")
        seen.add(name)
        try:
            validate("config", described, {"ConfigRule": each.rule})
            hold(each.rule, in_pack=True)
        except Fault as fault:
            raise BadTemplate(f"The rule '{each.logical}' is not valid. {fault.message}") from fault
        except InvalidRule as error:
            raise BadTemplate(f"The rule '{each.logical}' is not valid. {error}") from error
    for remediation in template.remediations:
        if remediation["ConfigRuleName"] not in seen:
            raise BadTemplate(
                f"A remediation names the rule '{remediation['ConfigRuleName']}', which is not in the template."
            )


def deploy(
    shelf: StagedShelf, call: Call, world: World, pack: Mapping[str, Any], template: Template, *, account: str
) -> None:
    """Put the pack with all its rules in one commit; what is left to do outside follows from the outbox.

    A pack that is put again is created again, as far as its state tells: that is what clients wait for.
    """
    name, region = pack["ConformancePackName"], call.region
    before = find(shelf, account, region, name)
    reason = _obstacle(shelf, account, region, template)
    rules = [] if reason else _put_rules(shelf, call, world, pack, template, account)
    kept = {each["name"] for each in rules}
    for old in (before or {}).get("rules", ()) if not reason else ():
        if old["name"] not in kept:
            remove(shelf, call, old["name"], account=account)
    document = {
        **pack,
        "LastUpdateRequestedTime": moment_text(call.now),
        "state": "CREATE_FAILED" if reason else "CREATE_IN_PROGRESS",
        "reason": reason,
        "rules": rules or (before or {}).get("rules", []),
        "remediations": [_named(each, pack["ConformancePackId"]) for each in template.remediations],
    }
    shelf.put(ShelfKey(account, region, PACK_KIND, name), document)
    if not reason:
        body = msgspec.json.encode({"account": account, "region": region, "pack": name})
        shelf.send(OutboxRow(f"{QUEUE}{account}/{region}/{name}", f"{QUEUE}{world.uuid()}", body))


def _obstacle(shelf: StagedShelf, account: str, region: str, template: Template) -> str:
    """Why the pack's rules cannot be put; empty when they can."""
    if not any(True for _ in shelf.documents(account, region, RECORDER)):
        return "There is no configuration recorder in this account and Region; put one, then put the pack again."
    if len(rules_of(shelf, account, region)) + len(template.rules) > RULES_MAX:
        return f"The pack would bring the account's rules to more than {RULES_MAX} in this Region."
    return ""


def _put_rules(
    shelf: StagedShelf, call: Call, world: World, pack: Mapping[str, Any], template: Template, account: str
) -> list[dict[str, Any]]:
    told = []
    for each in template.rules:
        label = each.rule["ConfigRuleName"]
        name = deployed_name(label, pack["ConformancePackId"])
        old = shelf.get(ShelfKey(account, call.region, RULE_KIND, name))
        identity = (
            {key: old["ConfigRule"][key] for key in ("ConfigRuleId", "ConfigRuleArn")}
            if old
            else fresh_identity(world, account, call.region, SERVICE)
        )
        rule = {**each.rule, "ConfigRuleName": name, **identity, "CreatedBy": SERVICE}
        scope = pack.get("Scope")
        put(shelf, call, world, rule, account=account, pack=pack["ConformancePackName"], pack_scope=scope)
        told.append({"name": name, "label": label, "controls": list(each.controls), "source": each.rule["Source"]})
    return told


def _named(remediation: Mapping[str, Any], pack_id: str) -> dict[str, Any]:
    return {**remediation, "ConfigRuleName": deployed_name(remediation["ConfigRuleName"], pack_id)}


def withdraw(shelf: StagedShelf, call: Call, door: Door, pack: Mapping[str, Any], *, account: str) -> None:
    """The pack goes with its rules, their results and their remediations."""
    principal = service_principal(SERVICE, account)
    for each in pack["remediations"]:
        parameters = {"ConfigRuleName": each["ConfigRuleName"]}
        try:
            door.call(
                "config",
                "DeleteRemediationConfiguration",
                parameters,
                account=account,
                region=call.region,
                as_=principal,
            )
        except Fault:
            continue  # It was removed by hand, or never came to be; the status said so.
    for rule in pack["rules"]:
        remove(shelf, call, rule["name"], account=account)
    shelf.delete(ShelfKey(account, call.region, PACK_KIND, pack["ConformancePackName"]))


class PackShipper:
    """Finishes a deployed pack: its remediations are put, and its state says how that went."""

    prefix = QUEUE

    def __init__(self, store: Store, world: World, door: Door) -> None:
        self._store = store
        self._world = world
        self._door = door

    def ship(self, row: OutboxRow) -> Commit:
        asked = msgspec.json.decode(row.body)
        key = ShelfKey(asked["account"], asked["region"], PACK_KIND, asked["pack"])
        found = self._store.get(key)
        if found is None:
            return Commit()
        reason = self._put_remediations(key, found.value["remediations"])
        state = "CREATE_FAILED" if reason else "CREATE_COMPLETE"
        told = {"state": state, "reason": reason, "completed": moment_text(self._world.now())}
        return Commit(shelf=[ShelfChange(key, found.value | told, found.version)])

    def _put_remediations(self, key: ShelfKey, remediations: Sequence[Mapping[str, Any]]) -> str:
        if not remediations:
            return ""
        principal = service_principal(SERVICE, key.account)
        parameters = {"RemediationConfigurations": [dict(each) for each in remediations]}
        try:
            answer = self._door.call(
                "config",
                "PutRemediationConfigurations",
                parameters,
                account=key.account,
                region=key.region,
                as_=principal,
            )
        except Fault as fault:
            return f"The remediations could not be put. {fault.message}"
        failed = answer.get("FailedBatches") or ()
        return "; ".join(str(each.get("FailureMessage")) for each in failed)


# ---- how compliant it is ----


def rule_compliances(pack: Mapping[str, Any], results: Mapping[str, Iterable[Result]]) -> dict[str, str]:
    """Per deployed rule, in the template's order: its joint word."""
    return {
        each["name"]: joint(result.compliance for result in results.get(each["name"], ())) for each in pack["rules"]
    }


def pack_compliance(words: Iterable[str]) -> str:
    """AWS's word for a whole pack: rules without data count only when there is nothing else."""
    found = set(words)
    if NON_COMPLIANT in found:
        return NON_COMPLIANT
    return COMPLIANT if COMPLIANT in found else INSUFFICIENT_DATA


def score(compliances: Iterable[str]) -> str:
    """The share of compliant pairs of rule and resource among those that were judged, in percent."""
    words = [each for each in compliances if each in (COMPLIANT, NON_COMPLIANT)]
    return f"{100 * words.count(COMPLIANT) / len(words):.2f}" if words else INSUFFICIENT_DATA
