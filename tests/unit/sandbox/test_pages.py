"""Large pages change where memory lies, not what is in it, and not how much is used."""

import ctypes
import mmap
import sys

import pytest

from trailstate.sandbox.pages import LARGE_BYTES, gather, worth_it

SIZE = 4 * LARGE_BYTES


def test_what_is_in_memory_stays() -> None:
    content = bytes(range(256)) * (SIZE // 256)
    assert gather() % LARGE_BYTES == 0
    assert content == bytes(range(256)) * (SIZE // 256)


@pytest.mark.skipif(sys.platform != "linux", reason="large pages are asked for on Linux alone")
def test_what_is_hardly_used_is_left_alone() -> None:
    def within(memory: mmap.mmap) -> set[int]:
        first = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        return {each for each in worth_it() if first <= each < first + SIZE}

    memory = mmap.mmap(-1, SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory[LARGE_BYTES] = 1
    assert not within(memory)
    memory[:] = bytes(SIZE)
    assert within(memory)
