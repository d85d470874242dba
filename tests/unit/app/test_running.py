"""The whole house when something under it breaks: it says so, loses nothing, and goes on."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from trailstate.app import Running, running
from trailstate.estate.embedded import EmbeddedEstate
from trailstate.settings import Settings
from trailstate.testing import Lab
from trailstate.world import AdjustableWorld

ACCOUNT, OTHER = "123456789012", "222222222222"
ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Running]:
    with running(Settings(data=tmp_path / "data", port=0, testing=True), AdjustableWorld()) as started:
        yield started


def kill_estate(house: Running) -> None:
    estate = house._estate
    assert isinstance(estate, EmbeddedEstate)
    assert estate.pid is not None
    os.kill(estate.pid, signal.SIGKILL)


def test_an_estate_that_dies_is_told_wherever_something_was_lost(house: Running) -> None:
    lab = Lab(house)
    lab.client("sqs").create_queue(QueueName="one")
    lab.client("sqs", region="eu-west-1", key=OTHER).create_queue(QueueName="two")
    house.settle()
    kill_estate(house)
    answers = []
    for _ in range(2):
        try:
            lab.client("sqs", config=ONCE).list_queues()
            answers.append("answered")
        except ClientError as error:
            answers.append(error.response["Error"]["Code"])
    assert answers[-1] == "answered"
    told = {
        (each["recipientAccountId"], each["awsRegion"]) for each in lab.recorded(eventName="SimulatedEstateRestarted")
    }
    assert told == {(ACCOUNT, "us-east-1"), (OTHER, "eu-west-1")}


def test_a_caller_nobody_can_name_just_now_is_refused_and_recorded(house: Running) -> None:
    lab = Lab(house)
    lab.client("sqs").list_queues()
    house._estate.close()
    with pytest.raises(ClientError, match="ServiceUnavailable"):
        lab.client("sqs", key="AKIAABCDEFGHIJKLMNOP", config=ONCE).list_queues()
    last = lab.recorded(eventName="ListQueues")[-1]
    assert last["userIdentity"]["type"] == "Unknown"
    assert last["userIdentity"]["accessKeyId"] == "AKIAABCDEFGHIJKLMNOP"
    assert last["errorCode"]


def test_an_account_in_the_body_never_becomes_a_place_in_the_journal(house: Running) -> None:
    lab = Lab(house)
    for account in ("²", "1", "12345678901\u0662"):
        with contextlib.suppress(ClientError):
            lab.client("sts", config=ONCE).assume_role(
                RoleArn=f"arn:aws:iam::{account}:role/reader", RoleSessionName="me"
            )
    assert {each["recipientAccountId"] for each in lab.recorded()} == {ACCOUNT}


def test_a_restart_tells_every_account_and_region_that_has_a_history(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", port=0)
    with running(settings, AdjustableWorld()) as first:
        Lab(first).client("sqs", region="eu-west-1", key=OTHER).create_queue(QueueName="two")
    with running(settings, AdjustableWorld()) as again:
        told = Lab(again).recorded(eventName="SimulatedEstateRestarted")
    assert {(each["recipientAccountId"], each["awsRegion"]) for each in told} == {
        (ACCOUNT, "us-east-1"),
        (OTHER, "eu-west-1"),
    }


def test_the_directory_and_what_is_in_it_are_the_owners_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    with running(Settings(data=data, port=0), AdjustableWorld()) as house:
        Lab(house).client("sqs").list_queues()
        assert data.stat().st_mode & 0o777 == 0o700
        open_to_others = [path.name for path in data.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    assert open_to_others == []


def test_stopping_does_not_wait_for_an_estate_that_hangs(tmp_path: Path) -> None:
    with running(Settings(data=tmp_path / "data", port=0, stop_timeout_seconds=0.2), AdjustableWorld()) as house:
        Lab(house).client("sqs").list_queues()
        assert isinstance(house._estate, EmbeddedEstate)
        os.kill(house._estate.pid or 0, signal.SIGSTOP)
    assert not (tmp_path / "data" / "server.json").exists()
