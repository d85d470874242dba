"""The runner: drives followers, timers and shippers in threads of their own, or all of them to idle in the caller's."""

import contextlib
import logging
import threading
from collections.abc import Iterator
from typing import Protocol

from trailstate.follow.follower import Follower, Following
from trailstate.follow.shipping import Shipper, Shipping
from trailstate.follow.timing import Timer, Timing
from trailstate.stores.interface import News, Store
from trailstate.world import World

log = logging.getLogger(__name__)

NAMES_KEPT_MAX = 256
BACK_OFF_SECONDS_MIN = 0.5
BACK_OFF_SECONDS_MAX = 30.0


class Driven(Protocol):
    """What the runner drives: something that can take a step whenever it is asked to."""

    name: str
    threads: int
    """How many may step it at a time."""
    linger_seconds: float
    error: str

    def step(self, *, waits: bool = True) -> int:
        """Do some of what there is to do; how much was done. `waits`: for another thread's step to end first."""

    def hears(self, news: News) -> bool:
        """Whether it has something to do after that."""

    def rest_seconds(self) -> float:
        """How long it may rest after a step that found nothing, unless it hears something; 0 or less is not at all."""

    def paused(self) -> contextlib.AbstractContextManager[None]:
        """It takes no step inside this block."""

    def status(self) -> dict[str, int | str]: ...


class _Hushed(threading.local):
    """What each thread has to tell later; None in one that tells at once."""

    names: set[str] | None = None


class Runner:
    """Drives everything that happens behind the calls."""

    def __init__(self, store: Store, world: World, *, back_off_seconds: float = BACK_OFF_SECONDS_MIN) -> None:
        self._back_off_seconds = back_off_seconds
        self._store = store
        self._world = world
        self._followings: dict[str, Following] = {}
        self._shippings: dict[str, Shipping] = {}
        self._driven: list[Driven] = []
        self._threads: list[threading.Thread] = []
        self._bells: list[tuple[Driven, threading.Event]] = []
        self._rung: dict[str, list[threading.Event]] = {}
        """The bells of those who have something to do after a ledger grew or a queue was filled, by its name."""
        self._commits = 0
        self._hushed = _Hushed()
        self._stopped = threading.Event()
        store.on_commit(self._notify)

    def add(self, follower: Follower) -> None:
        self._followings[follower.name] = following = Following(self._store, follower)
        self._driven.append(following)

    def add_timer(self, timer: Timer) -> None:
        self._driven.append(Timing(self._world, timer))

    def add_shipper(self, shipper: Shipper) -> None:
        self._shippings[shipper.prefix] = shipping = Shipping(self._store, self._world, shipper, self._ring)
        self._driven.append(shipping)

    def run_once(self, follower: Follower) -> int:
        """One batch; how many entries it took, 0 when there was nothing to do."""
        return self._followings[follower.name].step()

    def catch_up(self, follower: Follower, upto: int, seconds: float = 1.0) -> bool:
        """Run the follower up to a position, within a time that ends between batches; whether it got there."""
        following = self._followings[follower.name]
        deadline = self._world.monotonic() + seconds
        while follower.cursor() < upto:
            left = deadline - self._world.monotonic()
            if left <= 0 or not following.lock.acquire(timeout=left):
                break
            try:
                if not following.take():
                    break
            finally:
                following.lock.release()
        return follower.cursor() >= upto

    def drain(self, prefix: str, queue: str) -> None:
        """Have the effects that a shipper's queue holds done now, so that a reader sees its own writes."""
        self._shippings[prefix].drain(queue)

    def run_until_idle(self) -> None:
        """Until nothing has anything left to do at the world's present time."""
        seen = self._commits
        while sum(each.step() for each in self._driven) or seen != self._commits:
            seen = self._commits  # what another thread did meanwhile may have left work to one that had its turn

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing takes a step inside this block: what they read and write may be replaced."""
        with contextlib.ExitStack() as held:
            for each in self._driven:
                held.enter_context(each.paused())
            yield
        for _, bell in self._bells:
            bell.set()

    def status(self) -> dict[str, dict[str, int | str]]:
        """What each has done, and the error that holds it up."""
        return {each.name: each.status() for each in self._driven}

    def start(self) -> None:
        """Drive everything in threads until `stop`."""
        self._bells = [(each, threading.Event()) for each in self._driven for _ in range(each.threads)]
        self._rung = {}
        for each, bell in self._bells:
            thread = threading.Thread(target=self._loop, args=(each, bell), name=each.name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        self._stopped.set()
        for _, bell in self._bells:
            bell.set()
        for thread in self._threads:
            thread.join()

    @contextlib.contextmanager
    def hushed(self) -> Iterator[None]:
        """What this thread commits within the block wakes nobody before its end. So whoever waits for an answer has it
        before those who work behind it want the interpreter."""
        names = self._hushed.names = set()
        try:
            yield
        finally:
            self._hushed.names = None
            for name in names:
                self._ring(name)

    def _notify(self, news: News) -> None:
        """Wake those alone who have something to do: a call's commit is on its caller's way."""
        self._commits += 1
        if self._hushed.names is not None:
            self._hushed.names |= news
            return
        for name in news:
            self._ring(name)

    def _ring(self, name: str) -> None:
        """Wake those who have something to do after a ledger grew or a queue was filled."""
        bells = self._rung.get(name)
        for bell in self._bells_for(name) if bells is None else bells:
            if not bell.is_set():
                bell.set()

    def _bells_for(self, name: str) -> list[threading.Event]:
        """Queues have names without end; those of the ledgers are asked for again and again. What is kept is looked up
        before the bells are: what was found before a start is not kept after it."""
        rung = self._rung
        if len(rung) >= NAMES_KEPT_MAX:
            rung.clear()
        news = frozenset({name})
        bells = rung[name] = [bell for driven, bell in self._bells if driven.hears(news)]
        return bells

    def _loop(self, driven: Driven, bell: threading.Event) -> None:
        back_off = self._back_off_seconds
        while not self._stopped.is_set():
            bell.clear()
            try:
                busy = driven.step(waits=driven.threads == 1) > 0
                rest_seconds = driven.linger_seconds if busy else driven.rest_seconds()
            except Exception as error:  # What fails must be seen, and must not end the server.
                log.exception("%s failed; trying again in %s s", driven.name, back_off)
                driven.error = f"{self._world.now():%Y-%m-%dT%H:%M:%SZ} {type(error).__name__}: {error}"
                self._stopped.wait(back_off)
                back_off = min(2 * back_off, BACK_OFF_SECONDS_MAX)
            else:
                if not isinstance(driven, Shipping):
                    driven.error = ""
                back_off = self._back_off_seconds
                if rest_seconds > 0 and not self._stopped.is_set():
                    # After work more is let gather, whatever rings meanwhile.
                    (self._stopped if busy else bell).wait(rest_seconds)
