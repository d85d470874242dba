"""A bucket as a source of log files for `trailstate import`: `lake.importer.Source` over `Bucket`."""

from collections.abc import Iterator

from trailstate.cli.bucket import Account, Bucket
from trailstate.lake.importer import SourceFile
from trailstate.lake.source import ENDINGS


class LogBucket:
    """A bucket as a source of log files; implements `lake.importer.Source`."""

    def __init__(self, account: Account, name: str, prefix: str) -> None:
        self._bucket = Bucket(account, name, prefix)
        self.name = self._bucket.name

    def files(self) -> Iterator[SourceFile]:
        for found in self._bucket.listed():
            key = found["Key"]
            if key.endswith(ENDINGS) and "/CloudTrail-Digest/" not in key:
                name = f"s3://{self._bucket.bucket}/{key}"
                yield SourceFile(name, f"{name}:{found['ETag']}", found["Size"])

    def read(self, file: SourceFile) -> bytes:
        fetched = self._bucket.fetch(file.name.removeprefix(f"s3://{self._bucket.bucket}/"))
        if fetched is None:
            raise FileNotFoundError("it was listed, and then it was not there")
        return fetched.body
