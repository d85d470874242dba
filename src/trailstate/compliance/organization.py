"""Rules and packs of an organization: one document in the management account, one deployment in every member.

Follows "Managing AWS Config Rules Across All Accounts in Your Organization" in the AWS Config developer guide. Only
the management account, or one it delegated this to, may put them; each member keeps a service-linked copy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from trailstate.compliance.definition import ID_ALPHABET
from trailstate.stores.interface import Commit, OutboxRow, ShelfChange, ShelfKey, Store
from trailstate.stores.staged import StagedShelf
from trailstate.values.timestamp import moment_text
from trailstate.wire.call import Call, Door, service_principal
from trailstate.wire.fault import Fault
from trailstate.world import World

RULE_KIND = "config.organization_rule"
PACK_KIND = "config.organization_pack"
QUEUE = "organization/"
SERVICE = "config-multiaccountsetup.amazonaws.com"
SUFFIX_CHARACTERS = 8


@dataclass(frozen=True, slots=True)
class Deployment:
    """How one kind of organization-wide thing reaches a member account."""

    kind: str
    put: str
    """The operation that makes it in a member."""
    delete: str
    named: str
    """The member of both that holds its name."""


RULES = Deployment(RULE_KIND, "PutConfigRule", "DeleteConfigRule", "ConfigRuleName")
PACKS = Deployment(PACK_KIND, "PutConformancePack", "DeleteConformancePack", "ConformancePackName")
DEPLOYMENTS: Mapping[str, Deployment] = {each.kind: each for each in (RULES, PACKS)}


def suffixed(world: World, name: str) -> str:
    """The name of an organization-wide thing, made one of a kind."""
    return f"{name}-{world.token(SUFFIX_CHARACTERS, ID_ALPHABET)}"


def stage(
    shelf: StagedShelf, call: Call, world: World, deployment: Deployment, name: str, document: Mapping[str, Any]
) -> None:
    """Keep the document and have it brought to the members it names."""
    key = ShelfKey(call.account, call.region, deployment.kind, name)
    before = shelf.get(key) or {}
    verb = "UPDATE" if before else "CREATE"
    now = moment_text(call.now)
    members = {account: _state(f"{verb}_IN_PROGRESS", now) for account in document["accounts"]}
    gone = [account for account in before.get("accounts", ()) if account not in members]
    shelf.put(key, {**document, "updated": now, "status": f"{verb}_IN_PROGRESS", "members": members})
    for account in members:
        shelf.send(_row(world, key, account, verb))
    for account in gone:
        shelf.send(_row(world, key, account, "DELETE"))


def unstage(shelf: StagedShelf, call: Call, world: World, deployment: Deployment, name: str) -> None:
    """Have it taken from every member; the document goes with the last of them."""
    key = ShelfKey(call.account, call.region, deployment.kind, name)
    document = shelf.get(key)
    assert document is not None, "only what is there is taken away"
    now = moment_text(call.now)
    members = {account: _state("DELETE_IN_PROGRESS", now) for account in document["accounts"]}
    if not members:
        shelf.delete(key)
        return
    shelf.put(key, {**document, "updated": now, "status": "DELETE_IN_PROGRESS", "members": members})
    for account in members:
        shelf.send(_row(world, key, account, "DELETE"))


def _state(status: str, now: str, code: str = "", message: str = "") -> dict[str, Any]:
    told = {"ErrorCode": code, "ErrorMessage": message} if code else {}
    return {"status": status, "updated": now, **told}


def _row(world: World, key: ShelfKey, account: str, verb: str) -> OutboxRow:
    body = {"owner": key.account, "region": key.region, "kind": key.kind, "name": key.name}
    queue = f"{QUEUE}{key.account}/{key.region}/{key.kind}/{key.name}"
    return OutboxRow(queue, f"{QUEUE}{world.uuid()}", msgspec.json.encode({**body, "account": account, "verb": verb}))


class OrganizationShipper:
    """Brings it to the members, one after the other, and takes it away again; keeps how that went."""

    prefix = QUEUE

    def __init__(self, store: Store, world: World, door: Door) -> None:
        self._store = store
        self._world = world
        self._door = door

    def ship(self, row: OutboxRow) -> Commit:
        asked = msgspec.json.decode(row.body)
        key = ShelfKey(asked["owner"], asked["region"], asked["kind"], asked["name"])
        found = self._store.get(key)
        if found is None:
            return Commit()
        account, verb = asked["account"], asked["verb"]
        state = self._done(DEPLOYMENTS[key.kind], found.value, key.region, account, verb)
        members = {**found.value["members"], account: state}
        if verb == "DELETE" and state["status"] == "DELETE_SUCCESSFUL":
            del members[account]
        if not members:
            return Commit(shelf=[ShelfChange(key, None, found.version)])
        told = {"members": members, "status": joint(each["status"] for each in members.values())}
        return Commit(shelf=[ShelfChange(key, found.value | told, found.version)])

    def _done(
        self, deployment: Deployment, document: Mapping[str, Any], region: str, account: str, verb: str
    ) -> dict[str, Any]:
        now = moment_text(self._world.now())
        name = {deployment.named: document["deployed"]}
        operation, parameters = (
            (deployment.delete, name) if verb == "DELETE" else (deployment.put, document["parameters"])
        )
        principal = service_principal(SERVICE, account)
        try:
            self._door.call("config", operation, parameters, account=account, region=region, as_=principal)
        except Fault as fault:
            if not (verb == "DELETE" and fault.code.startswith("NoSuch")):
                return _state(f"{verb}_FAILED", now, fault.code, fault.message)
        return _state(f"{verb}_SUCCESSFUL", now)


def joint(statuses: Any) -> str:
    """The status of the whole: in progress while any member is, failed if any failed."""
    found = list(statuses)
    for ending in ("_IN_PROGRESS", "_FAILED"):
        for each in found:
            if each.endswith(ending):
                return str(each)
    return str(found[0])
