"""A bucket of delivered evidence on loopback, as quick as one process can serve it: nobody who reads it waits for it.

python -m bench.bucket_server DIRECTORY PORT: serves DIRECTORY/objects.json ({key: [path, metadata]}) and answers the
CloudTrail calls that verifiers make from DIRECTORY/cloudtrail.json ({operation: answer}).
"""

import asyncio
import json
import sys
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

PAGE = 1000


class Bucket:
    def __init__(self, directory: Path, name: str) -> None:
        listed = json.loads((directory / "objects.json").read_text())
        self.name = name
        self.keys = sorted(listed, key=str.encode)
        self.objects = {key: ((directory / path).read_bytes(), metadata) for key, (path, metadata) in listed.items()}
        self.answers = json.loads((directory / "cloudtrail.json").read_text())

    def answer(self, method: str, target: str, headers: dict[str, str]) -> bytes:
        if method == "POST":
            operation = headers["x-amz-target"].rpartition(".")[2]
            body = json.dumps(self.answers[operation]).encode()
            return response(200, body, {"content-type": "application/x-amz-json-1.1"})
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
        body, metadata = self.objects[key]
        return response(200, body, {f"x-amz-meta-{name}": value for name, value in metadata.items()})

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


async def serve(bucket: Bucket, port: int) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode("latin-1").split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
                await reader.readexactly(int(headers.get("content-length") or 0))
                method, target, _ = first.split(" ")
                writer.write(bucket.answer(method, target, headers))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Bucket(Path(sys.argv[1]), "audit-logs"), int(sys.argv[2])))
