"""What an import left out, and why: kept with file, place and reason, so that nothing is lost without a word."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from trailstate.lake.logfile import Damage
from trailstate.stores.interface import Objects
from trailstate.world import World

PREFIX = "lake/quarantine/"


@dataclass(frozen=True, slots=True)
class Left:
    """A piece of a file that was left out."""

    file: str
    damage: Damage


class Entry(msgspec.Struct, frozen=True):
    """A piece that was left out, as it is kept."""

    source: str
    file: str
    reason: str
    offset: int
    detail: str
    excerpt: str
    time: str


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[Entry]).decode


def keep(objects: Objects, source: str, left: Sequence[Left], world: World) -> None:
    """Make a batch's losses durable, before the batch is shown."""
    if not left:
        return
    now = world.now()
    time = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    entries = [
        Entry(source, each.file, each.damage.reason, each.damage.offset, each.damage.detail, each.damage.excerpt, time)
        for each in left
    ]
    objects.put_if_absent(f"{PREFIX}{now:%Y%m%dT%H%M%SZ}-{world.token(12)}", _encode(entries))


def entries(objects: Objects) -> Iterator[Entry]:
    """Everything that was left out, oldest first."""
    after = ""
    while page := objects.list(PREFIX, after):
        for info in page:
            body = objects.get(info.key)
            if body is not None:
                yield from _decode(body)
        after = page[-1].key
