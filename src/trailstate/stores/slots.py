"""What outlives the process and not the machine, at the price of copying it: a file of slots, mapped into memory.

Once the bytes are copied the kernel has them, whatever becomes of the process, and nobody waits for the disk. A slot
counts only when its checksum agrees, so that one cut off in the middle was never there: whoever wrote it had not been
told that it was kept, and whoever emptied it had settled it.
"""

import itertools
import mmap
import os
import struct
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from trailstate.stores.interface import Intent, StoreUnavailable

FILE_NAME = "intents.slots"
SLOTS = 128
SLOT_BYTES = 8192
HEAD = struct.Struct("<II")
"""Length of what follows (0: nothing does) and its checksum."""


class Left(msgspec.Struct, frozen=True, array_like=True):
    """An intent nobody settled. Its record, if there is one, stands behind the journal's head of that time, `after`."""

    number: int
    after: int
    intent: Intent


class Slots:
    """Those of one directory, which the store there has locked. Safe from any thread."""

    def __init__(self, directory: Path) -> None:
        """StoreUnavailable when the disk has no room for the file; later none is needed."""
        self._encoder = msgspec.msgpack.Encoder()
        self._map = _mapped(directory / FILE_NAME)
        self._lock = threading.Lock()
        standing = dict(self._standing())
        self._free = [slot for slot in range(SLOTS) if slot not in standing]
        self._taken = {left.intent.id: slot for slot, left in standing.items()}
        self._numbers = itertools.count(1 + max((left.number for left in standing.values()), default=0))

    def keep(self, intent: Intent, after: int) -> bool:
        """Whether it is kept. There may be no free slot, or the intent may be too large for one."""
        body = self._encoder.encode(Left(next(self._numbers), after, intent))
        if len(body) > SLOT_BYTES - HEAD.size:
            return False
        with self._lock:
            if intent.id in self._taken:
                return True
            if not self._free or self._map.closed:
                return False
            slot = self._taken[intent.id] = self._free.pop()
            self._write(slot, body)
        return True

    def holds(self, intent_id: str) -> bool:
        return intent_id in self._taken

    def settle(self, intent_id: str) -> None:
        """What became of it is durable elsewhere. Of an intent that is not kept here, nothing. Once closed, the slot
        stays as it is: whoever opens it finds the record."""
        with self._lock:
            slot = self._taken.pop(intent_id, None)
            if slot is not None and not self._map.closed:
                self._empty(slot)

    def left(self) -> list[Left]:
        """Those not settled, in the order of their making."""
        with self._lock:
            return sorted((left for _, left in self._standing()), key=lambda left: left.number)

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            for slot in self._taken.values():
                self._empty(slot)
            self._taken.clear()

    def close(self) -> None:
        with self._lock:
            self._map.close()

    def _standing(self) -> Iterator[tuple[int, Left]]:
        for slot in range(SLOTS):
            left = self._read(slot)
            if left is not None:
                yield slot, left

    def _write(self, slot: int, body: bytes) -> None:
        """The length last: until it stands there the slot is empty."""
        start = slot * SLOT_BYTES
        self._map[start + HEAD.size : start + HEAD.size + len(body)] = body
        self._map[start + 4 : start + HEAD.size] = zlib.crc32(body).to_bytes(4, "little")
        self._map[start : start + 4] = len(body).to_bytes(4, "little")

    def _empty(self, slot: int) -> None:
        start = slot * SLOT_BYTES
        self._map[start : start + 4] = bytes(4)
        self._free.append(slot)

    def _read(self, slot: int) -> Left | None:
        start = slot * SLOT_BYTES
        length, checksum = HEAD.unpack_from(self._map, start)
        body = self._map[start + HEAD.size : start + min(HEAD.size + length, SLOT_BYTES)]
        if not length or zlib.crc32(body) != checksum:
            return None
        return msgspec.msgpack.decode(body, type=Left)


def _mapped(path: Path) -> mmap.mmap:
    """The file, whole: a hole in it could not be filled on a full disk, and would end the process."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        missing = SLOTS * SLOT_BYTES - os.fstat(descriptor).st_size
        if missing > 0:
            os.pwrite(descriptor, bytes(missing), SLOTS * SLOT_BYTES - missing)
        return mmap.mmap(descriptor, SLOTS * SLOT_BYTES)
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be written: {error}; free some space") from error
    finally:
        os.close(descriptor)
