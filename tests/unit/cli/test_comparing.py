"""Log files compared in several processes: what they find is what one process finds, whatever was done to the files."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.cli.served import Served, served
from tests.unit.trail.verify.ledger import HOUR, START, Ledger, extend, key, keys, ledger, stop_record
from tests.unit.trail.verify.test_verify import CASES

from trailstate.cli.comparing import FILES_MIN, SHARE_FILES, Processes, processes_for
from trailstate.cli.exit import ExitCode
from trailstate.cli.line import Got
from trailstate.cli.objects import NotReadable
from trailstate.cli.signing import Key
from trailstate.trail.verify import verify

FILES = 2 * FILES_MIN


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served() as made:
        yield made


@pytest.fixture(scope="module")
def processes(server: Served) -> Iterator[Processes]:
    with Processes(server.where, lambda: Key("AKIAFIRST", "secret", None), processes=2, at_once=3) as made:
        yield made


@pytest.mark.parametrize("case", CASES)
def test_tampering_is_found_as_in_one_process(server: Served, processes: Processes, case: str) -> None:
    made = ledger()
    CASES[case][0](made)
    server.hold(made.objects)
    report = verify(made, keys(), compare_all=processes)
    assert report.as_json() == verify(made, keys()).as_json()
    assert len(server.asked) == report.logs


def test_who_stopped_a_trail_is_read_there_too(server: Served, processes: Processes) -> None:
    made = ledger(2)
    extend(made, START + 2 * HOUR, records=[stop_record(START + 2 * HOUR)])
    extend(made, START + 6 * HOUR, is_first=True)
    server.hold(made.objects)
    [finding] = verify(made, keys(), compare_all=processes).findings
    assert finding.kind == "stopped"
    assert finding.who is not None
    assert finding.who["principal"].endswith("user/mallory")


def test_results_come_in_the_order_of_the_files_however_many_shares_there_are(
    server: Served, processes: Processes
) -> None:
    made = ledger(1)
    there = made.logs[0]
    server.hold(made.objects)
    listed = [(there if number % 7 else f"missing/{number}", "0" * 64) for number in range(2 * SHARE_FILES + 50)]
    kinds = [each.kind for some in processes(listed) for each in some]
    assert kinds == ["log-altered" if number % 7 else "log-missing" for number in range(len(listed))]
    assert len(server.asked) == len(listed)


def test_a_broken_connection_is_opened_again(server: Served, processes: Processes) -> None:
    made = ledger(1)
    server.hold(made.objects)
    server.hang_ups = 2
    assert verify(made, keys(), compare_all=processes).is_clean
    assert (server.hang_ups, len(server.asked)) == (0, 4)


def test_a_file_that_may_not_be_read_ends_it_with_the_reason(server: Served, processes: Processes) -> None:
    server.answer = lambda _key, _asked: Got(403, {}, b"")
    with pytest.raises(NotReadable, match=r"s3://audit-logs/a cannot be read: status 403.*s3:GetObject"):
        list(processes([("a", "")]))
    server.hold((made := ledger(1)).objects)
    assert verify(made, keys(), compare_all=processes).is_clean


def test_every_share_is_signed_with_the_credential_of_its_moment(server: Served) -> None:
    made = ledger(1)
    server.hold(made.objects)
    renewed = iter(Key(f"AKIA{number}", "secret", f"token{number}") for number in range(9))
    with Processes(server.where, lambda: next(renewed), processes=1, at_once=2) as processes:
        for _ in range(2):
            assert verify(made, keys(), compare_all=processes).is_clean
    assert server.askers == {"AKIA1", "AKIA2"}


@pytest.mark.parametrize(
    ("files", "threads", "processes"), [(FILES_MIN - 1, 16, 1), (10**6, 4, 1), (2 * FILES_MIN - 1, 16, 1)]
)
def test_a_few_files_are_not_worth_more_than_one_process(files: int, threads: int, processes: int) -> None:
    assert processes_for(files, threads) == processes


def test_many_files_are_worth_as_many_processes_as_there_are_cores_and_connections_for() -> None:
    cores = os.cpu_count() or 1
    assert (processes_for(10**6, 256), processes_for(10**6, 8)) == (min(cores, 64), min(cores, 2))


def test_the_command_finds_the_one_file_that_is_gone_among_thousands(server: Served, tmp_path: Path) -> None:
    made = Ledger()
    logs = [made.put_log(START + number * HOUR / FILES) for number in range(FILES)]
    made.put_digest(START, logs)
    made.remove(logs[1234])
    server.hold(made.objects)
    (tmp_path / "keys.json").write_text(json.dumps({"PublicKeyList": [dict(key(0).listed)]}))
    endpoint = server.where.address.removesuffix(f"/{server.where.bucket}")
    options = ["-o", "json", "--public-keys", str(tmp_path / "keys.json"), "--endpoint-url", endpoint]
    done = subprocess.run(
        [str(Path(sys.executable).parent / "trailstate"), "verify", "s3://audit-logs/AWSLogs", *options],
        env=os.environ | {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ExitCode.FINDINGS, done.stderr
    report = json.loads(done.stdout)
    assert report["logFiles"] == {"listed": FILES, "valid": FILES - 1, "pending": 0}
    assert [(each["kind"], each["subject"]) for each in report["findings"]] == [("log-missing", logs[1234])]
