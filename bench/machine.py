"""What a figure was measured on: a figure without its machine means nothing."""

import os
import platform
import sqlite3
from pathlib import Path


def describe() -> str:
    """One line: processor, cores, memory, Python, SQLite."""
    return (
        f"{processor()}, {os.cpu_count()} cores, {memory_gib()} GiB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except FileNotFoundError:
        return platform.processor() or "unknown processor"
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown processor")


def memory_gib() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
