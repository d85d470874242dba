"""How much memory a process and everything it started hold at this moment, as Linux's /proc tells it (proc(5))."""

import os
from pathlib import Path

PROCESSES_MAX = 1024
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def resident_bytes(pid: int) -> int:
    """The resident memory of the process and its descendants; what has ended meanwhile, or cannot be seen, counts 0."""
    total, pending, seen = 0, [pid], set[int]()
    while pending and len(seen) < PROCESSES_MAX:
        each = pending.pop()
        if each in seen:
            continue
        seen.add(each)
        total += _resident(each)
        pending += _children(each)
    return total


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except (OSError, IndexError, ValueError):
        return 0


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    except (OSError, ValueError):
        return found
    return found
