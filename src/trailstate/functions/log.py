"""What functions print, delivered to CloudWatch Logs: group and stream made as the function's role, lines by Lambda.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trailstate.wire.call import Door, Principal, service_principal
from trailstate.wire.fault import Fault
from trailstate.world import World

log = logging.getLogger(__name__)

STREAMS_MAX = 1000
LINE_CHARACTERS_MAX = 60_000
BATCH_LINES_MAX = 1000
BATCH_CHARACTERS_MAX = 250_000
EXISTS = "ResourceAlreadyExistsException"


@dataclass(frozen=True, slots=True)
class Stream:
    """Where the lines of a function go today."""

    account: str
    region: str
    group: str
    name: str


class Logs:
    """A log that cannot be written fails no invocation; it is told in the server's own log."""

    def __init__(self, door: Door, world: World) -> None:
        self._door = door
        self._world = world
        self._lock = threading.Lock()
        self._streams: OrderedDict[tuple[str, ...], Stream] = OrderedDict()

    def forget(self) -> None:
        """The estate whose streams these were is another one now."""
        with self._lock:
            self._streams.clear()

    def stream(self, config: Mapping[str, Any], role: Principal, *, account: str, region: str) -> Stream:
        """The function's stream of the day, made if need be."""
        name, version = str(config["FunctionName"]), str(config["Version"])
        day = f"{self._world.now():%Y/%m/%d}"
        group = str(config.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{name}")
        key = (account, region, name, version, day, group)
        with self._lock:
            known = self._streams.get(key)
        if known is not None:
            return known
        made = Stream(account, region, group, f"{day}/[{version}]{self._world.random_bytes(16).hex()}")
        self._make(made, role)
        with self._lock:
            self._streams[key] = made
            while len(self._streams) > STREAMS_MAX:
                self._streams.popitem(last=False)
        return made

    def _make(self, stream: Stream, role: Principal) -> None:
        group = {"logGroupName": stream.group}
        for operation, parameters in (
            ("CreateLogGroup", group),
            ("CreateLogStream", group | {"logStreamName": stream.name}),
        ):
            try:
                self._call(stream, operation, parameters, role)
            except Fault as error:
                if error.code != EXISTS:
                    log.warning("%s for %s failed: %s", operation, stream.group, error)

    def write(self, stream: Stream, lines: Sequence[str]) -> None:
        """Deliver the lines, in order."""
        now = int(self._world.now().timestamp() * 1000)
        names = {"logGroupName": stream.group, "logStreamName": stream.name}
        for batch in _batches(lines):
            events = [{"timestamp": now, "message": line or " "} for line in batch]
            try:
                by = service_principal("lambda.amazonaws.com", stream.account)
                self._call(stream, "PutLogEvents", names | {"logEvents": events}, by)
            except Fault as error:
                log.warning("the lines of %s were not delivered: %s", stream.group, error)
                self.forget()
                return

    def _call(self, stream: Stream, operation: str, parameters: Mapping[str, Any], as_: Principal) -> None:
        self._door.call("logs", operation, parameters, account=stream.account, region=stream.region, as_=as_)


def _batches(lines: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    characters = 0
    for line in lines:
        kept = line[:LINE_CHARACTERS_MAX]
        if batch and (len(batch) >= BATCH_LINES_MAX or characters + len(kept) > BATCH_CHARACTERS_MAX):
            yield batch
            batch, characters = [], 0
        batch.append(kept)
        characters += len(kept)
    if batch:
        yield batch
