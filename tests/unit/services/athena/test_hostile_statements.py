"""Hostile SQL through Athena's API: every statement is answered, and none leaks, writes or calls anybody."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from tests.unit.lake.hostile_sql import statements

from trailstate import testing
from trailstate.testing import Lab

SECRET = "canary-8c1f0b"


class Listener:
    """Counts whoever connects."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.contacts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                self._socket.accept()[0].close()
            except OSError:
                return
            self.contacts += 1

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


@pytest.fixture
def lab() -> Iterator[Lab]:
    with testing.lab() as started:
        started.client("s3").create_bucket(Bucket="answers")
        yield started


def test_every_statement_is_answered_and_nothing_comes_of_it(lab: Lab, listener: Listener, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text(f"word\n{SECRET}\n")
    athena = lab.client("athena")
    place = {"OutputLocation": "s3://answers/out/"}
    refused, started = [], []
    for text in filter(None, statements(str(secret), listener.url)):
        try:
            answer = athena.start_query_execution(QueryString=text, ResultConfiguration=place)
        except ClientError as error:
            refused.append(error.response["ResponseMetadata"]["HTTPStatusCode"])
        else:
            started.append(answer["QueryExecutionId"])
    assert set(refused) <= {400}
    lab.settle()
    ended = [
        each
        for first in range(0, len(started), 50)
        for each in athena.batch_get_query_execution(QueryExecutionIds=started[first : first + 50])["QueryExecutions"]
    ]
    assert len(ended) + len(refused) >= 200
    assert [each["Query"] for each in ended if each["Status"]["State"] != "FAILED"] == []
    assert all(each["Status"]["StateChangeReason"] for each in ended)
    told = [each["Status"]["StateChangeReason"] for each in ended]
    assert not any(SECRET in each for each in told)
    assert lab.client("s3").list_objects_v2(Bucket="answers").get("Contents", []) == []
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]
    assert listener.contacts == 0
