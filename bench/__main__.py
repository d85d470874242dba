"""Run every measurement, or those named: `python -m bench [append configuration fidelity …]`."""

import os
import subprocess
import sys
from pathlib import Path

from bench.machine import describe

RESULTS = Path(__file__).parent / "results"
MEASUREMENTS = (
    "append",
    "archive",
    "advanced_query",
    "configuration",
    "delivery",
    "filters",
    "alarms",
    "bus",
    "records",
    "patterns",
    "rules",
    "repair",
    "fidelity",
    "lake",
    "lookup",
    "start",
    "selection",
    "verify",
    "simulator",
    "gateway",
)
NEEDS = {
    "archive": ("TRAILSTATE_LAKE", "a data directory that CloudTrail log files were imported into; none ship"),
    "fidelity": ("TRAILSTATE_SAMPLES", "a directory with recorded CloudTrail events; none ship with the project"),
    "lake": ("TRAILSTATE_CORPUS", "a directory with CloudTrail log files; none ship with the project"),
}
"""What a measurement cannot run without: an environment variable, and what it names."""


def lacks(name: str) -> bool:
    return name in NEEDS and not os.environ.get(NEEDS[name][0])


def main() -> None:
    chosen = sys.argv[1:] or MEASUREMENTS
    for name in chosen:
        if name not in MEASUREMENTS:
            sys.exit(f"there is no measurement '{name}'; there are {', '.join(MEASUREMENTS)}")
    RESULTS.mkdir(exist_ok=True)
    for name in chosen:
        print(f"== {name}", flush=True)
        if lacks(name):
            print("skipped: set {} to {}\n".format(*NEEDS[name]))
            continue
        done = subprocess.run(
            [sys.executable, "-m", f"bench.{name}"],
            capture_output=True,
            text=True,
            check=False,
            cwd=RESULTS.parent.parent,
        )
        print(done.stdout, done.stderr, sep="")
        if done.returncode != 0:
            sys.exit(f"the measurement '{name}' failed")
        (RESULTS / f"{name}.txt").write_text(f"{describe()}\n\n{done.stdout}")


if __name__ == "__main__":
    main()
