"""What a call costs inside the simulator's process, without sockets: the mix of `bench.gateway`, by operation.

Processor time, once as the house asks (service and operation named, with a caller) and once as nobody names them, which
is how the bare estate is asked. A fixed piece of work beside it says what the machine is worth just then. `--profile`
tells where the time of the named calls goes.

python -m bench.simulator [--turns 400] [--profile]
"""

import argparse
import cProfile
import io
import json
import os
import pstats
import statistics
import time
from itertools import count

from trailstate.estate.child.sources import Sources
from trailstate.estate.frames import Answered, Caller, Serve
from trailstate.estate.program import ENVIRONMENT

os.environ.update(ENVIRONMENT)  # before moto is imported, which reads it once

EPOCH = 1_768_469_400_000_000
ACCOUNT = "123456789012"
UNNAMED = ("", "")
NAMES = (
    ("s3", "CreateBucket"),
    ("s3", "GetBucketLocation"),
    ("ec2", "DescribeVpcs"),
    ("ec2", "CreateSecurityGroup"),
    ("iam", "CreateUser"),
    ("iam", "GetUser"),
    ("sts", "AssumeRole"),
    ("sts", "GetSessionToken"),
    ("sqs", "CreateQueue"),
    ("sqs", "GetQueueUrl"),
)
USER = f"arn:aws:iam::{ACCOUNT}:user/bench"
CALLER = Caller("IAMUser", "AIDAEXAMPLE", USER, ACCOUNT, "bench", mfa=False, source_identity=None)
WARM_UP_TURNS = 20
BATCH = 20


class Bench:
    """A simulator in this process, the clock of which is the requests' own."""

    def __init__(self) -> None:
        sources = Sources(EPOCH)
        from bench.gateway import MIX, PREPARE
        from trailstate.estate.child.simulator import Simulator

        self.simulator = Simulator(sources)
        self._mix = MIX
        self._numbers = count(1)
        for message in PREPARE:
            self.serve(frame_of(message, UNNAMED, next(self._numbers)))
        self.turns(WARM_UP_TURNS, named=True)
        for service in dict(NAMES):
            self.simulator.warm(service)

    def turns(self, turns: int, *, named: bool) -> None:
        for _ in range(turns):
            for which in range(len(self._mix)):
                self.calls(which, 1, named=named)

    def calls(self, which: int, calls: int, *, named: bool) -> float:
        """Microseconds of processor time a call; asking for them costs as much as a call, so it is seldom done."""
        name = NAMES[which] if named else UNNAMED
        frames = [frame_of(self._mix[which](next(self._numbers)), name, next(self._numbers)) for _ in range(calls)]
        before = time.process_time_ns()
        for frame in frames:
            self.serve(frame)
        return (time.process_time_ns() - before) / 1e3 / calls

    def serve(self, frame: Serve) -> None:
        answer = self.simulator.serve(frame, io.BytesIO(frame.body), len(frame.body))
        assert isinstance(answer, Answered), answer
        assert answer.status < 400, answer


def frame_of(message: bytes, named: tuple[str, str], number: int) -> Serve:
    head, _, body = message.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, target, _ = first.split(" ")
    service, operation = named
    return Serve(
        method=method,
        target=target,
        headers=[(name.lower(), value) for name, _, value in (line.partition(": ") for line in lines)],
        body=body,
        source_address="127.0.0.1",
        service=service,
        operation=operation,
        account=ACCOUNT,
        region="us-east-1",
        now_microseconds=EPOCH + number * 1000,
        seed=number,
        caller=CALLER if service else None,
        number=number,
    )


def reference_us() -> float:
    """Others' load makes all work dearer alike, this too."""
    before = time.process_time_ns()
    for _ in range(BATCH):
        text = json.dumps([{f"key{n}": str(n) for n in range(20)} for _ in range(5)])
        sum(len(row) + text.count("1") for row in json.loads(text))
    return (time.process_time_ns() - before) / 1e3 / BATCH


def profile(bench: Bench, turns: int) -> None:
    profiler = cProfile.Profile()
    profiler.runcall(bench.turns, turns, named=True)
    statistics = pstats.Stats(profiler)
    statistics.sort_stats("tottime").print_stats(60)
    statistics.sort_stats("cumtime").print_stats(100)


def main() -> None:
    parser = argparse.ArgumentParser(description="What a call costs inside the simulator's process.")
    parser.add_argument("--turns", type=int, default=400)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    bench = Bench()
    if given.profile:
        profile(bench, given.turns)
        return
    figures: dict[str, list[list[float]]] = {kind: [[] for _ in NAMES] for kind in ("named", "bare")}
    references = []
    for _ in range(max(1, given.turns // BATCH)):
        references.append(reference_us())
        for which in range(len(NAMES)):
            figures["named"][which].append(bench.calls(which, BATCH, named=True))
            figures["bare"][which].append(bench.calls(which, BATCH, named=False))
    medians = {kind: list(map(statistics.median, rows)) for kind, rows in figures.items()}
    print(f"{'':34}{'named us':>10}{'bare us':>10}")
    for (service, operation), *row in zip(NAMES, *medians.values(), strict=True):
        print(f"{service + ' ' + operation:34}{row[0]:>10.0f}{row[1]:>10.0f}")
    named, bare = (statistics.mean(row) for row in medians.values())
    reference = statistics.median(references)
    print(f"{'mean':34}{named:>10.0f}{bare:>10.0f}")
    print(f"{'a fixed piece of work beside it':34}{reference:>10.0f}")
    print(json.dumps({"named_us": named, "bare_us": bare, "reference_us": reference}))


if __name__ == "__main__":
    main()
