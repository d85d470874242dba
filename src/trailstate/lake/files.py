"""Log files in somebody's bucket, read for a question: fetched through the front door, kept while unchanged."""

import threading
from collections.abc import Callable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

from trailstate.lake.columns import table_of
from trailstate.lake.logfile import read
from trailstate.lake.segment import written
from trailstate.wire.call import Door, service_principal
from trailstate.wire.fault import Fault

SERVICE = "athena.amazonaws.com"
FILES_MAX = 5000
BYTES_MAX = 256 * 1024 * 1024


class Unreadable(ValueError):
    """The files cannot be asked about; the message says why."""


class BucketFiles:
    """Files below a prefix as one Parquet file beside the lake."""

    def __init__(self, door: Door, directory: Path, delivers_to: Callable[[str, str], bool]) -> None:
        """`delivers_to` says whether an account's own trail delivers everything that a bucket holds."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._door = door
        self._directory = directory
        self._delivers_to = delivers_to
        self._lock = threading.Lock()

    def is_in_lake(self, account: str, bucket: str) -> bool:
        return self._delivers_to(account, bucket)

    def fetched(self, account: str, region: str, bucket: str, prefix: str) -> tuple[Path, ...]:
        """The records of the log files below a prefix; Unreadable when there are too many, or they may not be read."""
        try:
            listed = list(self._listed(account, region, bucket, prefix))
        except Fault as refusal:
            raise Unreadable(f"s3://{bucket}/{prefix} cannot be listed: {refusal.code}: {refusal.message}") from refusal
        if len(listed) > FILES_MAX or sum(each["Size"] for each in listed) > BYTES_MAX:
            raise Unreadable(
                f"s3://{bucket}/{prefix} holds more than {FILES_MAX} files or {BYTES_MAX} bytes;"
                " take them into the lake with `trailstate import`"
            )
        if not listed:
            return ()
        mark = blake2b(repr([(each["Key"], each["ETag"]) for each in listed]).encode(), digest_size=16).hexdigest()
        path = self._directory / f"bucket-{mark}.parquet"
        with self._lock:
            if not path.exists():
                self._write(path, account, region, bucket, [each["Key"] for each in listed])
        return (path,)

    def forget(self) -> None:
        with self._lock:
            for path in self._directory.glob("bucket-*.parquet"):
                path.unlink(missing_ok=True)

    def _write(self, path: Path, account: str, region: str, bucket: str, keys: list[str]) -> None:
        lines: list[Any] = []
        times: list[int] = []
        for key in keys:
            found = read(key, self._call(account, region, "GetObject", Bucket=bucket, Key=key)["Body"])
            lines += found.lines
            times += found.times
        fresh = path.with_suffix(".new")
        fresh.write_bytes(written(table_of(lines, times)))
        fresh.replace(path)

    def _listed(self, account: str, region: str, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
        token: str | None = None
        while True:
            more = {"ContinuationToken": token} if token else {}
            page = self._call(account, region, "ListObjectsV2", Bucket=bucket, Prefix=prefix, **more)
            for found in page.get("Contents", ()):
                if "/CloudTrail-Digest/" not in found["Key"] and found["Size"]:
                    yield found
            token = page.get("NextContinuationToken")
            if not token:
                return

    def _call(self, account: str, region: str, operation: str, **parameters: Any) -> dict[str, Any]:
        principal = service_principal(SERVICE, account)
        return dict(self._door.call("s3", operation, parameters, account=account, region=region, as_=principal))
