"""Who belonged to an organization when a record was made: what its trails go by, whenever the record is read.

AWS Organizations only tells who belongs to it now. A record may be read later than it was made: behind a batch, after
a restart, or again, because its window was still open. So delivery remembers the members of each organization that
has a trail. What it remembers is durable with its cursor, changes with the records that change it, and is asked anew
only while delivery keeps up with the journal; from the answer the changes are taken back that stand further on.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts.html
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Literal, Protocol

import msgspec

from trailstate.stores.interface import JOURNAL, Entry, ShelfChange, ShelfKey, Store
from trailstate.world import World

MEMBERS = "trail.members"
"""Who belongs to the organization of a management account, at (that account, "", its own number)."""

SOURCE = "organizations.amazonaws.com"
_MARK = f'"eventSource":"{SOURCE}"'.encode()

MEMBERS_KEPT_SECONDS = 60.0
STRANGERS_KEPT_SECONDS = 1.0
BEHIND = timedelta(seconds=10)
"""What is true now says little of records that are older than this."""

UNTOLD = frozenset(
    {"AcceptHandshake", "CreateAccount", "CreateGovCloudAccount", "CreateOrganization", "DeleteOrganization"}
)
"""Calls after which others may belong to the organization, when their records do not say who."""

READ_ENTRIES = 2000

_decode = msgspec.json.Decoder().decode

Record = Mapping[str, Any]
Move = tuple[Literal["joins", "leaves"], str]


class Organized(Protocol):
    """Who belongs to which organization now."""

    def members(self, manager: str) -> frozenset[str]:
        """Every account of the organization that `manager` manages, asked anew; empty when it manages none."""

    def forget(self) -> None:
        """Whoever remembered an answer asks anew."""


class Membership:
    """The members at delivery's position."""

    def __init__(self, store: Store, world: World, organizations: Organized) -> None:
        self._store = store
        self._world = world
        self._organizations = organizations
        self.forget()

    def forget(self) -> None:
        """Begin again from what is durable."""
        self._known = {
            key.account: frozenset(document.value["Accounts"])
            for key, document in self._store.documents(None, None, MEMBERS)
        }
        self._asked: dict[str, float] = {}
        self._unsure: set[str] = set()

    def is_member(self, manager: str, account: str) -> bool:
        return account in self._known.get(manager, ())

    def learn(self, managers: Iterable[str], entry: Entry) -> list[ShelfChange]:
        """Ask anew where that is due for an entry about to be read; what is to be durable before it is."""
        return [
            change
            for manager in managers
            if self._is_due(manager, entry)
            for change in self._changed(manager, self._as_of(entry.position, manager, self._ask(manager)))
        ]

    def take(self, record: Record) -> list[ShelfChange]:
        """A record of Organizations was read that may have changed something; what is to be durable after it."""
        if "errorCode" in record:
            return []
        self._organizations.forget()
        found = move(record)
        if found is None:
            self._unsure |= self._known.keys() if record["eventName"] in UNTOLD else set()
            return []
        return [
            change
            for manager, known in list(self._known.items())
            if self._concerns(manager, record)
            for change in self._changed(manager, moved(known, found))
        ]

    def _is_due(self, manager: str, entry: Entry) -> bool:
        known = self._known.get(manager)
        if known is None or manager in self._unsure:
            return True
        if self._world.now() - entry.time > BEHIND:
            return False
        asked = self._asked.get(manager)
        kept = MEMBERS_KEPT_SECONDS if entry.account in known else STRANGERS_KEPT_SECONDS
        return asked is None or self._world.monotonic() - asked >= kept

    def _ask(self, manager: str) -> frozenset[str]:
        found = self._organizations.members(manager)
        self._asked[manager] = self._world.monotonic()
        self._unsure.discard(manager)
        return found

    def _as_of(self, position: int, manager: str, members: frozenset[str]) -> frozenset[str]:
        """Who belonged to it before the entry at a position, if these do now."""
        later = [_decode(entry.body) for entry in self._from(position)]
        for found in reversed([move(record) for record in later if self._concerns(manager, record)]):
            if found is not None:
                kind, account = found
                members = moved(members, ("leaves" if kind == "joins" else "joins", account))
        return members

    def _concerns(self, manager: str, record: Record) -> bool:
        """Whether the caller is of that organization: its manager moves others, a member leaves by itself."""
        caller = record["recipientAccountId"]
        return bool(caller == manager or caller in self._known.get(manager, ()))

    def _from(self, position: int) -> Iterator[Entry]:
        """What the journal holds of Organizations from a position on."""
        after = position - 1
        while entries := self._store.read(JOURNAL, after, READ_ENTRIES):
            yield from (entry for entry in entries if _MARK in entry.body)
            after = entries[-1].position

    def _changed(self, manager: str, members: frozenset[str]) -> list[ShelfChange]:
        if members == self._known.get(manager):
            return []
        self._known[manager] = members
        return [ShelfChange(ShelfKey(manager, "", MEMBERS, manager), {"Accounts": sorted(members)})]


def move(record: Record) -> Move | None:
    """Who joined or left an organization by the call, if its record says so."""
    if record.get("eventSource") != SOURCE or "errorCode" in record:
        return None
    name = record.get("eventName")
    if name == "RemoveAccountFromOrganization":
        return "leaves", str((record.get("requestParameters") or {}).get("accountId"))
    if name == "LeaveOrganization":
        return "leaves", str(record["recipientAccountId"])
    account = ((record.get("responseElements") or {}).get("createAccountStatus") or {}).get("accountId")
    return ("joins", str(account)) if name == "CreateAccount" and account else None


def moved(members: frozenset[str], found: Move) -> frozenset[str]:
    """The members after somebody joined or left."""
    kind, account = found
    return members | {account} if kind == "joins" else members - {account}
