"""Two days of evidence under everything that can go wrong: a seed in, findings out. `python -m tests.simulation.run`.

A seed decides what is called, which trails change, how the clock steps, when the process dies and what fails, before
its effect or after it. Whatever happens, a plain reading of the journal says which records belong to which trail; after
each step what was newly delivered is held against it, every 200 steps and at the end everything is. At the end the
weather turns fine, logging stops, and all of it must drain.

Delivery never lists a bucket, so stale listings can only strike the house's own objects; they are armed all the same.
"""

import argparse
import logging
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from tests.simulation.cloud import Cloud
from tests.simulation.evidence import ACCOUNT, REGION, Evidence, Parts, a_trail
from tests.simulation.log_check import LogCheck
from tests.simulation.model import ACCOUNTS, BUCKETS, REGIONS, Model
from tests.simulation.surroundings import Crash, JournalMembers, SteppedWorld, WatchedObjects, Weather
from trailstate.stores.interface import StoreUnavailable
from trailstate.stores.memory import Faults, MemoryStore
from trailstate.trail.keys import PublicKey, public_keys
from trailstate.trail.trails import CHANGE

HOURS = 48
FULL_CHECK_STEPS = 200
BEHIND = timedelta(hours=6)
"""How much the wall clock may be behind the time that has passed: steps of two hours, a few times over."""


class Simulation:
    """One seed's history."""

    def __init__(self, seed: int, parts: Parts, directory: Path) -> None:
        self.draw = random.Random(seed)
        self.world = SteppedWorld(seed)
        self.faults = Faults()
        self.weather = Weather(self.draw)
        self.cloud = Cloud(self.weather.fails)
        for names in BUCKETS.values():
            for name in names:
                self.cloud.make_bucket(name)
        self.store = MemoryStore(self.world, self.faults)
        self.objects = WatchedObjects(self.faults)
        members = JournalMembers(set(ACCOUNTS))
        members.store = self.store
        self.evidence = Evidence(
            self.world, self.store, self.objects, self.cloud, directory,
            key_days=1, members=members, parts=parts, regions=REGIONS,
        )  # fmt: skip
        self.model = Model()
        self.gone: dict[str, dict[str, Any]] = {}
        self.taken: dict[str, int] = dict.fromkeys((name for names in BUCKETS.values() for name in names), 0)
        self.checks = {name: LogCheck(self.keys) for name in BUCKETS}
        self.began = self.world.now()

    def keys(self, region: str, moment: datetime) -> list[PublicKey]:
        return public_keys(self.store, region, moment, moment)

    # What happens.

    def run(self) -> list[str]:
        """Every finding."""
        acts, weights = zip(*ACTS.items(), strict=True)
        for step in range(1, 10**6):
            if self.world.elapsed >= HOURS * 3600:
                break
            with self.surviving():
                self.draw.choices(acts, weights)[0](self)
            if found := self.look(is_full=step % FULL_CHECK_STEPS == 0):
                return found
        return self.calm()

    @contextmanager
    def surviving(self) -> Iterator[None]:
        """What a part raises is tried again later, as the runner does; a process that dies is started again."""
        try:
            yield
        except StoreUnavailable:
            if self.draw.random() < 0.3:
                self.evidence = self.evidence.restarted()
        except Crash:
            self.evidence = self.evidence.restarted()

    def calm(self) -> list[str]:
        """No faults any more; logging stops; everything drains."""
        self.weather.rate = 0
        self.faults.__init__()  # type: ignore[misc]
        self.cloud.buckets.update(self.gone)
        self.world.advance(timedelta(seconds=self.world.elapsed) - (self.world.now() - self.began) + BEHIND)
        for name in BUCKETS:
            self.change(name, a_trail(Name=name, IsLogging=False))
        for _ in range(6):
            self.world.pass_time(timedelta(minutes=20))
            self.evidence.runner.run_until_idle()
        left = [f"the queue '{queue}' never drained" for queue in self.store.queues("")]
        return [*left, *self.leftovers(), *self.look(is_full=True, is_over=True), *self.onward()]

    def leftovers(self) -> list[str]:
        """What nobody needs any more is gone."""
        told = [f"the change {key.name} was never forgotten" for key, _ in self.store.documents(None, None, CHANGE)]
        return told + [f"the object '{each.key}' was never cleared away" for each in self.objects.list("delivery/")]

    def change(self, name: str, trail: dict[str, Any], *, is_gone: bool = False) -> None:
        event_id = self.world.uuid()
        self.model.attempted[event_id], self.model.names[event_id] = None if is_gone else trail, name
        self.evidence.change(trail, "UpdateTrail", is_gone=is_gone, event_id=event_id)

    # What must hold.

    def look(self, *, is_full: bool = False, is_over: bool = False) -> list[str]:
        for name, buckets in BUCKETS.items():
            for bucket in buckets:
                self._take(name, bucket)
        self.model.follow(self.store)
        findings = [f"{name}: {each}" for name, check in self.checks.items() for each in check.findings]
        findings += self.objects.findings
        if is_full:
            for name, check in self.checks.items():
                told = check.finish(self.model.expected[name], is_digested=is_over)
                findings += [f"{name}: {each}" for each in told if is_over or "is in no file" not in each]
                findings += self._beginnings(name, check, is_over=is_over)
        return findings

    def _take(self, name: str, bucket: str) -> None:
        objects = self.cloud.buckets.get(bucket) or self.gone.get(bucket) or {}
        for key, stored in list(objects.items())[self.taken[bucket] :]:
            self.checks[name].take(bucket, key, stored.body, stored.metadata)
        self.taken[bucket] = len(objects)

    def _beginnings(self, name: str, check: LogCheck, *, is_over: bool) -> list[str]:
        """Chains begin where logging begins and nowhere else; in the trail's own account they all do, in every Region
        that it covers, whatever happened there."""
        found = Counter(check.beginnings())
        starts = {region: self.model.starts[name, region] for region in REGIONS}
        wrong = [(place, count) for place, count in found.items() if count > starts[place.split("_")[2]]]
        own = {region: f"{ACCOUNT}_CloudTrail-Digest_{region}_{name}_{REGION}" for region in REGIONS if is_over}
        wrong += [(place, found[place]) for region, place in own.items() if found[place] < starts[region]]
        return [f"{name}: '{place}' began {count} times of {starts}" for place, count in wrong]

    def onward(self) -> list[str]:
        """Each record that goes to the log group is there; twice only if an answer was lost."""
        logged = [
            msgspec.json.decode(event["message"])["eventID"]
            for events in self.cloud.streams.values()
            for event in events
        ]
        wanted = self.model.expected["all"]
        findings = [f"the log group lacks {each}" for each in sorted(wanted.difference(logged))]
        if len(logged) > len(set(logged)) and not self.weather.lost_answers and not self.died:
            findings.append("the log group has records twice")
        return findings

    died = False


def call_something(sim: Simulation) -> None:
    for _ in range(sim.draw.randint(1, 4)):
        sim.evidence.record(
            recipientAccountId=sim.draw.choice(ACCOUNTS),
            awsRegion=sim.draw.choice(REGIONS),
            readOnly=sim.draw.random() < 0.3,
        )


def let_time_pass(sim: Simulation) -> None:
    sim.world.pass_time(timedelta(seconds=sim.draw.randint(1, 2400)))


def step_the_clock(sim: Simulation) -> None:
    behind = timedelta(seconds=sim.world.elapsed) - (sim.world.now() - sim.began)
    step = timedelta(seconds=sim.draw.randint(-7200, 7200))
    if abs(behind - step) < BEHIND:
        sim.world.advance(step)


def work_a_little(sim: Simulation) -> None:
    for _ in range(sim.draw.randint(1, 4)):
        sim.draw.choice(sim.evidence.runner._driven).step()


def work_it_all_off(sim: Simulation) -> None:
    sim.evidence.runner.run_until_idle()


def die(sim: Simulation) -> None:
    sim.died = True
    sim.evidence = sim.evidence.restarted()


def change_the_weather(sim: Simulation) -> None:
    sim.weather.rate = sim.draw.choice((0.0, 0.0, 0.02, 0.2))


def arm_a_fault(sim: Simulation) -> None:
    name = sim.draw.choice(("commit", "read", "put", "get", "list", "remove"))
    sim.faults.arm(
        name, kept=name in ("commit", "put", "remove") and sim.draw.random() < 0.5, count=sim.draw.randint(1, 2)
    )


def take_a_bucket_away(sim: Simulation) -> None:
    """Or bring those back that were taken."""
    if sim.gone:
        sim.cloud.buckets.update(sim.gone)
        sim.gone = {}
    else:
        name = sim.draw.choice(list(sim.taken))
        sim.gone = {name: sim.cloud.buckets.pop(name)}


def change_a_trail(sim: Simulation) -> None:
    name = sim.draw.choice(list(BUCKETS))
    is_gone = sim.draw.random() < 0.1
    is_narrow = sim.draw.random() < 0.2
    trail = a_trail(
        Name=name,
        S3BucketName=sim.draw.choice(BUCKETS[name]),
        IsLogging=sim.draw.random() < 0.8,
        IsMultiRegionTrail=name == "all" and not is_narrow,
        IsOrganizationTrail=name == "all",
        OrganizationId="o-sim",
        CloudWatchLogsLogGroupArn=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:trail:*" if name == "all" else None,
        EventSelectors=[{"ReadWriteType": sim.draw.choice(("All", "All", "ReadOnly", "WriteOnly"))}],
    )
    sim.change(name, trail, is_gone=is_gone)


def move_an_account(sim: Simulation) -> None:
    """The member joins or leaves the organization; neither changes anything when it is there, or gone, already."""
    account, told = ACCOUNTS[1], {"eventSource": "organizations.amazonaws.com"}
    if account in sim.evidence.members.members(ACCOUNT):
        sim.evidence.record(**told, eventName="RemoveAccountFromOrganization", requestParameters={"accountId": account})
    else:
        created = {"createAccountStatus": {"accountId": account}}
        sim.evidence.record(**told, eventName="CreateAccount", responseElements=created)


ACTS: dict[Callable[[Simulation], None], int] = {
    call_something: 40,
    let_time_pass: 40,
    work_a_little: 30,
    work_it_all_off: 15,
    change_a_trail: 4,
    move_an_account: 3,
    change_the_weather: 4,
    arm_a_fault: 4,
    step_the_clock: 3,
    die: 3,
    take_a_bucket_away: 2,
}


def simulate(seed: int, parts: Parts = Parts()) -> list[str]:  # noqa: B008 - a frozen value
    """The findings of one seed."""
    with tempfile.TemporaryDirectory(prefix="simulation-") as directory:
        return Simulation(seed, parts, Path(directory)).run()


def _told(seed: int) -> tuple[int, list[str]]:
    return seed, simulate(seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    began, failed = time.perf_counter(), 0
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    with multiprocessing.Pool(arguments.processes) as pool:
        for seed, findings in pool.imap_unordered(_told, seeds, chunksize=4):
            if findings:
                failed += 1
                print(f"seed {seed}:", *findings[:5], sep="\n  ", flush=True)
    elapsed = time.perf_counter() - began
    print(f"{len(seeds)} seeds of {HOURS} hours in {elapsed:.0f} s: {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
