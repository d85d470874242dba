"""Another simulator behind `--estate`: its answers, our record of who asked for what."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.clients.server import ACCOUNT, ServerProcess

TRUST = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
)


@pytest.fixture(scope="module")
def moto_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """moto's own server, in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("moto") / "server.log"
    command = [Path(sys.executable).with_name("moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    with log.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file) as process:
        try:
            while not accepts(port):
                assert process.poll() is None, log.read_text()
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def server(moto_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    started = ServerProcess(tmp_path_factory.mktemp("data"), "--estate", moto_server)
    yield started
    code, _, err = started.stop()
    assert code == 0, err


def client(endpoint: str, service: str, credentials: dict[str, Any] | None = None) -> Any:
    given = credentials or {"AccessKeyId": ACCOUNT, "SecretAccessKey": "test"}
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given.get("SessionToken"),
    )


def identity(server: ServerProcess, event: str) -> dict[str, Any]:
    """Who made the latest call of that name."""
    asked = [{"AttributeKey": "EventName", "AttributeValue": event}]
    found = client(server.endpoint, "cloudtrail").lookup_events(LookupAttributes=asked)["Events"]
    who: dict[str, Any] = json.loads(found[0]["CloudTrailEvent"])["userIdentity"]
    return who


def test_what_is_done_here_is_done_there(server: ServerProcess, moto_server: str) -> None:
    client(server.endpoint, "s3").create_bucket(Bucket="behind")
    assert [each["Name"] for each in client(moto_server, "s3").list_buckets()["Buckets"]] == ["behind"]
    body = b"1" * (2 * 1024 * 1024)
    client(server.endpoint, "s3").put_object(Bucket="behind", Key="a b/ü", Body=body)
    assert client(moto_server, "s3").get_object(Bucket="behind", Key="a b/ü")["Body"].read() == body
    assert identity(server, "CreateBucket")["accountId"] == ACCOUNT


def test_a_users_key_is_learned_as_it_is_made(server: ServerProcess) -> None:
    iam = client(server.endpoint, "iam")
    user = iam.create_user(UserName="alice")["User"]
    key = iam.create_access_key(UserName="alice")["AccessKey"]
    client(server.endpoint, "sqs", key).create_queue(QueueName="hers")
    who = identity(server, "CreateQueue")
    assert (who["type"], who["userName"], who["accessKeyId"]) == ("IAMUser", "alice", key["AccessKeyId"])
    assert who["arn"] == user["Arn"]


def test_a_session_is_learned_as_it_begins(server: ServerProcess) -> None:
    role = client(server.endpoint, "iam").create_role(RoleName="deployer", AssumeRolePolicyDocument=TRUST)["Role"]
    answer = client(server.endpoint, "sts").assume_role(RoleArn=role["Arn"], RoleSessionName="build")
    client(server.endpoint, "sns", answer["Credentials"]).create_topic(Name="news")
    who = identity(server, "CreateTopic")
    assert (who["type"], who["arn"]) == ("AssumedRole", answer["AssumedRoleUser"]["Arn"])
    assert who["sessionContext"]["sessionIssuer"]["arn"] == role["Arn"]


def test_an_estate_that_is_gone_is_an_error_that_is_recorded(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        server = ServerProcess(tmp_path / "data", "--estate", f"http://127.0.0.1:{taken.getsockname()[1]}")
        try:
            sqs = client(server.endpoint, "sqs")
            with pytest.raises(sqs.exceptions.ClientError) as refused:
                sqs.create_queue(QueueName="nowhere")
            assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
            assert identity(server, "CreateQueue")["accountId"] == ACCOUNT
        finally:
            server.stop()
