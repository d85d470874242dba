"""How long until it answers, and what it weighs: from the command to a ready server; memory of both processes."""

import json
import os
import statistics
import tempfile
import time
from pathlib import Path

from tests.clients.server import ServerProcess, scope

REPEATS = 5
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
USE = (
    ("ec2", "Action=RunInstances&Version=2016-11-15&ImageId=ami-12c6146b&MinCount=1&MaxCount=1"),
    ("rds", "Action=DescribeDBInstances&Version=2014-10-31"),
)


def resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def descendants(pid: int) -> list[int]:
    """Every process below it; a child is listed at the thread that made it."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for each in lists for child in each.read_text().split()]
    return [each for child in children for each in (child, *descendants(child))]


def main() -> None:
    seconds = []
    with tempfile.TemporaryDirectory() as directory:
        for turn in range(REPEATS):
            started = time.perf_counter()
            server = ServerProcess(Path(directory) / str(turn))
            seconds.append(time.perf_counter() - started)
            server.stop()
        server = ServerProcess(Path(directory) / "memory")
        time.sleep(4)
        idle = resident_mib(server.process.pid)
        child_idle = max(map(resident_mib, descendants(server.process.pid)))
        connection = server.connect()
        for service, body in USE:
            connection.request("POST", "/", body, {**scope(service), **FORM})
            assert connection.getresponse().read()
        child_used = max(map(resident_mib, descendants(server.process.pid)))
        server.stop()
    ready = statistics.median(seconds)
    print(f"ready after   {ready:.2f} s (median of {REPEATS}; {min(seconds):.2f} to {max(seconds):.2f})")
    print(f"server idle   {idle:.0f} MiB")
    print(f"child idle    {child_idle:.0f} MiB (with EC2 warmed)")
    print(f"child in use  {child_used:.0f} MiB (EC2 and RDS)")
    print(
        json.dumps(
            {"ready_s": statistics.median(seconds), "server_mib": idle, "child_mib": child_idle, "used_mib": child_used}
        )
    )


if __name__ == "__main__":
    main()
