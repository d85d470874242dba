"""The first program inside every sandbox: it takes its limits, ties its life to its parent's, and becomes the child.

Run as a plain file by an isolated interpreter, before anything of ours can be imported; it knows the standard library
only. Limits are set here rather than between fork and exec, where a threaded parent may not run Python at all.
"""

import json
import os
import sys

PR_SET_PDEATHSIG = 1
SIGKILL = 9


def limit(limits: dict[str, int]) -> None:
    """Lower each named resource limit, soft and hard, to at most its figure."""
    import resource

    for name, figure in limits.items():
        which = getattr(resource, name, None)
        if which is None:
            continue
        _, hard = resource.getrlimit(which)
        ceiling = figure if hard == resource.RLIM_INFINITY else min(figure, hard)
        try:
            resource.setrlimit(which, (ceiling, ceiling))
        except (ValueError, OSError) as error:
            # macOS refuses RLIMIT_AS; what protects is told by `protection.available`, not guessed here.
            if sys.platform == "linux":
                raise SystemExit(f"the limit {name}={ceiling} could not be set: {error}") from error


def die_with(parent: int) -> None:
    """Have the kernel kill us when the thread that started us ends; leave at once if the parent is gone already."""
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit("the parent ended before its child began")


def main() -> None:
    order = json.loads(sys.argv[1])
    if order["parent"]:
        die_with(order["parent"])
    limit(order["limits"])
    program = sys.argv[2]
    os.execv(program, sys.argv[2:])  # noqa: S606 - becoming the child is this program's purpose


if __name__ == "__main__":
    main()
