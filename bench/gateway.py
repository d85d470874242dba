"""What recording costs: the same mixed calls through Trailstate, moto bare, our simulator bare, and moto's own server.

*moto, bare* is moto's services as published, behind our HTTP server in one process: the estate of somebody who does
without us, at its quickest. *Our simulator, bare* is the process that Trailstate asks, behind the same HTTP server:
moto with what we spare it. *moto_server* is moto's own server.

All servers are up; each is asked for a moment in turn, and what is compared are moments that follow one another, for a
machine that others use as well is now fast and now slow. Medians. The client writes prepared bytes to plain sockets, so
that what is measured is the server. Goals: throughput at least 0.9 of the bare estate's; added latency p50 <= 1 ms, p99
<= 10 ms.
The processor time of a call, the server's and the estate's apart, is what bounds the throughput where all share the
cores; it can be compared on a machine that is busy with something else, which the other figures cannot.

python -m bench.gateway [--clients 1 16] [--rounds 16] [--seconds 0.75] [--servers trailstate moto_server]
"""

import argparse
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from bench.start import descendants

SERVERS = ("trailstate", "moto, bare", "our simulator, bare", "moto_server")
BARE = SERVERS[1:3]
WARM_UP_CALLS = 200
WARM_UP_SECONDS = 5.0
"""A server that has just started loads what it will need behind the first calls."""
ACCOUNT = "123456789012"
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Figures:
    calls_per_second: float
    p50_ms: float
    p99_ms: float
    server_ms: float
    """Processor time of the server's own process, a call."""
    estate_ms: float
    """That of its children."""


FIELDS = tuple(Figures.__annotations__)
Measured = dict[tuple[str, int], list[Figures]]
"""By server and number of clients, a row each round."""


@dataclass(frozen=True)
class Spent:
    """Processor seconds of a server so far."""

    server: float
    estate: float


def spent(pid: int) -> Spent:
    return Spent(processor_seconds(pid), sum(map(processor_seconds, descendants(pid))))


def processor_seconds(pid: int) -> float:
    """User and system time of a process (proc(5), `stat`); 0 where there is no such file system."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def request(service: str, method: str, path: str, body: str = "", **headers: str) -> bytes:
    credential = f"{ACCOUNT}/20260115/us-east-1/{service}/aws4_request"
    lines = {
        "Host": "localhost",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=00",
        "X-Amz-Date": "20260115T093000Z",
        "User-Agent": "bench",
        "Content-Length": str(len(body)),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n{body}".encode()


def form(service: str, version: str, action: str, **members: str) -> bytes:
    body = urllib.parse.urlencode({"Action": action, "Version": version, **members})
    return request(service, "POST", "/", body, Content_Type="application/x-www-form-urlencoded; charset=utf-8")


def target(service: str, name: str, **members: str) -> bytes:
    return request(
        service, "POST", "/", json.dumps(members), X_Amz_Target=name, Content_Type="application/x-amz-json-1.0"
    )


TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
ROLE = f"arn:aws:iam::{ACCOUNT}:role/bench"

MIX: tuple[Callable[[int], bytes], ...] = (
    lambda n: request("s3", "PUT", f"/bench-{n}"),
    lambda n: request("s3", "GET", "/bench-0?location"),
    lambda n: form("ec2", "2016-11-15", "DescribeVpcs"),
    lambda n: form("ec2", "2016-11-15", "CreateSecurityGroup", GroupName=f"g-{n}", GroupDescription="bench"),
    lambda n: form("iam", "2010-05-08", "CreateUser", UserName=f"user-{n}"),
    lambda n: form("iam", "2010-05-08", "GetUser", UserName="user-0"),
    lambda n: form("sts", "2011-06-15", "AssumeRole", RoleArn=ROLE, RoleSessionName=f"s{n}"),
    lambda n: form("sts", "2011-06-15", "GetSessionToken"),
    lambda n: target("sqs", "AmazonSQS.CreateQueue", QueueName=f"queue-{n}"),
    lambda n: target("sqs", "AmazonSQS.GetQueueUrl", QueueName="queue-0"),
)
PREPARE = (
    request("s3", "PUT", "/bench-0"),
    form("iam", "2010-05-08", "CreateRole", RoleName="bench", AssumeRolePolicyDocument=TRUST),
    form("iam", "2010-05-08", "CreateUser", UserName="user-0"),
    target("sqs", "AmazonSQS.CreateQueue", QueueName="queue-0"),
)


class Client:
    """One connection, opened again when the server closes it (moto's does, after each answer)."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._buffer = b""

    def call(self, message: bytes) -> int:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._buffer = b""
        self._socket.sendall(message)
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            self._receive()
        head = self._buffer[:end].lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0]) if b"content-length:" in head else 0
        while len(self._buffer) < end + 4 + length:
            self._receive()
        self._buffer = self._buffer[end + 4 + length :]
        if b"connection: close" in head or head.startswith(b"http/1.0"):
            self._socket.close()
            self._socket = None
        return int(head[9:12])

    def _receive(self) -> None:
        assert self._socket is not None
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed the connection in the middle of an answer")
        self._buffer += data


@contextlib.contextmanager
def serving(name: str, port: int, directory: str) -> Iterator[int]:
    commands = {
        "trailstate": [BIN / "trailstate", "up", "--port", str(port), "--data", directory],
        "moto, bare": [sys.executable, "-m", "bench.moto_bare", str(port)],
        "our simulator, bare": [sys.executable, "-m", "bench.passthrough", str(port), directory],
        "moto_server": [BIN / "moto_server", "-p", str(port)],
    }
    server = subprocess.Popen(commands[name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                assert server.poll() is None, f"{name} ended at start"
                time.sleep(0.05)
        yield server.pid
    finally:
        server.terminate()
        server.wait()


def load(pid: int, port: int, clients: int, numbers: Iterator[int], seconds: float) -> Figures:
    latencies: list[float] = []
    failures: list[int] = []
    before = spent(pid)
    deadline = time.perf_counter() + seconds

    def work(first: int) -> None:
        client, mine = Client(port), []
        for turn in count(first):
            started = time.perf_counter()
            if started > deadline:
                break
            status = client.call(MIX[turn % len(MIX)](next(numbers)))
            mine.append(time.perf_counter() - started)
            if status >= 400:
                failures.append(status)
        latencies.extend(mine)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = spent(pid)
    assert not failures, f"{len(failures)} calls failed: {sorted(set(failures))}"
    latencies.sort()
    total = len(latencies)
    return Figures(
        total / seconds,
        latencies[total // 2] * 1e3,
        latencies[int(total * 0.99)] * 1e3,
        (after.server - before.server) / total * 1e3,
        (after.estate - before.estate) / total * 1e3,
    )


def measure(names: Sequence[str], clients: Sequence[int], rounds: int, seconds: float) -> Measured:
    """All servers are up, and each is asked for a moment in turn: what the machine does meanwhile meets all alike."""
    with contextlib.ExitStack() as up, tempfile.TemporaryDirectory() as directory:
        numbers, started = count(1), []
        for name in names:
            port, place = free_port(), Path(directory) / name
            place.mkdir()
            started.append((name, port, up.enter_context(serving(name, port, str(place / "data")))))
        time.sleep(WARM_UP_SECONDS)
        for name, port, _ in started:
            warm_up(name, Client(port), numbers)
        measured: Measured = {(name, each): [] for name in names for each in clients}
        for each in clients:
            for _ in range(rounds):
                for name, port, pid in started:
                    measured[name, each].append(load(pid, port, each, numbers, seconds))
        return measured


def warm_up(name: str, client: Client, numbers: Iterator[int]) -> None:
    for message in PREPARE:
        assert client.call(message) < 400, f"{name} refused a prepared call"
    for turn in range(WARM_UP_CALLS):
        client.call(MIX[turn % len(MIX)](next(numbers)))


def against(ours: list[Figures], bare: list[Figures]) -> dict[str, float]:
    """What the gateway costs, each round held against the same round of the bare estate."""
    pairs = list(zip(ours, bare, strict=True))
    return {
        "throughput": statistics.median(a.calls_per_second / b.calls_per_second for a, b in pairs),
        "added_p50_ms": statistics.median(a.p50_ms - b.p50_ms for a, b in pairs),
        "added_p99_ms": statistics.median(a.p99_ms - b.p99_ms for a, b in pairs),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="What recording costs.")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--rounds", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=0.75, help="Of each server and round.")
    parser.add_argument("--servers", choices=SERVERS, nargs="+", default=SERVERS)
    given = parser.parse_args()
    measured = measure(given.servers, given.clients, given.rounds, given.seconds)
    result: dict[str, dict[str, float]] = {}
    print(f"{'':20}{'clients':>8}{'calls/s':>10}{'p50 ms':>9}{'p99 ms':>9}{'server ms':>11}{'estate ms':>11}")
    for clients in given.clients:
        figures = {name: measured[name, clients] for name in given.servers}
        for name in given.servers:
            row = [statistics.median(getattr(each, field) for each in figures[name]) for field in FIELDS]
            result[f"{name}/{clients}"] = dict(zip(FIELDS, row, strict=True))
            print(f"{name:20}{clients:>8}{row[0]:>10.0f}{row[1]:>9.2f}{row[2]:>9.2f}{row[3]:>11.3f}{row[4]:>11.3f}")
        for bare in BARE if "trailstate" in figures else ():
            if bare not in figures:
                continue
            told = result[f"against {bare}/{clients}"] = against(figures["trailstate"], figures[bare])
            print(
                f"  against {bare}: throughput x{told['throughput']:.2f}, added p50 {told['added_p50_ms']:.2f} ms,"
                f" added p99 {told['added_p99_ms']:.2f} ms"
            )
    print(json.dumps(result))


if __name__ == "__main__":
    main()
