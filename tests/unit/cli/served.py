"""A bucket on loopback that answers with what a test puts into it, and remembers who asked for what."""

import re
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import parse_qsl, unquote, urlsplit

from trailstate.cli.line import Got
from trailstate.cli.objects import METADATA, Where
from trailstate.trail.verify import Fetched

BUCKET, REGION = "audit-logs", "eu-west-1"
Answer = Callable[[str, dict[str, str]], Got]
"""To a key (empty for the bucket itself) and a query."""
NOT_FOUND = Got(404, {}, b"")


class Served(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        self.answer: Answer = lambda _key, _asked: NOT_FOUND
        self.asked: list[str] = []
        """The keys."""
        self.askers: set[str] = set()
        """The access keys."""
        self.hang_ups = 0
        """So many of the next requests are answered with nothing but the end of the connection."""
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Connection)

    def hold(self, objects: Mapping[str, Fetched]) -> None:
        """Answer with these from now on, and forget who asked."""
        names = "".join(f"<Contents><Key>{name}</Key></Contents>" for name in objects)
        bucket = {"location": "<LocationConstraint/>", "list-type": f"<ListBucketResult>{names}</ListBucketResult>"}

        def answer(key: str, asked: dict[str, str]) -> Got:
            if not key:
                return Got(200, {}, next(text for name, text in bucket.items() if name in asked).encode())
            found = objects.get(key)
            return NOT_FOUND if found is None else Got(200, _headers(found), found.body)

        self.answer = answer
        self.asked.clear()
        self.askers.clear()

    @property
    def where(self) -> Where:
        return Where(BUCKET, f"http://127.0.0.1:{self.server_address[1]}/{BUCKET}", REGION)

    def told(self, head: str) -> bytes | None:
        """The answer to a request; None to hang up."""
        parts = urlsplit(head.split(" ")[1])
        key = unquote(parts.path).removeprefix(f"/{BUCKET}").removeprefix("/")
        with self.lock:
            self.asked.append(key)
            self.askers |= set(re.findall("Credential=([^/]+)/", head))
            if self.hang_ups:
                self.hang_ups -= 1
                return None
        got = self.answer(key, dict(parse_qsl(parts.query, keep_blank_values=True)))
        lines = "".join(f"{name}: {value}\r\n" for name, value in got.headers.items())
        return f"HTTP/1.1 {got.status} X\r\nContent-Length: {len(got.body)}\r\n{lines}\r\n".encode() + got.body


def _headers(found: Fetched) -> dict[str, str]:
    return {f"{METADATA}{name}": value for name, value in (found.metadata or {}).items()}


class _Connection(socketserver.StreamRequestHandler):
    server: Served

    def handle(self) -> None:
        lines: list[bytes] = []
        for line in self.rfile:
            lines.append(line)
            if line == b"\r\n":
                told = self.server.told(b"".join(lines).decode())
                lines = []
                if told is None:
                    return
                self.wfile.write(told)


@contextmanager
def served() -> Iterator[Served]:
    with Served() as made:
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        yield made
        made.shutdown()
