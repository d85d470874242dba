"""From what is to be looked at to items: describes, compares with the last item, and appends what changed.

Ships the queues that `trigger` fills, one for each type in each account and region. An errand is looked at
under its type's lock, so that what is seen later is also appended later. When the estate fails, the last item stays:
the type's document says so (it shows in the recorder's status), and the errand waits in a queue of its own to be tried
again, so that it holds up nothing else. A type that the estate lacks is said to be lacking, and left until something
touches it again.

A listing of a whole type shows what calls have just done, before the errands that those calls left have had their
turn. Such a change is recorded with the call that waits behind it, never without a cause.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trailstate.configuration.discover import Discovery, DiscoveryFailed, NotServed
from trailstate.configuration.form import ALL, ResourceType, Seen
from trailstate.configuration.history import ConfigurationHistory, Identifier
from trailstate.configuration.item import captured, deleted, item_of
from trailstate.configuration.line import FACTS, Recorded, digest_with_facts, line
from trailstate.configuration.recorder import Home, Recorders, recording_key, records
from trailstate.configuration.trigger import EVERYTHING, TOUCHED, Errand, Waiting, place_of, read_errand
from trailstate.follow import Later
from trailstate.stores.interface import Append, Commit, OutboxRow, ShelfChange, Store
from trailstate.values.timestamp import record_time
from trailstate.world import World

RETRIES_MAX = 8
RETRY_SECONDS = 2.0
WAITING_MAX = 200
"""Rows of one queue that are looked through for errands to do together."""

APPENDS_AT_ONCE = 500
INDEXING_SECONDS = 1.0
SUCCESS = "Success"
FAILURE = "Failure"
LACKING = "NotApplicable"


@dataclass(slots=True)
class Lane:
    """Errands of one kind (`follow.Shipper`)."""

    prefix: str
    recording: "Recording"

    def ship(self, row: OutboxRow) -> Commit:
        return self.recording.ship(row)


class Recording:
    """Looks at what the trigger says, and records it."""

    def __init__(
        self,
        world: World,
        store: Store,
        discovery: Discovery,
        history: ConfigurationHistory,
        recorders: Recorders,
        types: Mapping[str, ResourceType],
        waiting: Waiting,
    ) -> None:
        self._world = world
        self._store = store
        self._discovery = discovery
        self._history = history
        self._recorders = recorders
        self._types = types
        self._waiting = waiting
        self._tries: Counter[str] = Counter()
        self._locks: defaultdict[tuple[Home, str], threading.Lock] = defaultdict(threading.Lock)

    def shippers(self) -> "tuple[Lane, ...]":
        """What calls touched, and whole looks: neither waits for the other."""
        return Lane(TOUCHED, self), Lane(EVERYTHING, self)

    def ship(self, row: OutboxRow) -> Commit:
        """Look at what the row names, and record it if it changed; raises Later for an errand that is to be retried."""
        home, type_name, is_retry = place_of(row.queue)
        declared, recorder = self._types.get(type_name), self._recorders.at(home)
        if declared is None or recorder is None or not recorder["recording"] or not records(recorder, declared):
            return Commit()
        errand, done = self._together(row)
        try:
            with self._locks[home, type_name]:
                self.look(home, declared, errand)
        except NotServed as lacking:
            return Commit(done=done, shelf=self._told(home, type_name, LACKING, lacking.operation, str(lacking)))
        except DiscoveryFailed as failure:
            return self._put_off(row, home, type_name, failure, is_retry=is_retry, done=done)
        self._tries.pop(row.id, None)
        return Commit(done=done, shelf=self._told(home, type_name, SUCCESS))

    def look(self, home: Home, declared: ResourceType, errand: Errand) -> None:
        """See what there is and append every item that changed; durable when it returns."""
        if not self._history.catch_up():
            raise Later("the history of items is being indexed", INDEXING_SECONDS)
        changed: list[Append] = []
        for recorded in self._changed(home, declared, errand):
            changed.append(line(home.account, home.region, recorded))
            if len(changed) == APPENDS_AT_ONCE:
                self._store.commit(Commit(appends=changed))
                changed = []
        if changed:
            self._store.commit(Commit(appends=changed))

    def _changed(self, home: Home, declared: ResourceType, errand: Errand) -> Iterator[Recorded]:
        if errand.key != ALL:
            seen = self._discovery.one(declared, errand.key, home.account, home.region)
            known = self._known(home, declared, errand.key, seen)
            yield from self._compared(declared, seen, known, errand)
            return
        before = {each.id: each for each in self._history.identifiers(home.account, home.region, declared.name)}
        listed = list(self._discovery.every(declared, home.account, home.region))
        behind = self._waiting.errands(home, declared.name)
        for seen in listed:
            resource_id = item_of(declared, seen)["resourceId"]
            before.pop(resource_id, None)
            known = self._by_id(home, declared, resource_id)
            yield from self._compared(declared, seen, known, behind.get(seen.key, errand))
        for gone in before.values():
            yield from self._compared(declared, None, gone, behind.get(gone.key, errand))

    def _known(self, home: Home, declared: ResourceType, key: str, seen: Seen | None) -> Identifier | None:
        """What the history knows of a resource that was asked for by key. A key may be given again (a user's name), so
        one that was seen is known by its id."""
        if seen is None:
            return self._history.known_as(home.account, home.region, declared.name, key)
        return self._by_id(home, declared, item_of(declared, seen)["resourceId"])

    def _by_id(self, home: Home, declared: ResourceType, resource_id: str) -> Identifier | None:
        return self._history.identified(home.account, home.region, declared.name, resource_id)

    def _compared(
        self, declared: ResourceType, seen: Seen | None, known: Identifier | None, errand: Errand
    ) -> Iterator[Recorded]:
        """The item to append: none when nothing changed."""
        if seen is None:
            if known is not None and known.is_live:
                yield self._gone(known, errand)
            return
        item = item_of(declared, seen)
        facts = dict(seen.facts)
        seen_digest = digest_with_facts(item, facts)
        if known is not None and known.is_live:
            if known.digest == seen_digest:
                return
            if known.digest[:16] == seen_digest[:16]:
                last = self._last(known)
                yield Recorded(last.item, facts, last.cause, seen.key, FACTS)
                return
        last_item = self._last(known).item if known is not None else None
        yield Recorded(captured(item, self._world.now(), last_item, errand.events), facts, errand.cause, seen.key)

    def _gone(self, known: Identifier, errand: Errand) -> Recorded:
        last = self._last(known)
        item = captured(deleted(last.item), self._world.now(), last.item, errand.events)
        return Recorded(item, {}, errand.cause, known.key)

    def _last(self, known: Identifier) -> Recorded:
        found = self._history.latest(known.account, known.region, known.type, known.id)
        assert found is not None, f"the history knows {known.type} '{known.id}' and has no item of it"
        return found

    def _together(self, row: OutboxRow) -> tuple[Errand, list[str]]:
        """The row's errand, with those that wait for the same in its queue; and their ids, the row's own left out."""
        errand = read_errand(row)
        others = [each for each in self._store.outbox(row.queue, WAITING_MAX) if each.id != row.id]
        same = [(each.id, found) for each in others if (found := read_errand(each)).key == errand.key]
        for _, other in same:
            errand.add(other)
        return errand, [each for each, _ in same]

    # What became of it.

    def _put_off(
        self, row: OutboxRow, home: Home, type_name: str, failure: DiscoveryFailed, *, is_retry: bool, done: list[str]
    ) -> Commit:
        shelf = self._told(home, type_name, FAILURE, failure.code, failure.message)
        if not is_retry:
            retry = f"{row.queue}/retry/{read_errand(row).key}"
            return Commit(done=done, shelf=shelf, outbox=[OutboxRow(retry, f"{row.id}/retry", row.body)])
        self._tries[row.id] += 1
        if self._tries[row.id] > RETRIES_MAX:
            del self._tries[row.id]
            return Commit(done=done, shelf=shelf)
        raise Later(failure.message, RETRY_SECONDS * 2 ** self._tries[row.id], Commit(shelf=shelf))

    def _told(self, home: Home, type_name: str, status: str, code: str = "", message: str = "") -> list[ShelfChange]:
        """The change to the type's document; none when it says that already."""
        key = recording_key(home, type_name)
        document = self._store.get(key)
        before = {} if document is None else document.value
        if status == before.get("lastStatus") != FAILURE:
            return []
        now = record_time(self._world.now())
        value = {
            "lastStatus": status,
            "lastErrorCode": code,
            "lastErrorMessage": message,
            "lastStatusChangeTime": now if status != before.get("lastStatus") else before["lastStatusChangeTime"],
        }
        return [ShelfChange(key, value)]
