"""What a call costs inside the simulator's process, without sockets: the mix of `bench.gateway`, by operation.

Processor time, once as the house asks (service and operation named, with a caller) and once as nobody names them, which
is how the bare estate is asked. A fixed piece of work beside it says what the machine is worth just then. `--profile`
tells where the time of the named calls goes.

python -m bench.simulator [--turns 300] [--profile]
"""

import argparse
import cProfile
import io
import json
import os
import pstats
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
            self.serve(message, UNNAMED)
        self.turns(WARM_UP_TURNS, named=True)
        for service in dict(NAMES):
            self.simulator.warm(service)

    def turns(self, turns: int, *, named: bool) -> list[float]:
        """Microseconds of processor time a call, for each of the mix."""
        spent = [0.0] * len(self._mix)
        for _ in range(turns):
            for which, make in enumerate(self._mix):
                spent[which] += self.serve(make(next(self._numbers)), NAMES[which] if named else UNNAMED)
        return [each / turns for each in spent]

    def serve(self, message: bytes, named: tuple[str, str]) -> float:
        frame = frame_of(message, named, next(self._numbers))
        before = time.process_time_ns()
        answer = self.simulator.serve(frame, io.BytesIO(frame.body), len(frame.body))
        after = time.process_time_ns()
        assert isinstance(answer, Answered), answer
        assert answer.status < 400, answer
        return (after - before) / 1e3


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
    text = json.dumps([{f"key{n}": str(n) for n in range(20)} for _ in range(5)])
    sum(len(row) + text.count("1") for row in json.loads(text))
    return (time.process_time_ns() - before) / 1e3


def profile(bench: Bench, turns: int) -> None:
    profiler = cProfile.Profile()
    profiler.runcall(bench.turns, turns, named=True)
    statistics = pstats.Stats(profiler)
    statistics.sort_stats("tottime").print_stats(60)
    statistics.sort_stats("cumtime").print_stats(100)


def main() -> None:
    parser = argparse.ArgumentParser(description="What a call costs inside the simulator's process.")
    parser.add_argument("--turns", type=int, default=300)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    bench = Bench()
    if given.profile:
        profile(bench, given.turns)
        return
    rounds = [(bench.turns(1, named=True), bench.turns(1, named=False), reference_us()) for _ in range(given.turns)]
    named, bare, reference = (list(part) for part in zip(*rounds, strict=True))
    print(f"{'':34}{'named us':>10}{'bare us':>10}")
    for which, (service, operation) in enumerate(NAMES):
        row = [sum(each[which] for each in kind) / given.turns for kind in (named, bare)]
        print(f"{service + ' ' + operation:34}{row[0]:>10.0f}{row[1]:>10.0f}")
    means = [sum(map(sum, kind)) / given.turns / len(NAMES) for kind in (named, bare)]
    print(f"{'mean':34}{means[0]:>10.0f}{means[1]:>10.0f}")
    print(f"{'a fixed piece of work beside it':34}{sum(reference) / given.turns:>10.0f}")
    print(json.dumps({"named_us": means[0], "bare_us": means[1], "reference_us": sum(reference) / given.turns}))


if __name__ == "__main__":
    main()
