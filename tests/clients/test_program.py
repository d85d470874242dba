"""`trailstate up` as a process, and the commands that ask it: how it starts, what it leaves, how it ends."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
import pytest

from tests.clients.server import ACCOUNT, ServerProcess

PROGRAM = Path(sys.executable).with_name("trailstate")


class Done(NamedTuple):
    code: int
    out: str
    err: str


def plain_environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TRAILSTATE_", "AWS_", "XDG_"))}
    return kept | {"HOME": str(home)}


def run(home: Path, *words: str) -> Done:
    """One command, in a home without anybody's settings."""
    done = subprocess.run(
        [PROGRAM, *words],
        cwd=home,
        env=plain_environment(home),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def client(endpoint: str, service: str, key: str = ACCOUNT) -> Any:
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id=key,
        aws_secret_access_key="test",
    )


def get(endpoint: str, path: str, method: str = "GET", body: bytes | None = None) -> tuple[int, bytes]:
    try:
        with urlopen(Request(endpoint + path, method=method, data=body)) as answer:
            return answer.status, answer.read()
    except HTTPError as refused:
        return refused.code, refused.read()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[ServerProcess]:
    """A testing server in which three things happened."""
    started = ServerProcess(home / "data", "--testing")
    client(started.endpoint, "s3").create_bucket(Bucket="first")
    client(started.endpoint, "s3").delete_bucket(Bucket="first")
    client(started.endpoint, "sqs").create_queue(QueueName="jobs")
    yield started
    code, _, err = started.stop()
    assert code == 0, err


def ask(server: ServerProcess, home: Path, *words: str) -> Done:
    return run(home, *words, "--data", str(server.data))


# How it starts and ends.


def test_sigterm_ends_it_in_order(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data")
    assert (tmp_path / "data" / "server.json").exists()
    code, out, err = server.stop()
    assert code == 0
    assert f"AWS_ENDPOINT_URL={server.endpoint}" in out
    assert "Traceback" not in err
    assert not (tmp_path / "data" / "server.json").exists()


def test_nobody_else_may_read_what_it_keeps(server: ServerProcess) -> None:
    assert server.data.stat().st_mode & 0o777 == 0o700
    keys = list((server.data / "keys").iterdir())
    assert keys
    assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}
    assert (server.data / "server.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("flags", "code", "sentence"),
    [
        (("--port", "0", "--data", "{data}"), 5, "{pid}"),
        (("--port", "{port}", "--data", "other"), 1, "port {port}"),
        (("--host", "0.0.0.0", "--port", "0", "--data", "other"), 5, "add --open"),
        (("--port", "70000", "--data", "other"), 2, "from 0 to 65535"),
        (("--account", "12", "--data", "other"), 2, "12 digits"),
    ],
    ids=["directory in use", "port in use", "open to others", "no such port", "no such account"],
)
def test_it_says_in_a_sentence_why_it_does_not_start(
    server: ServerProcess, home: Path, flags: Sequence[str], code: int, sentence: str
) -> None:
    facts = {"data": server.data, "pid": server.process.pid, "port": server.endpoint.rpartition(":")[2]}
    done = run(home, "up", *(word.format(**facts) for word in flags))
    assert done.code == code
    assert sentence.format(**facts) in done.err
    assert "Traceback" not in done.err
    assert len(done.err.strip().splitlines()) <= 3
    assert done.out == ""


def test_open_to_others_it_warns(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data", "--host", "0.0.0.0", "--open")
    port = server.endpoint.rpartition(":")[2]
    client(f"http://127.0.0.1:{port}", "sqs").list_queues()
    code, _, err = server.stop()
    assert code == 0
    assert "Warning: other machines can reach 0.0.0.0" in err


# What the commands say of it.


def test_env_is_what_a_client_needs(server: ServerProcess, home: Path) -> None:
    done = ask(server, home, "env")
    assert done.code == 0
    script = done.out + "\n\"$PYTHON\" -c \"import boto3; print(boto3.client('sts').get_caller_identity()['Account'])\""
    environment = plain_environment(home) | {"PYTHON": sys.executable}
    found = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ACCOUNT


def test_events_in_every_form(server: ServerProcess, home: Path) -> None:
    asked = ("events", "--resource", "first", "-o")
    names = ["DeleteBucket", "CreateBucket"]
    forms = {form: ask(server, home, *asked, form) for form in ("table", "json", "jsonl", "csv")}
    assert {done.code for done in forms.values()} == {0}
    assert [each["eventName"] for each in json.loads(forms["json"].out)] == names
    assert [json.loads(line)["eventName"] for line in forms["jsonl"].out.splitlines()] == names
    rows = list(csv.DictReader(io.StringIO(forms["csv"].out)))
    assert [row["eventName"] for row in rows] == names
    table = forms["table"].out
    assert 0 < table.index("DeleteBucket") < table.index("CreateBucket")


def test_events_in_sentences(server: ServerProcess, home: Path) -> None:
    done = ask(server, home, "events", "--resource", "first", "--explain")
    last, first = done.out.strip().splitlines()
    assert "deleted" in last
    assert "created" in first
    assert all("bucket" in line.lower() and "first" in line for line in (first, last))


def test_events_followed_arrive_as_they_happen(server: ServerProcess, home: Path) -> None:
    words = [PROGRAM, "events", "--follow", "--name", "CreateTopic", "-o", "jsonl", "--data", str(server.data)]
    with subprocess.Popen(
        words, env=plain_environment(home), cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as following:
        assert following.stdout is not None
        for number in range(3):
            client(server.endpoint, "sns").create_topic(Name=f"topic-{number}")
            assert json.loads(following.stdout.readline())["requestParameters"]["name"] == f"topic-{number}"
        following.terminate()


def test_an_answer_of_nothing_is_an_answer(server: ServerProcess, home: Path) -> None:
    done = ask(server, home, "events", "--name", "DeleteTrail", "-o", "json")
    assert (done.code, json.loads(done.out)) == (0, [])


def test_the_clock_moves_and_the_next_record_with_it(server: ServerProcess, home: Path) -> None:
    before, after = (ask(server, home, "clock", *verb).out.strip() for verb in ((), ("advance", "2h")))
    assert before < after
    client(server.endpoint, "sqs").create_queue(QueueName="later")
    (record,) = json.loads(ask(server, home, "events", "--resource", "later", "-o", "json").out)
    assert record["eventTime"] >= after[:19]


def test_settle_and_doctor_are_content(server: ServerProcess, home: Path) -> None:
    assert ask(server, home, "settle").code == 0
    done = ask(server, home, "doctor")
    assert done.code in (0, 4), done.err
    assert server.endpoint in done.out + done.err


def test_the_demo_plays_asks_and_counts(tmp_path: Path) -> None:
    done = run(tmp_path, "demo", "--scene", "deleted-bucket")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert any(line.strip().startswith("$ aws cloudtrail lookup-events") for line in lines)
    assert lines[-1] == "1 of 7 answered"


def test_a_demo_that_cannot_have_its_port_says_so(server: ServerProcess, tmp_path: Path) -> None:
    done = run(tmp_path, "demo", "--port", server.endpoint.rpartition(":")[2])
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("The server cannot run: ")


def test_an_incident_can_be_played_on_it(server: ServerProcess, home: Path) -> None:
    done = ask(server, home, "play", "terminated-instance")
    assert done.code == 0, done.err
    assert "TerminateInstances" in done.out
    assert "=>" in done.out


def test_a_settings_file_of_the_place_does_not_reach_a_lab(tmp_path: Path) -> None:
    (tmp_path / "trailstate.toml").write_text("data_events = 'all'\nno_such_setting = 1\n")
    program = "from trailstate.testing import lab\nwith lab() as aws: print(aws.account)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=plain_environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == ACCOUNT, done.stderr
    assert "no_such_setting" in run(tmp_path, "events").err


# Its own pages.


def test_pages_for_probes_and_scripts(server: ServerProcess) -> None:
    status, body = get(server.endpoint, "/_trailstate/health")
    assert (status, json.loads(body)["accounts"]) == (200, [ACCOUNT])
    assert get(server.endpoint, "/_trailstate/ready") == (200, b'{"ready": true}')
    status, body = get(server.endpoint, "/_localstack/health")
    services = json.loads(body)["services"]
    assert (status, services["s3"], services["dynamodb"], services["config"]) == (200, "running", "running", "running")
    status, body = get(server.endpoint, "/_trailstate/metrics")
    assert status == 200
    assert b"trailstate_" in body


def test_only_a_testing_server_can_be_reset_or_moved(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data")
    try:
        for path in ("/moto-api/reset", "/_trailstate/reset", "/_trailstate/clock", "/_trailstate/settle"):
            assert get(server.endpoint, path, "POST", b"{}")[0] == 404
    finally:
        server.stop()


def test_a_testing_server_forgets_on_request(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data", "--testing")
    try:
        client(server.endpoint, "s3").create_bucket(Bucket="gone")
        assert get(server.endpoint, "/moto-api/reset", "POST", b"")[0] == 200
        assert client(server.endpoint, "s3").list_buckets()["Buckets"] == []
        events = client(server.endpoint, "cloudtrail").lookup_events()["Events"]
        assert [event["EventName"] for event in events] == ["ListBuckets"]
    finally:
        server.stop()
