"""A bucket of delivered evidence on loopback, as quick as one process can serve it: nobody who reads it waits for it.

python -m bench.bucket_server DIRECTORY PORT: serves DIRECTORY/objects.json ({key: [path, metadata]}) and answers the
CloudTrail calls that verifiers make from DIRECTORY/cloudtrail.json ({operation: answer}).
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

import uvloop

PAGE = 1000


class Bucket:
    def __init__(self, directory: Path, name: str) -> None:
        listed = json.loads((directory / "objects.json").read_text())
        self.name = name
        self.keys = sorted(listed, key=str.encode)
        self.objects = {
            key: ((directory / path).read_bytes(), {f"x-amz-meta-{name}": value for name, value in metadata.items()})
            for key, (path, metadata) in listed.items()
        }
        self.answers_by_path = {
            f"/{name}/{quote(key, safe='/~-._')}": response(200, *each) for key, each in self.objects.items()
        }
        self.answers = json.loads((directory / "cloudtrail.json").read_text())

    def answer(self, method: str, target: str, headers: dict[str, str]) -> bytes:
        if method == "POST":
            operation = headers["x-amz-target"].rpartition(".")[2]
            body = json.dumps(self.answers[operation]).encode()
            return response(200, body, {"content-type": "application/x-amz-json-1.1"})
        if found := self.answers_by_path.get(target):
            return found
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
        found = [key for key in self.keys if key.startswith(prefix) and key > after]
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


class Connection(asyncio.Protocol):
    """One client's; a request has no body but for the calls of CloudTrail, which are small."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head = self.received[:end].decode("latin-1")
            first, _, lines = head.partition("\r\n")
            method, target, _ = first.split(" ")
            if method == "GET":
                headers, size = {}, 0
            else:
                headers = {
                    name.lower(): value for name, _, value in (line.partition(": ") for line in lines.split("\r\n"))
                }
                size = int(headers.get("content-length") or 0)
            if len(self.received) < end + 4 + size:
                return
            self.received = self.received[end + 4 + size :]
            self.transport.write(self.bucket.answer(method, target, headers))


async def serve(bucket: Bucket, port: int) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Connection(bucket), "127.0.0.1", port)
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(Bucket(Path(sys.argv[1]), "audit-logs"), int(sys.argv[2])))
