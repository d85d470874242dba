"""Our records against recorded ones: runs only where TRAILSTATE_SAMPLES names a place that holds recorded events."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[3] / "bench" / "fidelity.py"
FLOORS = {"query": 0.97, "json": 0.92, "rest-json": 0.90, "s3": 0.88, "ec2": 0.80, "other rest-xml": 0.98}


def test_recorded_events_turned_round_come_out_alike() -> None:
    if not os.environ.get("TRAILSTATE_SAMPLES"):
        pytest.skip("TRAILSTATE_SAMPLES names no place with recorded events; none ship with the project")
    done = subprocess.run([sys.executable, str(BENCH)], capture_output=True, text=True, check=True)
    groups = json.loads(done.stdout.splitlines()[-1])
    for group, row in groups.items():
        assert row["recall"] >= FLOORS[group], (group, row)
        assert row["precision"] >= FLOORS[group], (group, row)
        assert (row["shape_recall"] or 1.0) >= FLOORS[group], (group, row)
        assert {row[name] for name in ("readOnly", "eventName", "errorCode")} <= {1.0, None}, (group, row)
