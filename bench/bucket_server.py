"""A bucket of delivered evidence on loopback, as quick as one process can serve it: nobody who reads it waits for it.

python -m bench.bucket_server DIRECTORY PORT: serves DIRECTORY/objects.json ({key: [path, metadata]}) and answers the
CloudTrail calls that verifiers make from DIRECTORY/cloudtrail.json ({operation: answer}).
"""

import json
import selectors
import socket
import sys
from bisect import bisect_left, bisect_right
from itertools import takewhile
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

PAGE = 1000
READ_BYTES = 64 * 1024


class Bucket:
    def __init__(self, directory: Path, name: str) -> None:
        listed = json.loads((directory / "objects.json").read_text())
        self.name = name
        self.keys = sorted(listed)
        self.objects = {
            key: ((directory / path).read_bytes(), {f"x-amz-meta-{name}": value for name, value in metadata.items()})
            for key, (path, metadata) in listed.items()
        }
        self.answers_by_target = {
            f"/{name}/{quote(key, safe='/~-._')}".encode(): response(200, *each) for key, each in self.objects.items()
        }
        self.answers = json.loads((directory / "cloudtrail.json").read_text())

    def answered(self, received: bytes) -> bytes | None:
        """The answer to a request; None when that is not whole. Of a GET nothing but its first line is looked at."""
        head, end, body = received.partition(b"\r\n\r\n")
        if not end:
            return None
        method, target, _ = head.split(b" ", 2)
        if method == b"GET":
            return self.answers_by_target.get(target) or self.other(target.decode())
        headers = {name.lower(): value for name, _, value in (line.partition(b": ") for line in head.split(b"\r\n"))}
        if len(body) < int(headers.get(b"content-length") or 0):
            return None
        operation = headers[b"x-amz-target"].decode().rpartition(".")[2]
        text = json.dumps(self.answers[operation]).encode()
        return response(200, text, {"content-type": "application/x-amz-json-1.1"})

    def other(self, target: str) -> bytes:
        """A listing, the bucket's place, or a key that is spelled in another way or not there."""
        parts = urlsplit(target)
        key = unquote(parts.path).removeprefix(f"/{self.name}").removeprefix("/")
        if key:
            return self.one(key)
        asked = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if "location" in asked:
            return response(200, b"<LocationConstraint/>", {"content-type": "application/xml"})
        return self.page(asked)

    def one(self, key: str) -> bytes:
        if key not in self.objects:
            return response(404, b"<Error><Code>NoSuchKey</Code></Error>", {"content-type": "application/xml"})
        return response(200, *self.objects[key])

    def page(self, asked: dict[str, str]) -> bytes:
        prefix = asked.get("prefix", "")
        after = asked.get("continuation-token") or asked.get("marker") or asked.get("start-after") or ""
        first = max(bisect_left(self.keys, prefix), bisect_right(self.keys, after))
        found = list(takewhile(lambda key: key.startswith(prefix), self.keys[first : first + PAGE + 1]))
        more = len(found) > PAGE
        found = found[:PAGE]
        items = "".join(
            f'<Contents><Key>{escape(key)}</Key><ETag>"x"</ETag><Size>{len(self.objects[key][0])}</Size></Contents>'
            for key in found
        )
        token = f"<NextContinuationToken>{escape(found[-1])}</NextContinuationToken>" if more else ""
        flag = str(more).lower()
        body = f"<ListBucketResult><IsTruncated>{flag}</IsTruncated>{token}{items}</ListBucketResult>"
        return response(200, body.encode(), {"content-type": "application/xml"})


def response(status: int, body: bytes, headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n{lines}\r\n".encode() + body


class Server:
    """One thread that waits for whichever client asks next; it reads a request once and writes its answer once."""

    def __init__(self, bucket: Bucket, port: int) -> None:
        self.bucket = bucket
        self.selector = selectors.DefaultSelector()
        self.begun: dict[socket.socket, bytes] = {}
        """What came of requests that are not whole."""
        listening = socket.create_server(("127.0.0.1", port))
        self.selector.register(listening, selectors.EVENT_READ, self.accept)

    def serve(self) -> None:
        while True:
            for key, _ in self.selector.select():
                key.data(key.fileobj)

    def accept(self, listening: socket.socket) -> None:
        connection, _ = listening.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.selector.register(connection, selectors.EVENT_READ, self.hear)

    def hear(self, connection: socket.socket) -> None:
        try:
            received = connection.recv(READ_BYTES)
        except ConnectionError:
            received = b""
        if not received:
            self.selector.unregister(connection)
            connection.close()
            return
        received = self.begun.pop(connection, b"") + received
        answer = self.bucket.answered(received)
        if answer is None:
            self.begun[connection] = received
        else:
            connection.sendall(answer)


if __name__ == "__main__":
    server = Server(Bucket(Path(sys.argv[1]), "audit-logs"), int(sys.argv[2]))
    print("ready", flush=True)
    server.serve()
