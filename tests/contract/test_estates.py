"""What every estate keeps, whatever stands behind it: the same examples for the simulator and for an endpoint."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from trailstate.estate.embedded import EmbeddedEstate
from trailstate.estate.endpoint import EndpointEstate
from trailstate.estate.interface import (
    Credential,
    Estate,
    EstateFailed,
    EstateRequest,
    EstateUnavailable,
    EstateUnsupported,
)
from trailstate.wire.call import Principal, Session, WireRequest, WireResponse
from trailstate.world import SimulatedWorld

ACCOUNT = "123456789012"
NOW = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
FORM = "application/x-www-form-urlencoded"
VERSIONS = {"iam": "2010-05-08", "sts": "2011-06-15", "ec2": "2016-11-15"}
MFA = {"SerialNumber": "token", "TokenCode": "123456"}
CALLER = Principal("IAMUser", ACCOUNT, "AIDAEXAMPLE", f"arn:aws:iam::{ACCOUNT}:user/ann", "ann")


@pytest.fixture(scope="module")
def moto_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("endpoint") / "server.log"
    program = "from moto.server import main; main()"
    with log.open("wb") as file:
        server = subprocess.Popen(
            [sys.executable, "-c", program, "-H", "127.0.0.1", "-p", str(port)], stdout=file, stderr=file
        )
    try:
        _await_port(port, server, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.kill(server.pid, signal.SIGKILL)
        server.wait()


def _await_port(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    while server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise AssertionError(f"the endpoint did not start: {log.read_text()[-2000:]}")


@pytest.fixture(scope="module", params=["embedded", "endpoint"])
def opened(request: pytest.FixtureRequest) -> Iterator[Estate]:
    estate: Estate
    if request.param == "embedded":
        estate = EmbeddedEstate(SimulatedWorld(), warm=())
    else:
        estate = EndpointEstate(request.getfixturevalue("moto_server"))
    yield estate
    estate.close()


@pytest.fixture
def estate(opened: Estate) -> Iterator[Estate]:
    yield opened
    opened.reset()


def a_call(service: str, operation: str, *, principal: Principal | None = CALLER, seed: int = 1, **parameters: str):
    body = "&".join(f"{name}={value}" for name, value in {"Action": operation, **parameters}.items())
    wire = WireRequest("POST", "/", signed(service, FORM), f"{body}&Version={VERSIONS[service]}".encode())
    return EstateRequest(wire, service, operation, ACCOUNT, "us-east-1", NOW, seed, principal=principal)


def an_object(method: str, target: str, body: bytes = b"", *headers: tuple[str, str]) -> EstateRequest:
    wire = WireRequest(method, target, (*signed("s3", "application/octet-stream"), *headers), body)
    return EstateRequest(wire, "s3", f"{method.title()}Object", ACCOUNT, "us-east-1", NOW, 1)


def signed(service: str, content_type: str) -> tuple[tuple[str, str], ...]:
    scope = f"AKIAIOSFODNN7EXAMPLE/20260115/us-east-1/{service}/aws4_request"
    authorization = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
    return (("host", "127.0.0.1:4566"), ("content-type", content_type), ("authorization", authorization))


def handed_out(estate: Estate, response: WireResponse) -> Credential:
    match = re.search(rb"<AccessKeyId>(\w+)<", response.body)
    assert match, response.body
    credential = estate.credential(match[1].decode())
    assert credential is not None
    return credential


def test_answers_with_the_services_own_words(estate: Estate) -> None:
    answer = estate.handle(a_call("iam", "GetUser", UserName="nobody"))
    assert answer.status == 404
    assert b"<Code>NoSuchEntity</Code>" in answer.body
    assert ("content-type", "text/xml") in [(name, value.partition(";")[0]) for name, value in answer.headers]


def test_keeps_what_was_put_under_its_exact_key(estate: Estate) -> None:
    estate.handle(an_object("PUT", "/exact"))
    stored = estate.handle(an_object("PUT", "/exact/a%2Fb%20%C3%BC+c?", b"hello", ("x-amz-meta-my_note", "1")))
    assert stored.status == 200
    found = estate.handle(an_object("GET", "/exact/a%2Fb%20%C3%BC+c"))
    assert (found.status, found.body) == (200, b"hello")
    assert ("x-amz-meta-my_note", "1") in found.headers


@pytest.mark.parametrize("size", [1024 * 1024, 3 * 1024 * 1024 + 1])
def test_carries_large_bodies_both_ways(estate: Estate, size: int) -> None:
    estate.handle(an_object("PUT", "/large"))
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert estate.handle(an_object("PUT", "/large/one", body)).status == 200
    assert estate.handle(an_object("GET", "/large/one")).body == body


def test_takes_a_body_from_a_file(estate: Estate, tmp_path: Path) -> None:
    estate.handle(an_object("PUT", "/spooled"))
    path = tmp_path / "body"
    path.write_bytes(b"y" * 2_000_000)
    with path.open("r+b") as file:
        wire = WireRequest("PUT", "/spooled/one", signed("s3", "text/plain"), b"", file, 2_000_000)
        estate.handle(EstateRequest(wire, "s3", "PutObject", ACCOUNT, "us-east-1", NOW, 1))
    assert estate.handle(an_object("GET", "/spooled/one")).body == b"y" * 2_000_000


def test_answers_head_with_the_length_and_no_body(estate: Estate) -> None:
    estate.handle(an_object("PUT", "/head"))
    estate.handle(an_object("PUT", "/head/one", b"hello"))
    answer = estate.handle(an_object("HEAD", "/head/one"))
    assert (answer.status, answer.body) == (200, b"")
    assert ("content-length", "5") in answer.headers


def test_never_answers_an_operation_it_does_not_have(estate: Estate) -> None:
    with pytest.raises((EstateUnsupported, EstateFailed)):
        estate.handle(a_call("ec2", "ModifyVpcEndpointPayerResponsibility", VpcEndpointId="vpce-1"))


def test_clients_cannot_choose_the_account_behind_the_house(estate: Estate) -> None:
    call = a_call("sts", "GetCallerIdentity")
    wire = call.request
    sly = (*wire.headers, ("x-moto-account-id", "999999999999"), ("x_moto_account_id", "999999999999"))
    wire = WireRequest(wire.method, wire.target, sly, wire.body)
    answer = estate.handle(EstateRequest(wire, "sts", "GetCallerIdentity", ACCOUNT, "us-east-1", NOW, 1))
    assert b"999999999999" not in answer.body
    assert ACCOUNT.encode() in answer.body


def test_knows_whose_a_users_key_is(estate: Estate) -> None:
    estate.handle(a_call("iam", "CreateUser", UserName="ann"))
    try:
        credential = handed_out(estate, estate.handle(a_call("iam", "CreateAccessKey", UserName="ann")))
    finally:
        _delete_keys_and_user(estate, "ann")
    assert (credential.kind, credential.account, credential.user_name) == ("IAMUser", ACCOUNT, "ann")
    assert credential.arn == f"arn:aws:iam::{ACCOUNT}:user/ann"
    assert credential.secret
    assert credential.token is None


def _delete_keys_and_user(estate: Estate, name: str) -> None:
    listed = estate.handle(a_call("iam", "ListAccessKeys", UserName=name))
    for key in re.findall(rb"<AccessKeyId>(\w+)<", listed.body):
        estate.handle(a_call("iam", "DeleteAccessKey", UserName=name, AccessKeyId=key.decode()))
    estate.handle(a_call("iam", "DeleteUser", UserName=name))


def test_knows_the_role_behind_a_session(estate: Estate) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/path/deployer"
    credential = handed_out(
        estate,
        estate.handle(a_call("sts", "AssumeRole", RoleArn=role, RoleSessionName="ci", SourceIdentity="ann", **MFA)),
    )
    assert (credential.kind, credential.account) == ("AssumedRole", ACCOUNT)
    assert credential.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/ci"
    assert credential.principal_id.startswith("AROA")
    assert credential.principal_id.endswith(":ci")
    assert credential.issuer == {
        "type": "Role",
        "principalId": credential.principal_id.removesuffix(":ci"),
        "arn": role,
        "accountId": ACCOUNT,
        "userName": "deployer",
    }
    assert (credential.mfa, credential.source_identity) == (True, "ann")
    assert credential.created is not None
    assert credential.token


def test_a_source_identity_stays_through_a_chain_of_roles(estate: Estate) -> None:
    caller = Principal(
        "AssumedRole",
        ACCOUNT,
        "AROA1:ci",
        "arn:aws:sts::1:assumed-role/a/ci",
        session=Session(NOW, source_identity="ann"),
    )
    role = f"arn:aws:iam::{ACCOUNT}:role/next"
    answer = estate.handle(a_call("sts", "AssumeRole", principal=caller, RoleArn=role, RoleSessionName="two"))
    assert handed_out(estate, answer).source_identity == "ann"


def test_a_session_token_is_its_owner_again(estate: Estate) -> None:
    credential = handed_out(estate, estate.handle(a_call("sts", "GetSessionToken")))
    assert (credential.kind, credential.arn, credential.principal_id) == ("IAMUser", CALLER.arn, "AIDAEXAMPLE")
    assert (credential.user_name, credential.issuer, credential.mfa) == ("ann", None, False)


def test_a_federation_token_names_the_user_behind_it(estate: Estate) -> None:
    credential = handed_out(estate, estate.handle(a_call("sts", "GetFederationToken", Name="bob")))
    assert (credential.kind, credential.principal_id) == ("FederatedUser", f"{ACCOUNT}:bob")
    assert credential.arn == f"arn:aws:sts::{ACCOUNT}:federated-user/bob"
    assert credential.issuer is not None
    assert (credential.issuer["type"], credential.issuer["arn"]) == ("IAMUser", CALLER.arn)


def test_a_key_nobody_handed_out_is_unknown(estate: Estate) -> None:
    assert estate.credential("AKIAUNKNOWN000000000") is None


def test_a_reset_forgets_credentials(estate: Estate) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/r"
    credential = handed_out(estate, estate.handle(a_call("sts", "AssumeRole", RoleArn=role, RoleSessionName="s")))
    estate.reset()
    assert estate.credential(credential.access_key_id) is None


def test_says_when_nobody_is_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        estate = EndpointEstate(f"http://127.0.0.1:{free.getsockname()[1]}")
        with pytest.raises(EstateUnavailable, match="cannot be reached") as caught:
            estate.handle(a_call("iam", "ListUsers"))
    assert not caught.value.applied
