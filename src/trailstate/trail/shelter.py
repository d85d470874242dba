"""Under the house's own roof: a log file's bytes stand in Objects before their first way out, until that is over.

What was tried once is delivered with the same bytes, whatever compresses the next file; so they are kept before the
first attempt and fetched for every other one. Once the row of a window is done nobody needs them any more: the bucket
has the file, the journal its records. Each queue of windows goes in its order, so that only the first window of each
can have bytes that are needed still; all others are cleared away from time to time. That does not hang on the row's
own completion: a process that dies between the two leaves nothing behind for long.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from trailstate.stores.interface import Objects, Store
from trailstate.trail.window import QUEUE, Window, window_of

FOLDER = "delivery/"
CLEARED_EVERY = timedelta(hours=1)
LISTED_MAX = 100_000
"""How many objects are listed at once: what lists them walks through all of them each time."""


def shelter_of(window: Window) -> str:
    """Where a log file's bytes are kept."""
    return f"{FOLDER}{window.time:%Y-%m-%d}/{window.token}"


def kept(objects: Objects, key: str, make: Callable[[], bytes]) -> bytes:
    """The bytes under the key: those that an earlier attempt kept, else fresh ones."""
    found = objects.get(key)
    if found is None:
        found = make()
        objects.put_if_absent(key, found)
    return found


class Clearing:
    """The timer that clears away what was delivered."""

    name = "delivered"

    def __init__(self, store: Store, objects: Objects) -> None:
        self._store = store
        self._objects = objects
        self._next = datetime(1970, 1, 1, tzinfo=UTC)

    def due(self) -> datetime | None:
        return self._next

    def run(self, now: datetime) -> None:
        """What is kept is listed before what is needed: a window that began meanwhile is not on the list."""
        found = list(self._found())
        needed = frozenset(self._needed())
        for key in found:
            if key not in needed:
                self._objects.remove(key)
        self._next = now + CLEARED_EVERY

    def _found(self) -> Iterator[str]:
        after = ""
        while page := self._objects.list(FOLDER, after, LISTED_MAX):
            yield from (each.key for each in page)
            after = page[-1].key

    def _needed(self) -> Iterator[str]:
        for queue in self._store.queues(QUEUE):
            yield from (shelter_of(window_of(row)) for row in self._store.outbox(queue, 1))
