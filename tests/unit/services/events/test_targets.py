"""Each kind of target of a rule, with every way to say what it is given; who lets EventBridge in, and dead letters."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.clients.receivers import a_function, a_queue, got, let_in, needs_sandbox, resource_policy

from trailstate.testing import Lab, lab

THEIRS = "210987654321"
DETAIL = {"user": "ann", "reason": "she left"}
TRANSFORMER = {
    "InputPathsMap": {"who": "$.detail.user", "why": "$.detail.reason"},
    "InputTemplate": '{"user": <who>, "text": "<who>: <why>", "rule": <aws.events.rule-name>}',
}
SHAPES: dict[str, tuple[dict[str, Any], Any]] = {
    "path": ({"InputPath": "$.detail"}, DETAIL),
    "transformer": ({"InputTransformer": TRANSFORMER}, {"user": "ann", "text": "ann: she left"}),
    "constant": ({"Input": '{"user": "nobody"}'}, {"user": "nobody"}),
}

Received = Callable[[], list[Any]]


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab(accounts=f"123456789012,{THEIRS}") as started:
        yield started


def read(aws: Lab, url: str, key: str | None = None) -> list[Any]:
    sqs = aws.client("sqs", key=key)
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get("Messages", ())
    for each in found:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
    return list(found)


def a_queue_target(aws: Lab, name: str) -> tuple[str, Received]:
    url, arn = a_queue(aws, name, "events")
    return arn, lambda: [json.loads(each["Body"]) for each in read(aws, url)]


def a_topic_target(aws: Lab, name: str) -> tuple[str, Received]:
    topic = aws.client("sns").create_topic(Name=name)["TopicArn"]
    let_in(aws, topic, "events", StringEquals={"aws:SourceAccount": aws.account})
    url, arn = a_queue(aws, name, "sns")
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return topic, lambda: [json.loads(json.loads(each["Body"])["Message"]) for each in read(aws, url)]


def a_function_target(aws: Lab, name: str) -> tuple[str, Received]:
    return a_function(aws, name, "events.amazonaws.com"), lambda: got(aws, name)


def a_log_target(aws: Lab, name: str) -> tuple[str, Received]:
    aws.client("logs").create_log_group(logGroupName=f"/aws/events/{name}")

    def logged() -> list[Any]:
        events = aws.client("logs").filter_log_events(logGroupName=f"/aws/events/{name}")["events"]
        return [json.loads(each["message"]) for each in events]

    return f"arn:aws:logs:us-east-1:{aws.account}:log-group:/aws/events/{name}", logged


def an_automation_target(aws: Lab, name: str) -> tuple[str, Received]:
    """The parameters of the automation are what it was given."""
    texts = {each: {"type": "String", "default": ""} for each in ("user", "reason", "text", "rule")}
    content = {
        "schemaVersion": "0.3",
        "parameters": texts,
        "mainSteps": [{"name": "w", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}}],
    }
    ssm = aws.client("ssm")
    ssm.create_document(Name=name, Content=json.dumps(content), DocumentType="Automation")

    def started() -> list[Any]:
        filters = [{"Key": "DocumentNamePrefix", "Values": [name]}]
        found = ssm.describe_automation_executions(Filters=filters)["AutomationExecutionMetadataList"]
        ids = [each["AutomationExecutionId"] for each in found]
        executions = [ssm.get_automation_execution(AutomationExecutionId=each)["AutomationExecution"] for each in ids]
        return [
            {key: value[0] for key, value in each["Parameters"].items() if value[0] or key == "reason"}
            for each in executions
        ]

    return f"arn:aws:ssm:us-east-1:{aws.account}:automation-definition/{name}:$DEFAULT", started


KINDS: dict[str, Callable[[Lab, str], tuple[str, Received]]] = {
    "queue": a_queue_target,
    "topic": a_topic_target,
    "function": a_function_target,
    "log": a_log_target,
    "automation": an_automation_target,
}


def rule(aws: Lab, name: str, *targets: dict[str, Any], **more: Any) -> str:
    events = aws.client("events")
    arn = str(events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}), **more)["RuleArn"])
    numbered = [{"Id": f"t{number}", **each} for number, each in enumerate(targets)]
    assert not events.put_targets(Rule=name, Targets=numbered)["FailedEntries"]
    return arn


def put(aws: Lab, source: str, detail: Any = None) -> None:
    entry = {"Source": source, "DetailType": "Left", "Detail": json.dumps(detail or DETAIL)}
    assert aws.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
    aws.settle()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["queue", "topic", pytest.param("function", marks=needs_sandbox), "log", "automation"])
def test_a_target_gets_what_its_input_says(aws: Lab, kind: str, shape: str) -> None:
    name = f"{kind}-{shape}"
    target, received = KINDS[kind](aws, name)
    asked, expected = SHAPES[shape]
    rule(aws, name, {"Arn": target, **asked})
    put(aws, name)
    (found,) = received()
    wanted = expected | ({"rule": name} if shape == "transformer" else {})
    assert {key: value for key, value in found.items() if value} == wanted


@pytest.mark.parametrize("kind", ["queue", "topic", pytest.param("function", marks=needs_sandbox), "log"])
def test_without_an_input_a_target_gets_the_event(aws: Lab, kind: str) -> None:
    name = f"whole-{kind}"
    target, received = KINDS[kind](aws, name)
    rule(aws, name, {"Arn": target})
    put(aws, name)
    (event,) = received()
    assert (event["source"], event["detail-type"], event["detail"]) == (name, "Left", DETAIL)


def test_a_bus_of_another_account_is_a_target(aws: Lab) -> None:
    events = aws.client("events", key=THEIRS)
    bus = events.create_event_bus(Name="central")["EventBusArn"]
    theirs = aws.client("sqs", key=THEIRS)
    url = theirs.create_queue(QueueName="central")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{THEIRS}:central"
    theirs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": resource_policy("sqs:SendMessage", arn, "events")})
    events.put_rule(Name="all", EventBusName="central", EventPattern=json.dumps({"account": [aws.account]}))
    events.put_targets(Rule="all", EventBusName="central", Targets=[{"Id": "q", "Arn": arn}])
    dead, dead_arn = a_queue(aws, "not-let-in", "events")
    rule(aws, "to-central", {"Arn": bus, "DeadLetterConfig": {"Arn": dead_arn}})
    put(aws, "to-central")
    assert read(aws, url, THEIRS) == []
    (letter,) = read(aws, dead)
    assert letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"
    events.put_permission(
        EventBusName="central", Action="events:PutEvents", Principal=aws.account, StatementId="sources"
    )
    put(aws, "to-central")
    (message,) = read(aws, url, THEIRS)
    event = json.loads(message["Body"])
    assert (event["account"], event["source"], event["detail"]) == (aws.account, "to-central", DETAIL)


# ---- who lets EventBridge in ----


def letters(aws: Lab, name: str, target: str) -> list[dict[str, str]]:
    """What stands in the dead-letter queue of a rule after one event."""
    dead, dead_arn = a_queue(aws, f"{name}-dead", "events")
    rule(aws, name, {"Arn": target, "DeadLetterConfig": {"Arn": dead_arn}})
    put(aws, name)
    return [{key: value["StringValue"] for key, value in each["MessageAttributes"].items()} for each in read(aws, dead)]


def test_a_queue_without_a_policy_lets_no_service_in(aws: Lab) -> None:
    url = aws.client("sqs").create_queue(QueueName="closed")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{aws.account}:closed"
    (told,) = letters(aws, "closed", arn)
    assert (told["TARGET_ARN"], told["ERROR_CODE"], told["RETRY_ATTEMPTS"]) == (arn, "NO_PERMISSIONS", "0")
    assert "events.amazonaws.com is not authorized to perform: sqs:SendMessage" in told["ERROR_MESSAGE"]
    assert read(aws, url) == []
    aws.client("sqs").send_message(QueueUrl=url, MessageBody="its owner may")
    assert len(read(aws, url)) == 1


def test_a_topic_as_aws_makes_it_lets_no_rule_in(aws: Lab) -> None:
    topic = aws.client("sns").create_topic(Name="as-made")["TopicArn"]
    (told,) = letters(aws, "as-made", topic)
    assert told["ERROR_CODE"] == "NO_PERMISSIONS"
    assert "SNS:Publish" in told["ERROR_MESSAGE"]


@pytest.mark.parametrize(
    ("condition", "lets_in"),
    [
        ({"ArnEquals": {"aws:SourceArn": "arn:aws:events:us-east-1:123456789012:rule/{name}"}}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:events:*:123456789012:rule/*"}}, True),
        ({"ArnEquals": {"aws:SourceArn": "arn:aws:events:us-east-1:123456789012:rule/another"}}, False),
        ({"StringEquals": {"aws:SourceAccount": "123456789012"}}, True),
        ({"StringEquals": {"aws:SourceAccount": THEIRS}}, False),
    ],
)
@pytest.mark.parametrize("kind", ["queue", "topic"])
def test_conditions_on_the_source_are_applied(
    aws: Lab, kind: str, condition: dict[str, dict[str, str]], lets_in: bool, request: pytest.FixtureRequest
) -> None:
    name = f"source-{kind}-{request.node.callspec.indices['condition']}"
    told = json.loads(json.dumps(condition).replace("{name}", name))
    if kind == "queue":
        url, target = a_queue(aws, name, "events")
        policy = resource_policy("sqs:SendMessage", target, "events", **told)
        aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    else:
        target = aws.client("sns").create_topic(Name=name)["TopicArn"]
        let_in(aws, target, "events", **told)
    assert (letters(aws, name, target) == []) is lets_in


@needs_sandbox
def test_a_function_lets_in_the_rule_that_its_permission_names(aws: Lab) -> None:
    mine = f"arn:aws:events:us-east-1:{aws.account}:rule/named"
    function = a_function(aws, "picky", "events.amazonaws.com", SourceArn=mine)
    assert letters(aws, "named", function) == []
    (told,) = letters(aws, "unnamed", function)
    assert told["ERROR_CODE"] == "NO_PERMISSIONS"
    assert len(got(aws, "picky")) == 1


def test_a_queue_that_is_deleted_under_way_costs_one_dead_letter(aws: Lab) -> None:
    url, arn = a_queue(aws, "deleted", "events")
    aws.client("sqs").delete_queue(QueueUrl=url)
    (told,) = letters(aws, "deleted", arn)
    assert told["RETRY_ATTEMPTS"] == "0"
    assert "NonExistentQueue" in told["ERROR_CODE"]


def test_a_target_with_a_role_is_called_in_that_role(aws: Lab) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = aws.client("iam").create_role(RoleName="targets", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    target, started = an_automation_target(aws, "in-role")
    rule(aws, "in-role", {"Arn": target, "RoleArn": role, "InputPath": "$.detail"})
    put(aws, "in-role")
    assert len(started()) == 1
    (record,) = aws.recorded(eventName="StartAutomationExecution", sourceIPAddress="events.amazonaws.com")[-1:]
    assert record["userIdentity"]["arn"] == f"arn:aws:sts::{aws.account}:assumed-role/targets/in-role"
