"""Memory that loading took and no longer needs goes back to the machine; glibc keeps it otherwise (malloc_trim(3))."""

import ctypes
import gc
import sys

from trailstate.sandbox import pages

NEW_OBJECTS = 10_000
"""After how many the collector looks among them; next to nothing that a request leaves behind needs it."""


def settle() -> None:
    """What is loaded now stays: the collector need not look at it again, and what fell away is given back."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # another C library has none
        if trim is not None:
            trim(0)
    pages.gather()
