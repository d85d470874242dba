"""A bucket as a source of log files for `trailstate import`: `lake.importer.Source` over `Bucket`."""

from collections.abc import Iterator
from contextlib import contextmanager

from trailstate.cli.bucket import Account, Bucket, Refusals
from trailstate.cli.exit import ExitCode, Stop
from trailstate.lake.importer import SourceFile
from trailstate.lake.source import ENDINGS


class LogBucket:
    """A bucket as a source of log files; implements `lake.importer.Source`."""

    def __init__(self, account: Account, name: str, prefix: str) -> None:
        self.name = f"s3://{name}/{prefix}"
        with self._telling():
            self._bucket = Bucket(account, name, prefix)

    def files(self) -> Iterator[SourceFile]:
        with self._telling():
            listed = self._bucket.listed()
        for found in listed:
            key = found.key
            if key.endswith(ENDINGS) and "/CloudTrail-Digest/" not in key:
                name = f"s3://{self._bucket.bucket}/{key}"
                yield SourceFile(name, f"{name}:{found.etag}", found.size)

    def read(self, file: SourceFile) -> bytes:
        with self._telling():
            fetched = self._bucket.fetch(file.name.removeprefix(f"s3://{self._bucket.bucket}/"))
        if fetched is None:
            raise FileNotFoundError("it was listed, and then it was not there")
        return fetched.body

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """What the bucket refuses ends the command, with the reason."""
        try:
            yield
        except Refusals as error:
            raise Stop(ExitCode.NO, f"{self.name} could not be imported: {error}") from None
