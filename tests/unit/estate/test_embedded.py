"""The simulated estate: its time, its draws, its templates, and what happens when its process dies."""

import contextlib
import os
import re
import signal
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from trailstate.estate.embedded import EmbeddedEstate
from trailstate.estate.interface import EstateFailed, EstateRequest, EstateUnavailable, EstateUnsupported
from trailstate.wire.call import Principal, WireRequest
from trailstate.world import RealWorld, SimulatedWorld

monotonic = RealWorld().monotonic
ACCOUNT = "111122223333"
NOW = datetime(2031, 2, 3, 4, 5, 6, 789000, tzinfo=UTC)
VERSIONS = {
    "cloudformation": "2010-05-15",
    "ec2": "2016-11-15",
    "iam": "2010-05-08",
    "rds": "2014-10-31",
    "sns": "2010-03-31",
    "sqs": "2012-11-05",
    "sts": "2011-06-15",
}


@pytest.fixture(scope="module")
def opened() -> Iterator[EmbeddedEstate]:
    estate = EmbeddedEstate(SimulatedWorld(), warm=())
    yield estate
    estate.close()


@pytest.fixture
def estate(opened: EmbeddedEstate) -> EmbeddedEstate:
    opened.reset()
    return opened


def a_call(
    service: str,
    operation: str,
    *,
    seed: int = 1,
    now: datetime = NOW,
    region: str = "eu-west-1",
    account: str = ACCOUNT,
    headers: tuple[tuple[str, str], ...] = (),
    **parameters: str,
) -> EstateRequest:
    body = urlencode({"Action": operation, "Version": VERSIONS[service], **parameters}).encode()
    scope = f"AKIAIOSFODNN7EXAMPLE/20310203/us-west-2/{service}/aws4_request"
    lines = (
        *(() if dict(headers).get("host") else (("host", "127.0.0.1:4566"),)),
        ("content-type", "application/x-www-form-urlencoded"),
        ("authorization", f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
        *headers,
    )
    return EstateRequest(WireRequest("POST", "/", lines, body), service, operation, account, region, now, seed)


def an_object(method: str, target: str, host: str = "127.0.0.1", body: bytes = b"", bucket: str = "") -> EstateRequest:
    wire = WireRequest(method, target, (("host", host), ("authorization", "AWS AKIAIOSFODNN7EXAMPLE:x")), body)
    return EstateRequest(wire, "s3", "PutObject", ACCOUNT, "us-east-1", NOW, 1, bucket=bucket)


def answered(estate: EmbeddedEstate, *requests: EstateRequest) -> list[bytes]:
    return [estate.handle(request).body for request in requests]


# Time and draws.


def test_believes_the_time_of_each_request(estate: EmbeddedEstate) -> None:
    earlier = NOW - timedelta(days=900)
    first, second = answered(
        estate,
        a_call("iam", "CreateUser", UserName="now"),
        a_call("iam", "CreateUser", UserName="earlier", now=earlier),
    )
    assert b"<CreateDate>2031-02-03T04:05:06.789000Z" in first
    assert f"<CreateDate>{earlier:%Y-%m-%dT%H:%M:%S}".encode() in second


WRITES = [
    a_call("iam", "CreateUser", UserName="ann", seed=11),
    a_call("iam", "CreateAccessKey", UserName="ann", seed=12),
    a_call("ec2", "RunInstances", ImageId="ami-1", MinCount="1", MaxCount="1", InstanceType="t3.micro", seed=13),
    a_call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16", seed=14),
    a_call("sts", "AssumeRole", RoleArn=f"arn:aws:iam::{ACCOUNT}:role/r", RoleSessionName="s", seed=15),
    a_call("sns", "CreateTopic", Name="t", seed=16),
    a_call("sns", "Publish", TopicArn=f"arn:aws:sns:eu-west-1:{ACCOUNT}:t", Message="m", seed=17),
]
READS = [
    a_call("ec2", "DescribeVpcs", seed=91),
    a_call("iam", "ListUsers", seed=92),
    a_call("rds", "DescribeDBInstances", seed=93),
    a_call("sts", "GetCallerIdentity", seed=94),
]


def test_the_same_requests_make_the_same_estate_whatever_was_read_between(estate: EmbeddedEstate) -> None:
    """Ids, keys, tokens and dates: all of the answers, byte for byte, from another process."""
    with_reads = []
    for write in WRITES:
        answered(estate, *READS)
        with_reads += answered(estate, write)
    again = EmbeddedEstate(SimulatedWorld(), warm=("rds", "sqs"))
    try:
        assert answered(again, *WRITES) == with_reads
        assert answered(again, *READS) == answered(estate, *READS)
    finally:
        again.close()


def test_another_seed_makes_other_ids(estate: EmbeddedEstate) -> None:
    first = a_call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16", seed=1)
    second = a_call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16", seed=2)
    ids = [re.findall(rb"<vpcId>(.*?)<", body) for body in answered(estate, first, second)]
    assert ids[0] != ids[1]


def test_an_id_says_what_it_names(estate: EmbeddedEstate) -> None:
    user, group = answered(
        estate, a_call("iam", "CreateUser", UserName="ann"), a_call("iam", "CreateGroup", GroupName="g")
    )
    assert re.search(rb"<UserId>AIDA[A-Z0-9]{17}<", user)
    assert re.search(rb"<GroupId>AGPA[A-Z0-9]{17}<", group)


def test_waits_for_nobody(estate: EmbeddedEstate) -> None:
    """A long poll would hold everybody up: the wait passes inside the simulation only."""
    created = answered(estate, a_call("sqs", "CreateQueue", QueueName="q"))[0]
    url = re.search(rb"<QueueUrl>(.*?)<", created)
    assert url
    asked = monotonic()
    answered(estate, a_call("sqs", "ReceiveMessage", QueueUrl=url[1].decode(), WaitTimeSeconds="20"))
    assert monotonic() - asked < 10


# Where a request lands.


def test_the_house_chooses_account_and_region(estate: EmbeddedEstate) -> None:
    sly = (("user-agent", "app region/us-west-2"), ("x-moto-account-id", "999999999999"))
    body = answered(estate, a_call("sns", "CreateTopic", Name="t", headers=sly))[0]
    assert f"arn:aws:sns:eu-west-1:{ACCOUNT}:t".encode() in body


def test_a_vpc_endpoints_name_is_no_region(estate: EmbeddedEstate) -> None:
    through = (("host", "vpce-1a2b3c4d-5e6f.sns.eu-west-1.vpce.amazonaws.com"),)
    body = answered(estate, a_call("sns", "CreateTopic", Name="t", headers=through))[0]
    assert f"arn:aws:sns:eu-west-1:{ACCOUNT}:t".encode() in body


def test_accounts_do_not_see_one_another(estate: EmbeddedEstate) -> None:
    answered(estate, a_call("iam", "CreateUser", UserName="ann"))
    other = answered(estate, a_call("iam", "ListUsers", account="444455556666"))[0]
    assert b"ann" not in other


@pytest.mark.parametrize("host", ["127.0.0.1:4566", "trailstate.example.com", "s3.amazonaws.com", "audit"])
def test_no_name_of_this_machine_reads_as_a_bucket(estate: EmbeddedEstate, host: str) -> None:
    answered(estate, an_object("PUT", "/mine", host), an_object("PUT", "/mine/key", host, b"content"))
    assert answered(estate, an_object("GET", "/mine/key"))[0] == b"content"


def test_a_bucket_may_be_named_like_another_services_path(estate: EmbeddedEstate) -> None:
    """What S3 Control's paths begin with is a good name for a bucket too."""
    answered(estate, an_object("PUT", "/v20180820"), an_object("PUT", "/v20180820/key", body=b"content"))
    assert answered(estate, an_object("GET", "/v20180820/key"))[0] == b"content"


def test_a_bucket_in_the_host_is_the_same_bucket(estate: EmbeddedEstate) -> None:
    host = "mine.s3.localhost:4566"
    answered(estate, an_object("PUT", "/", host, bucket="mine"), an_object("PUT", "/key", host, b"it", bucket="mine"))
    assert answered(estate, an_object("GET", "/mine/key"))[0] == b"it"


@pytest.mark.parametrize("target", ["/moto-api/reset", "/moto-api/data.json", "/latest/meta-data/iam"])
def test_what_moto_keeps_for_itself_is_out_of_reach(estate: EmbeddedEstate, target: str) -> None:
    answer = estate.handle(an_object("GET", target))
    assert (answer.status, b"<Code>NoSuchBucket</Code>" in answer.body) == (404, True)


# Kinds of answers.


def test_an_operation_it_lacks_is_unsupported(estate: EmbeddedEstate) -> None:
    with pytest.raises(EstateUnsupported, match="modify_vpc_endpoint_payer_responsibility"):
        estate.handle(a_call("ec2", "ModifyVpcEndpointPayerResponsibility", VpcEndpointId="vpce-1"))


def test_a_service_it_lacks_is_unsupported(estate: EmbeddedEstate) -> None:
    lines = (("host", "localhost"), ("authorization", "AWS4-HMAC-SHA256 Credential=K/20310203/x/nosuch/aws4_request"))
    wire = WireRequest("GET", "/things", lines)
    with pytest.raises(EstateUnsupported, match="no service 'nosuch'"):
        estate.handle(EstateRequest(wire, "nosuch", "ListThings", ACCOUNT, "us-east-1", NOW, 1))


def test_a_path_no_operation_has_is_unsupported(estate: EmbeddedEstate) -> None:
    lines = (("host", "localhost"), ("authorization", "AWS4-HMAC-SHA256 Credential=K/20310203/x/lambda/aws4_request"))
    wire = WireRequest("GET", "/1999-01-01/nothing", lines)
    with pytest.raises(EstateUnsupported):
        estate.handle(EstateRequest(wire, "lambda", "X", ACCOUNT, "us-east-1", NOW, 1))


def test_what_breaks_inside_is_a_failure_for_the_log(estate: EmbeddedEstate) -> None:
    with pytest.raises(EstateFailed, match=r"ValueError at .+\.py:\d+") as failed:
        estate.handle(a_call("ec2", "RunInstances", ImageId="ami-1", MinCount="many", MaxCount="1"))
    assert "many" not in str(failed.value), "what the client sent may be a secret"


# Templates.

TEMPLATE = """
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: {QueueName: !Sub "${AWS::StackName}-q"}
Outputs:
  Arn: {Value: !GetAtt Queue.Arn}
"""
ATTACKS = [
    "!!python/object/apply:os.system ['touch /tmp/reached']",
    "!!python/object/new:os.system ['true']",
    "!!python/name:os.system",
    "!!python/module:os",
    "!<tag:yaml.org,2002:python/object/apply:os.getcwd> []",
]


def test_no_answer_calls_itself_a_page(estate: EmbeddedEstate) -> None:
    page = (("content-type", "text/html; charset=utf-8"), *an_object("PUT", "/").request.headers)
    estate.handle(an_object("PUT", "/pages"))
    absent = estate.handle(replace(an_object("HEAD", "/pages/absent"), operation="HeadObject"))
    assert (absent.status, dict(absent.headers).get("content-type")) == (404, None)

    stored = an_object("PUT", "/pages/index", body=b"<!doctype html>")
    estate.handle(replace(stored, request=replace(stored.request, headers=page)))
    found = estate.handle(replace(an_object("GET", "/pages/index"), operation="GetObject"))
    assert dict(found.headers)["content-type"] == "text/html; charset=utf-8", "an object keeps its owner's type"


def test_a_refusal_without_a_word_is_a_failure(estate: EmbeddedEstate) -> None:
    empty = b"<VersioningConfiguration/>"
    estate.handle(an_object("PUT", "/silent"))
    with pytest.raises(EstateFailed, match="not a word why"):
        estate.handle(an_object("PUT", "/silent?versioning", body=empty))


def test_a_template_makes_a_stack(estate: EmbeddedEstate) -> None:
    answered(estate, a_call("cloudformation", "CreateStack", StackName="s", TemplateBody=TEMPLATE))
    stacks = answered(estate, a_call("cloudformation", "DescribeStacks", StackName="s"))[0]
    assert f"arn:aws:sqs:eu-west-1:{ACCOUNT}:s-q".encode() in stacks


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("operation", ["CreateStack", "GetTemplateSummary", "CreateChangeSet"])
def test_a_template_runs_no_code(estate: EmbeddedEstate, operation: str, attack: str) -> None:
    template = f"Description: {attack}\nResources: {{}}\n"
    named = {"CreateChangeSet": {"StackName": "s", "ChangeSetName": "c", "ChangeSetType": "CREATE"}}
    parameters = named.get(operation, {"StackName": "s"} if operation == "CreateStack" else {})
    answer = estate.handle(a_call("cloudformation", operation, TemplateBody=template, **parameters))
    assert answer.status == 400
    assert b"Template format error: line 1 holds a tag that no template may use" in answer.body


@pytest.mark.parametrize("text", ["{", "a: b: c", "[1, 2"])
def test_a_broken_template_is_the_callers_mistake(estate: EmbeddedEstate, text: str) -> None:
    answer = estate.handle(a_call("cloudformation", "CreateStack", StackName="s", TemplateBody=text))
    assert answer.status == 400
    assert b"<Code>ValidationError</Code>" in answer.body


# The process.


def test_a_reset_forgets_and_is_quick(estate: EmbeddedEstate) -> None:
    answered(estate, *WRITES, *READS, an_object("PUT", "/mine"))
    begun = monotonic()
    estate.reset()
    assert monotonic() - begun < 0.5
    assert b"ann" not in answered(estate, a_call("iam", "ListUsers"))[0]
    assert b"mine" not in answered(estate, an_object("GET", "/"))[0]
    assert answered(estate, an_object("PUT", "/mine"))[0] == b""


def test_many_may_call_at_once(estate: EmbeddedEstate) -> None:
    failures: list[str] = []

    def create(number: int) -> None:
        body = answered(estate, a_call("iam", "CreateUser", UserName=f"u{number}", seed=number))[0]
        if f"<UserName>u{number}<".encode() not in body:
            failures.append(body.decode())

    threads = [threading.Thread(target=create, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_process_that_dies_is_replaced_and_its_loss_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    estate = EmbeddedEstate(SimulatedWorld(), warm=(), on_restart=told.append, log_path=tmp_path / "estate.log")
    try:
        answered(estate, a_call("iam", "CreateUser", UserName="ann"))
        assert estate.pid is not None
        os.kill(estate.pid, signal.SIGKILL)
        while not told:
            # The loss is told to the request it happens to, or found before the next.
            with contextlib.suppress(EstateUnavailable):
                estate.handle(a_call("iam", "ListUsers"))
        assert b"ann" not in answered(estate, a_call("iam", "ListUsers"))[0]
        assert (len(told), estate.restarts) == (1, 1)
    finally:
        estate.close()


def test_a_request_that_takes_too_long_is_given_up() -> None:
    estate = EmbeddedEstate(SimulatedWorld(), warm=(), request_seconds_max=0.001)
    try:
        with pytest.raises(EstateUnavailable, match="no answer within") as caught:
            estate.handle(WRITES[2])
        assert caught.value.applied
    finally:
        estate.close()


def test_a_closed_estate_says_so() -> None:
    estate = EmbeddedEstate(SimulatedWorld(), warm=("ec2",))
    estate.close()
    with pytest.raises(EstateUnavailable, match="closed") as caught:
        estate.handle(a_call("iam", "ListUsers"))
    assert not caught.value.applied


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_closing_while_it_still_warms_up_ends_both_quietly() -> None:
    started = EmbeddedEstate(RealWorld())
    assert started.credential("AKIANOBODYKNOWSTHIS1") is None
    started.close()
    assert not started._warmer.is_alive()
    with pytest.raises(EstateUnavailable):
        started.credential("AKIANOBODYKNOWSTHIS1")


# What a stack does to something of the house's.

TRAIL = """
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: q}}
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties: {TrailName: audit, S3BucketName: !GetAtt Queue.QueueName, IsLogging: false}
"""


class Asking:
    """A door behind which every call has to know something of the estate, and leaves the asking to another thread."""

    def __init__(self) -> None:
        self.estate: EmbeddedEstate | None = None
        self.calls: list[tuple[str, Mapping[str, Any], str, str | None]] = []
        self.seen: list[bytes] = []

    def call(
        self, service: str, operation: str, parameters: Mapping[str, Any], *, account: str, region: str, as_: Principal
    ) -> Mapping[str, Any]:
        def ask() -> None:
            assert self.estate is not None
            self.seen += answered(self.estate, a_call("sqs", "ListQueues", account=account, region=region))

        asking = threading.Thread(target=ask)
        asking.start()
        asking.join(30)
        self.calls.append((operation, parameters, as_.arn, as_.invoked_by))
        return {"Name": parameters["Name"]}


def test_a_call_out_of_the_estate_may_ask_the_estate() -> None:
    door = Asking()
    estate = door.estate = EmbeddedEstate(SimulatedWorld(), warm=(), ours=("AWS::CloudTrail::",), door=door)
    ann = Principal("IAMUser", ACCOUNT, "AIDAEXAMPLE", f"arn:aws:iam::{ACCOUNT}:user/ann", "ann")
    create = a_call("cloudformation", "CreateStack", StackName="s", TemplateBody=TRAIL)
    try:
        with_call = answered(estate, replace(create, principal=ann), a_call("sqs", "CreateQueue", QueueName="after"))
        assert door.calls == [
            ("CreateTrail", {"Name": "audit", "S3BucketName": "q"}, ann.arn, "cloudformation.amazonaws.com")
        ]
        assert b"/q</QueueUrl>" in door.seen[0]
        estate.reset()
        assert answered(estate, replace(create, principal=ann))[0] == with_call[0], (
            "what was asked meanwhile drew nothing"
        )
    finally:
        estate.close()


# What it weighs.


def resident_mib(pid: int) -> float:
    """Of the process and those below it, the heaviest."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    below = [resident_mib(int(child)) for each in lists for child in each.read_text().split()]
    return max([pages * os.sysconf("SC_PAGE_SIZE") / 2**20, *below])


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc to read what a process weighs")
def test_it_stays_small_with_everything_warmed_that_a_newcomer_wants() -> None:
    started = EmbeddedEstate(SimulatedWorld())
    try:
        started._warmer.join()
        assert started.pid is not None
        assert resident_mib(started.pid) <= 100
        described = answered(started, a_call("ec2", "DescribeInstanceTypes", **{"InstanceType.1": "t3.micro"}))[0]
        assert b"<defaultVCpus>2</defaultVCpus>" in described
        offered = answered(started, a_call("ec2", "DescribeInstanceTypeOfferings"))[0]
        assert b"<instanceType>t3.micro</instanceType>" in offered
        answered(started, a_call("rds", "DescribeDBInstances"))
        assert resident_mib(started.pid) <= 250
    finally:
        started.close()


def test_an_account_has_the_managed_policies_of_aws(estate: EmbeddedEstate) -> None:
    policy = "arn:aws:iam::aws:policy/AdministratorAccess"
    for account in (ACCOUNT, "444455556666"):
        version = a_call("iam", "GetPolicyVersion", PolicyArn=policy, VersionId="v1", account=account)
        assert b"Effect" in answered(estate, version)[0]
