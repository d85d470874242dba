"""Killed under load, again and again: what was acknowledged stands in the journal once; the rest is told truthfully."""

import http.client
import json
import random
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.clients.server import ServerProcess, scope
from trailstate.stores.interface import JOURNAL
from trailstate.stores.sqlite import SqliteStore
from trailstate.world import RealWorld

CYCLES = 20
CLIENTS = 6


class Load:
    """Clients that create queues under names of their own and note which answers reached them."""

    def __init__(self, server: ServerProcess, cycle: int) -> None:
        self.acknowledged: list[tuple[str, str]] = []
        self._server = server
        self._cycle = cycle
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(CLIENTS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _work(self, number: int) -> None:
        connection = self._server.connect()
        for turn in range(100_000):
            name = f"q-{self._cycle}-{number}-{turn}"
            try:
                status, request_id = create_queue(connection, name)
            except (OSError, http.client.HTTPException):
                return
            if status == 200:
                self.acknowledged.append((name, request_id))


def create_queue(connection: http.client.HTTPConnection, name: str) -> tuple[int, str]:
    """The status of the answer and its request id."""
    headers = {
        **scope("sqs"),
        "X-Amz-Target": "AmazonSQS.CreateQueue",
        "Content-Type": "application/x-amz-json-1.0",
    }
    connection.request("POST", "/", json.dumps({"QueueName": name}), headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.headers["x-amzn-RequestId"]


@pytest.mark.parametrize("seed", [20260115])
def test_no_acknowledged_record_is_lost_or_doubled(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    acknowledged: list[tuple[str, str]] = []
    for cycle in range(CYCLES):
        server = ServerProcess(tmp_path / "data")
        load = Load(server, cycle)
        assert create_queue(server.connect(), f"first-{cycle}")[0] == 200, "the load begins once the estate answers"
        load.start()
        time.sleep(chance.uniform(0.02, 0.4))
        server.kill()
        load.join()
        acknowledged += load.acknowledged
    ServerProcess(tmp_path / "data").stop()

    store = SqliteStore(tmp_path / "data", RealWorld())
    try:
        entries = store.read(JOURNAL, 0, 1_000_000)
        assert store.intents() == [], "at start every intent without an outcome becomes a record"
    finally:
        store.close()
    records = [json.loads(entry.body) for entry in entries]
    assert [entry.position for entry in entries] == list(range(1, len(entries) + 1))
    assert [count for count in Counter(record["eventID"] for record in records).values() if count > 1] == []
    created = {
        record["requestID"]: record["requestParameters"]["queueName"]
        for record in records
        if record["eventName"] == "CreateQueue" and "errorCode" not in record
    }
    assert len(acknowledged) > CYCLES, f"seed {seed}: the load was too small to mean anything"
    assert [each for each in acknowledged if created.get(each[1]) != each[0]] == [], f"seed {seed}"
    unanswered = [record for record in records if (record.get("additionalEventData") or {}).get("outcome")]
    assert {record["additionalEventData"]["outcome"] for record in unanswered} <= {"not applied"}
    assert all(record["errorCode"] for record in unanswered)


def test_a_second_server_on_the_same_directory_says_who_holds_it(tmp_path: Path) -> None:
    first = ServerProcess(tmp_path / "data")
    try:
        with pytest.raises(AssertionError, match=str(first.process.pid)):
            ServerProcess(tmp_path / "data")
    finally:
        code, _, _ = first.stop()
    assert code == 0


def test_a_restart_keeps_the_history_and_says_that_the_simulated_account_is_new(tmp_path: Path) -> None:
    first = ServerProcess(tmp_path / "data")
    connection = first.connect()
    connection.request("PUT", "/kept-in-memory", headers=scope("s3"))
    assert connection.getresponse().status == 200
    first.stop()
    again = ServerProcess(tmp_path / "data")
    _, _, talk = again.stop()
    assert "starts empty" in talk
    store = SqliteStore(tmp_path / "data", RealWorld())
    try:
        names = [json.loads(entry.body)["eventName"] for entry in store.read(JOURNAL, 0, 100)]
    finally:
        store.close()
    assert names == ["CreateBucket", "SimulatedEstateRestarted"]
