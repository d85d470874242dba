"""What recording costs: the same mixed calls through Trailstate, the same estate bare, and moto's own server.

Three repeats, the servers in turn within each, medians. The client writes prepared bytes to plain sockets, so that what
is measured is the server. Goals: throughput at least 0.9 of the bare estate's; added latency p50 <= 1 ms, p99 <= 10 ms.
"""

import json
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

REPEATS = 3
SECONDS = 4.0
CLIENTS = (1, 16)
WARM_UP_CALLS = 60
ACCOUNT = "123456789012"
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Figures:
    calls_per_second: float
    p50_ms: float
    p99_ms: float


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


@contextmanager
def serving(name: str, port: int, directory: str) -> Iterator[None]:
    commands = {
        "trailstate": [BIN / "trailstate", "up", "--port", str(port), "--data", directory],
        "bare estate": [sys.executable, "-m", "bench.passthrough", str(port), directory],
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
        yield
    finally:
        server.terminate()
        server.wait()


def load(port: int, clients: int, numbers: Iterator[int]) -> Figures:
    latencies: list[float] = []
    failures: list[int] = []
    deadline = time.perf_counter() + SECONDS

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
    assert not failures, f"{len(failures)} calls failed: {sorted(set(failures))}"
    latencies.sort()
    total = len(latencies)
    return Figures(total / SECONDS, latencies[total // 2] * 1e3, latencies[int(total * 0.99)] * 1e3)


def measure(name: str) -> dict[int, Figures]:
    numbers = count(1)
    with tempfile.TemporaryDirectory() as directory:
        port = free_port()
        with serving(name, port, str(Path(directory) / "data") if name == "trailstate" else directory):
            client = Client(port)
            for message in PREPARE:
                assert client.call(message) < 400, f"{name} refused a prepared call"
            for turn in range(WARM_UP_CALLS):
                client.call(MIX[turn % len(MIX)](next(numbers)))
            return {clients: load(port, clients, numbers) for clients in CLIENTS}


def main() -> None:
    names = ("trailstate", "bare estate", "moto_server")
    rounds = [{name: measure(name) for name in names} for _ in range(REPEATS)]
    result = {}
    print(f"{'':14}{'clients':>8}{'calls/s':>10}{'p50 ms':>9}{'p99 ms':>9}")
    for clients in CLIENTS:
        for name in names:
            figures = [each[name][clients] for each in rounds]
            row = [statistics.median(getattr(each, field) for each in figures) for field in Figures.__annotations__]
            result[f"{name}/{clients}"] = dict(zip(Figures.__annotations__, row, strict=True))
            print(f"{name:14}{clients:>8}{row[0]:>10.0f}{row[1]:>9.2f}{row[2]:>9.2f}")
        ours, bare = ([each[name][clients] for each in rounds] for name in names[:2])
        ratio = statistics.median(a.calls_per_second / b.calls_per_second for a, b in zip(ours, bare, strict=True))
        p50 = statistics.median(a.p50_ms - b.p50_ms for a, b in zip(ours, bare, strict=True))
        p99 = statistics.median(a.p99_ms - b.p99_ms for a, b in zip(ours, bare, strict=True))
        result[f"against bare/{clients}"] = {"throughput": ratio, "added_p50_ms": p50, "added_p99_ms": p99}
        print(f"  against the bare estate: throughput x{ratio:.2f}, added p50 {p50:.2f} ms, added p99 {p99:.2f} ms")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
