"""Lambda through the real API: functions are made, really run under their role, log, fail as AWS tells it, and go."""

import base64
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.clients.refusals import refusal

from trailstate.sandbox import protection
from trailstate.testing import Lab, lab
from trailstate.wire.call import service_principal
from trailstate.wire.fault import Fault

pytestmark = pytest.mark.skipif(not protection.available().isolates, reason="no bubblewrap that works here")


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab(accounts="123456789012,210987654321") as started:
        yield started


def zipped(source: str, name: str = "main.py") -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr(name, source)
    return body.getvalue()


def role(aws: Lab) -> str:
    return f"arn:aws:iam::{aws.account}:role/worker"


def make(
    aws: Lab, name: str, source: str = "def go(event, context):\n    return event\n", **more: Any
) -> dict[str, Any]:
    parameters = {"Runtime": "python3.12", "Role": role(aws), "Handler": "main.go", "Code": {"ZipFile": zipped(source)}}
    made: dict[str, Any] = aws.client("lambda").create_function(FunctionName=name, **parameters | more)
    return made


def call(aws: Lab, name: str, event: Any = None, **more: Any) -> tuple[Any, dict[str, Any]]:
    answer = aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode(), **more)
    body = answer["Payload"].read()
    return json.loads(body) if body else None, answer


def test_a_function_really_runs(aws: Lab) -> None:
    source = (
        "import os\n"
        "def go(event, context):\n"
        "    print('working on', event['n'])\n"
        "    return {'n': event['n'] + 1, 'mine': os.environ['MINE'], 'arn': context.invoked_function_arn,\n"
        "            'memory': context.memory_limit_in_mb, 'left': context.get_remaining_time_in_millis() > 0}\n"
    )
    made = make(aws, "adder", source, Environment={"Variables": {"MINE": "x"}}, MemorySize=256, Timeout=20)
    assert (made["State"], made["Version"], made["Timeout"]) == ("Active", "$LATEST", 20)
    result, answer = call(aws, "adder", {"n": 1}, LogType="Tail")
    expected = {"n": 2, "mine": "x", "arn": made["FunctionArn"], "memory": "256", "left": True}
    assert (result, answer["StatusCode"], "FunctionError" in answer) == (expected, 200, False)
    log = base64.b64decode(answer["LogResult"]).decode()
    assert "START RequestId" in log
    assert "working on 1" in log
    assert "Memory Size: 256 MB" in log
    assert [answer["ResponseMetadata"]["HTTPHeaders"]["x-amz-executed-version"]] == ["$LATEST"]


def test_its_calls_are_recorded_as_its_role_and_its_lines_reach_cloudwatch(aws: Lab) -> None:
    source = (
        "import boto3, logging\n"
        "def go(event, context):\n"
        "    logging.getLogger().warning('made a queue')\n"
        "    return boto3.client('sqs').create_queue(QueueName='by-function')['QueueUrl']\n"
    )
    make(aws, "maker", source, Timeout=20)
    url, _ = call(aws, "maker")
    assert url.endswith("/by-function")
    (record,) = aws.recorded(eventName="CreateQueue")
    assert record["userIdentity"]["arn"] == f"arn:aws:sts::{aws.account}:assumed-role/worker/maker"
    (event_stream,) = aws.client("logs").describe_log_streams(logGroupName="/aws/lambda/maker")["logStreams"]
    events = aws.client("logs").get_log_events(
        logGroupName="/aws/lambda/maker", logStreamName=event_stream["logStreamName"]
    )["events"]
    assert any("[WARNING]" in each["message"] and "made a queue" in each["message"] for each in events)


FAILURES = [
    ("def go(e, c):\n    raise KeyError('gone')\n", "KeyError", "'gone'"),
    ("def other(e, c):\n    pass\n", "Runtime.HandlerNotFound", "Handler 'go' missing on module 'main'"),
    ("import nowhere\n", "Runtime.ImportModuleError", "Unable to import module 'main'"),
    ("def go(e, c):\n    while True: pass\n", "Sandbox.Timedout", "Task timed out after 1.00 seconds"),
    ("def go(e, c):\n    return {1}\n", "Runtime.MarshalError", "Unable to marshal response"),
]


@pytest.mark.parametrize(("source", "kind", "message"), FAILURES, ids=[each[1] for each in FAILURES])
def test_a_failing_function_is_answered_with_its_error(aws: Lab, source: str, kind: str, message: str) -> None:
    make(aws, "failing", source, Timeout=1)
    result, answer = call(aws, "failing")
    aws.client("lambda").delete_function(FunctionName="failing")
    assert (answer["StatusCode"], answer["FunctionError"], result["errorType"]) == (200, "Unhandled", kind)
    assert message in result["errorMessage"]


def test_code_comes_from_s3_too(aws: Lab) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="code")
    s3.put_object(Bucket="code", Key="f.zip", Body=zipped("def go(e, c):\n    return 'from s3'\n"))
    make(aws, "from-s3", Code={"S3Bucket": "code", "S3Key": "f.zip"})
    assert call(aws, "from-s3")[0] == "from s3"
    create = aws.client("lambda").create_function
    absent = {"Runtime": "python3.12", "Role": role(aws), "Handler": "main.go", "FunctionName": "no-code"}
    assert refusal(create, Code={"S3Bucket": "code", "S3Key": "gone.zip"}, **absent) == "InvalidParameterValueException"


def test_versions_and_aliases_keep_what_they_were(aws: Lab) -> None:
    client = aws.client("lambda")
    make(aws, "versioned", "def go(e, c):\n    return 'one'\n")
    assert client.publish_version(FunctionName="versioned")["Version"] == "1"
    assert client.publish_version(FunctionName="versioned")["Version"] == "1"
    client.create_alias(FunctionName="versioned", Name="live", FunctionVersion="1")
    client.update_function_code(FunctionName="versioned", ZipFile=zipped("def go(e, c):\n    return 'two'\n"))
    assert call(aws, "versioned")[0] == "two"
    assert call(aws, "versioned", Qualifier="live")[0] == "one"
    assert client.publish_version(FunctionName="versioned")["Version"] == "2"
    client.update_alias(FunctionName="versioned", Name="live", FunctionVersion="2")
    assert call(aws, "versioned:live")[0] == "two"
    listed = client.list_versions_by_function(FunctionName="versioned")["Versions"]
    assert [each["Version"] for each in listed] == ["$LATEST", "1", "2"]
    assert refusal(client.delete_function, FunctionName="versioned", Qualifier="2") == "ResourceConflictException"
    client.delete_alias(FunctionName="versioned", Name="live")
    client.delete_function(FunctionName="versioned")
    assert refusal(client.get_function, FunctionName="versioned") == "ResourceNotFoundException"


def test_an_event_is_taken_and_tried_three_times(aws: Lab) -> None:
    queue = aws.client("sqs").create_queue(QueueName="dead")["QueueUrl"]
    target = {"TargetArn": f"arn:aws:sqs:us-east-1:{aws.account}:dead"}
    make(aws, "event", "def go(e, c):\n    print('attempt')\n    raise ValueError(e)\n", DeadLetterConfig=target)
    assert call(aws, "event", {"x": 1}, InvocationType="Event")[1]["StatusCode"] == 202
    aws.settle()
    aws.advance("1m")
    aws.advance("2m")
    pages = aws.client("logs").get_paginator("filter_log_events").paginate(logGroupName="/aws/lambda/event")
    printed = [each["message"] for page in pages for each in page["events"]]
    assert printed.count("attempt") == 3
    (message,) = aws.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"]) == {"x": 1}


def test_a_service_needs_the_functions_leave(aws: Lab) -> None:
    make(aws, "guarded")
    client = aws.client("lambda")

    def by_config() -> Any:
        return aws._running.dispatcher.call(
            "lambda",
            "Invoke",
            {"FunctionName": "guarded", "Payload": b"7"},
            account=aws.account,
            region="us-east-1",
            as_=service_principal("config.amazonaws.com", aws.account),
        )

    with pytest.raises(Fault, match="not authorized to perform: lambda:InvokeFunction"):
        by_config()
    client.add_permission(
        FunctionName="guarded", StatementId="c", Action="lambda:InvokeFunction", Principal="config.amazonaws.com"
    )
    assert by_config()["StatusCode"] == 200
    policy = json.loads(client.get_policy(FunctionName="guarded")["Policy"])
    assert policy["Statement"][0]["Principal"] == {"Service": "config.amazonaws.com"}
    client.remove_permission(FunctionName="guarded", StatementId="c")
    assert refusal(client.get_policy, FunctionName="guarded") == "ResourceNotFoundException"
    other = aws.client("lambda", key="210987654321")
    arn = f"arn:aws:lambda:us-east-1:{aws.account}:function:guarded"
    assert refusal(other.invoke, FunctionName=arn) == "ResourceNotFoundException"


def test_functions_are_listed_tagged_and_switched_off(aws: Lab) -> None:
    client = aws.client("lambda")
    made = make(aws, "switched", Tags={"team": "web"}, Layers=[])
    client.tag_resource(Resource=made["FunctionArn"], Tags={"stage": "test"})
    client.untag_resource(Resource=made["FunctionArn"], TagKeys=["team"])
    assert client.list_tags(Resource=made["FunctionArn"])["Tags"] == {"stage": "test"}
    client.put_function_concurrency(FunctionName="switched", ReservedConcurrentExecutions=0)
    assert client.get_function(FunctionName="switched")["Concurrency"] == {"ReservedConcurrentExecutions": 0}
    with pytest.raises(ClientError, match="TooManyRequestsException"):
        aws.client("lambda", config=None).invoke(FunctionName="switched")
    client.delete_function_concurrency(FunctionName="switched")
    assert call(aws, "switched", InvocationType="DryRun")[1]["StatusCode"] == 204
    changed = client.update_function_configuration(FunctionName="switched", MemorySize=512, Description="new")
    assert (changed["MemorySize"], changed["Description"]) == (512, "new")
    stale = {"FunctionName": "switched", "RevisionId": made["RevisionId"], "Timeout": 5}
    assert refusal(client.update_function_configuration, **stale) == "PreconditionFailedException"
    pages = client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2})
    assert "switched" in [each["FunctionName"] for page in pages for each in page["Functions"]]


def test_what_cannot_be_a_function_is_refused_as_aws_does(aws: Lab) -> None:
    make(aws, "taken")
    create = aws.client("lambda").create_function

    def refused(**parameters: Any) -> str:
        usual = {"Runtime": "python3.12", "Role": role(aws), "Handler": "main.go", "FunctionName": "refused"}
        return refusal(create, **usual | {"Code": {"ZipFile": zipped("x = 1")}} | parameters)

    assert refused(FunctionName="taken") == "ResourceConflictException"
    assert refused(Code={"ZipFile": b"no zip"}) == "InvalidParameterValueException"
    assert refused(Code={"ZipFile": zipped("x", "../x.py")}) == "InvalidParameterValueException"
    assert refused(Code={}) == "InvalidParameterValueException"
    assert refused(Environment={"Variables": {"AWS_REGION": "x"}}) == "InvalidParameterValueException"
    assert (
        refused(Environment={"Variables": {f"X{n}": "x" * 500 for n in range(9)}}) == "InvalidParameterValueException"
    )
    assert refused(Timeout=901) == "InvalidParameterValueException"
    assert refused(
        CodeSigningConfigArn="arn:aws:lambda:us-east-1:123456789012:code-signing-config:csc-0123456789abcdef0"
    )
    make(aws, "node", Runtime="nodejs22.x")
    assert refusal(aws.client("lambda").invoke, FunctionName="node") == "InvalidRuntimeException"
    assert refusal(aws.client("lambda").invoke, FunctionName="taken", Payload=b"{") == "InvalidRequestContentException"
    assert refusal(aws.client("lambda").invoke, FunctionName="absent") == "ResourceNotFoundException"
