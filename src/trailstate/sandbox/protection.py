"""What stands between a child and this machine, found out by trying, never assumed.

`bubblewrap` gives a child namespaces of its own: no network, no other process, only the files it is shown. Without it
(macOS, containers that forbid user namespaces) only resource limits remain, which stop accidents, not attacks: the
simulated estate may run so, users' code may not.
"""

import shutil
import subprocess
import sys
from enum import StrEnum
from functools import cache

TRIAL_SECONDS = 10


class Protection(StrEnum):
    """From most to least."""

    BUBBLEWRAP = "bubblewrap"
    LIMITS = "rlimits only"
    NOTHING = "nothing"

    @property
    def isolates(self) -> bool:
        """Whether code nobody trusts may run behind it."""
        return self is Protection.BUBBLEWRAP


@cache
def available() -> Protection:
    """What `spawn` will use on this machine."""
    if bubblewrap() is not None:
        return Protection.BUBBLEWRAP
    return Protection.LIMITS if sys.platform in {"linux", "darwin"} else Protection.NOTHING


@cache
def bubblewrap() -> str | None:
    """The path of a `bwrap` that works here: installed is not enough where user namespaces are forbidden."""
    program = shutil.which("bwrap") if sys.platform == "linux" else None
    if program is None:
        return None
    trial = [program, "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--proc", "/proc", "true"]
    try:
        outcome = subprocess.run(trial, capture_output=True, timeout=TRIAL_SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    return program if outcome.returncode == 0 else None


def explained() -> str:
    """One sentence for `trailstate doctor`."""
    return {
        Protection.BUBBLEWRAP: "Children run in bubblewrap: no network, no other process, no file but Python's own.",
        Protection.LIMITS: "Children run under resource limits only; install bubblewrap (bwrap) to isolate them.",
        Protection.NOTHING: "Children run unprotected on this system.",
    }[available()]
