"""A process's own memory in large pages: what is touched all over at every request is then found without a search.

The processor remembers where some thousand pages lie, and looks up all others in tables in memory; on a virtual machine
each look-up is several. A Python process touches little pieces all over its heap: of a call in the simulator the search
was a fourteenth when others had taken the caches, and up to half when nothing was left in them.

madvise(2), MADV_COLLAPSE, Linux 6.1 and later; elsewhere, and where the kernel has no large page to spare, nothing
happens. https://docs.kernel.org/admin-guide/mm/transhuge.html
"""

import ctypes
import mmap
from collections.abc import Iterator
from pathlib import Path

LARGE_BYTES = 2 * 1024 * 1024
"""What is large on x86 and most ARM machines; where it is more, the kernel declines."""

COLLAPSE = 25
"""MADV_COLLAPSE in <linux/mman.h>; Python has no name for it."""

IN_USE = 0.9
"""How much of a large page must be in use already, lest the process grow by it."""


def gather() -> int:
    """Put what is in use now into large pages; how many bytes are in such pages then, as far as this knows."""
    return sum(LARGE_BYTES for start in worth_it() if _told("madvise", start, COLLAPSE))


def worth_it() -> Iterator[int]:
    """Where each piece of the size of a large page begins that is this process's own and mostly in use."""
    try:
        lines = Path("/proc/self/maps").read_text().splitlines()
    except OSError:  # not Linux, or a sandbox that does not show it
        return
    for line in lines:
        place, rights, _, _, _, *name = line.split()
        if rights == "rw-p" and name in ([], ["[heap]"]):
            first, last = (int(end, 16) for end in place.split("-"))
            aligned = -(-first // LARGE_BYTES) * LARGE_BYTES
            yield from filter(_in_use, range(aligned, last - LARGE_BYTES + 1, LARGE_BYTES))


def _in_use(start: int) -> bool:
    """Whether most of the pages there are in memory (mincore(2))."""
    pages = LARGE_BYTES // mmap.PAGESIZE
    present = ctypes.create_string_buffer(pages)
    return _told("mincore", start, present) and sum(each & 1 for each in present.raw) >= IN_USE * pages


def _told(call: str, start: int, argument: object) -> bool:
    """Whether the kernel does what it is told with the large page that begins there."""
    failed: int = getattr(ctypes.CDLL(None), call)(ctypes.c_void_p(start), ctypes.c_size_t(LARGE_BYTES), argument)
    return not failed
