"""What surrounds a simulated process: clocks that are set, objects that remember, an organization, and the weather."""

import random
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from tests.simulation.evidence import Members
from tests.simulation.model import moved
from trailstate.stores.interface import JOURNAL
from trailstate.stores.memory import Faults, MemoryObjects, MemoryStore
from trailstate.wire.fault import Fault
from trailstate.world import SimulatedWorld


class SteppedWorld(SimulatedWorld):
    """A world whose wall clock is set now and then, as clocks are; the monotonic one only runs."""

    elapsed = 0.0

    def monotonic(self) -> float:
        return self.elapsed

    def pass_time(self, by: timedelta) -> None:
        self.elapsed += by.total_seconds()
        self.advance(by)


class WatchedObjects(MemoryObjects):
    """Objects that remember what ever stood there: nothing may be made a second time."""

    def __init__(self, faults: Faults) -> None:
        super().__init__(faults)
        self.ever: set[str] = set()
        self.findings: list[str] = []

    def put_if_absent(self, key: str, body: bytes) -> None:
        if key in self.ever and key not in self._bodies:
            self.findings.append(f"the object '{key}' was cleared away before it was delivered")
        super().put_if_absent(key, body)
        self.ever.add(key)


class JournalMembers(Members):
    """One organization, as the calls that the journal holds by now have made it."""

    store: MemoryStore

    def members(self, manager: str) -> frozenset[str]:
        members = frozenset(self.accounts)
        for entry in self.store.read(JOURNAL, 0, 10**9):
            if b"organizations.amazonaws.com" in entry.body:
                members = moved(members, msgspec.json.decode(entry.body))
        return members


class Crash(BaseException):
    """The process dies here."""


@dataclass
class Weather:
    """How often a call fails, in which form, and how often the process dies of it."""

    draw: random.Random
    rate: float = 0.0
    lost_answers: int = 0

    def fails(self, operation: str, kept: bool) -> None:
        if self.draw.random() >= self.rate:
            return
        self.lost_answers += kept
        if self.draw.random() < 0.2:
            raise Crash(operation)
        raise Fault("ServiceUnavailable", "Please reduce your request rate.", 503, "s3")
