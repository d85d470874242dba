"""Automations through the real API: steps in order, under a role, recorded; waiting, failing, stopping."""

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

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ssm.amazonaws.com"}, "Action": "sts:AssumeRole"},
        ],
    }
)


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab() as started:
        started.client("iam").create_role(RoleName="Fixer", AssumeRolePolicyDocument=TRUST)
        yield started


def role(aws: Lab) -> str:
    return f"arn:aws:iam::{aws.account}:role/Fixer"


def start(aws: Lab, name: str, steps: list[dict[str, Any]], **document: Any) -> str:
    """Make a document of these steps and start it under the role; everything that can happen has happened then."""
    content = {"schemaVersion": "0.3", "assumeRole": role(aws), "mainSteps": steps} | document
    ssm = aws.client("ssm")
    ssm.create_document(Name=name, Content=json.dumps(content), DocumentType="Automation")
    started: str = ssm.start_automation_execution(DocumentName=name)["AutomationExecutionId"]
    aws.settle()
    return started


def execution(aws: Lab, name: str) -> dict[str, Any]:
    found: dict[str, Any] = aws.client("ssm").get_automation_execution(AutomationExecutionId=name)
    return found["AutomationExecution"]


def steps_of(aws: Lab, name: str) -> dict[str, str]:
    return {each["StepName"]: each["StepStatus"] for each in execution(aws, name)["StepExecutions"]}


def api(name: str, service: str, operation: str, **more: Any) -> dict[str, Any]:
    inputs = {"Service": service, "Api": operation} | more.pop("inputs", {})
    return {"name": name, "action": "aws:executeAwsApi", "inputs": inputs} | more


def nap(name: str, duration: str = "PT10M", **more: Any) -> dict[str, Any]:
    return {"name": name, "action": "aws:sleep", "inputs": {"Duration": duration}} | more


ABSENT = {"inputs": {"Bucket": "no-such-bucket-anywhere"}}


def test_steps_run_in_order_as_the_role_and_are_recorded(aws: Lab) -> None:
    make = api("make", "sqs", "CreateQueue", inputs={"QueueName": "q-{{ automation:EXECUTION_ID }}"})
    make["outputs"] = [{"Name": "Url", "Selector": "$.QueueUrl", "Type": "String"}]
    tag = api("tag", "sqs", "tag_queue", inputs={"QueueUrl": "{{ make.Url }}", "Tags": {"made": "by {{ make.Url }}"}})
    started = start(aws, "In-Order", [make, tag], outputs=["make.Url"])
    done = execution(aws, started)
    assert (done["AutomationExecutionStatus"], steps_of(aws, started)) == (
        "Success",
        dict.fromkeys(["make", "tag"], "Success"),
    )
    url = done["Outputs"]["make.Url"][0]
    assert aws.client("sqs").list_queue_tags(QueueUrl=url)["Tags"] == {"made": f"by {url}"}
    (record,) = aws.recorded(eventName="TagQueue")
    session = f"arn:aws:sts::{aws.account}:assumed-role/Fixer/Automation-{started}"
    assert (record["userIdentity"]["arn"], record["sourceIPAddress"]) == (session, "ssm.amazonaws.com")
    assert record["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] == role(aws)
    assert aws.recorded(eventName="AssumeRole")[-1]["userIdentity"]["invokedBy"] == "ssm.amazonaws.com"


def test_a_failing_step_ends_the_execution_and_says_why(aws: Lab) -> None:
    started = start(aws, "Abort", [api("find", "s3", "GetBucketTagging", **ABSENT), nap("never")])
    assert steps_of(aws, started) == {"find": "Failed"}
    assert "NoSuchBucket" in execution(aws, started)["FailureMessage"]


def test_on_failure_continues_or_leads_elsewhere(aws: Lab) -> None:
    first = api("first", "s3", "GetBucketTagging", onFailure="Continue", **ABSENT)
    second = api("second", "s3", "GetBucketTagging", onFailure="step:fourth", isCritical=False, **ABSENT)
    started = start(aws, "Elsewhere", [first, second, nap("third"), nap("fourth", "PT0S")])
    assert steps_of(aws, started) == {"first": "Failed", "second": "Failed", "fourth": "Success"}
    assert execution(aws, started)["AutomationExecutionStatus"] == "Success"


def test_a_critical_failure_is_not_forgotten_on_the_way(aws: Lab) -> None:
    first = api("first", "s3", "GetBucketTagging", onFailure="step:second", **ABSENT)
    started = start(aws, "Critical", [first, nap("second", "PT0S")])
    done = execution(aws, started)
    assert (done["AutomationExecutionStatus"], steps_of(aws, started)["second"]) == ("Failed", "Success")


def test_a_step_is_tried_as_often_as_it_says(aws: Lab) -> None:
    before = len(aws.recorded(eventName="GetBucketTagging"))
    start(aws, "Attempts", [api("find", "s3", "GetBucketTagging", maxAttempts=3, **ABSENT)])
    assert len(aws.recorded(eventName="GetBucketTagging")) - before == 3


def test_a_sleep_lasts_by_the_lab_clock(aws: Lab) -> None:
    started = start(aws, "Sleep", [nap("first"), nap("last", "PT0S")])
    assert execution(aws, started)["CurrentStepName"] == "first"
    aws.advance("9m")
    assert steps_of(aws, started) == {"first": "InProgress"}
    aws.advance("1m")
    assert steps_of(aws, started) == {"first": "Success", "last": "Success"}


def test_waiting_for_a_property_ends_when_it_is_there_or_in_time(aws: Lab) -> None:
    url = aws.client("sqs").create_queue(QueueName="awaited")["QueueUrl"]
    wait = {
        "name": "wait",
        "action": "aws:waitForAwsResourceProperty",
        "timeoutSeconds": 60,
        "inputs": {
            "Service": "sqs",
            "Api": "GetQueueAttributes",
            "QueueUrl": url,
            "AttributeNames": ["All"],
            "PropertySelector": "$.Attributes.DelaySeconds",
            "DesiredValues": ["7"],
        },
    }
    patient, late = start(aws, "Wait", [wait]), start(aws, "Late", [wait])
    assert steps_of(aws, patient) == {"wait": "InProgress"}
    aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "7"})
    aws.client("ssm").stop_automation_execution(AutomationExecutionId=late)
    aws.advance("5s")
    assert steps_of(aws, patient) == {"wait": "Success"}
    assert steps_of(aws, late) == {"wait": "Cancelled"}
    wait["inputs"]["DesiredValues"] = ["8"]
    never = start(aws, "Never", [wait])
    aws.advance("2m")
    assert steps_of(aws, never) == {"wait": "TimedOut"}
    assert execution(aws, never)["AutomationExecutionStatus"] == "TimedOut"


def test_an_assertion_compares_booleans_as_documents_write_them(aws: Lab) -> None:
    aws.client("s3").create_bucket(Bucket="asserted")
    block = {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": False,
    }
    aws.client("s3").put_public_access_block(Bucket="asserted", PublicAccessBlockConfiguration=block)

    def check(name: str, selector: str) -> dict[str, str]:
        inputs = {
            "Service": "s3",
            "Api": "GetPublicAccessBlock",
            "Bucket": "asserted",
            "PropertySelector": f"$.PublicAccessBlockConfiguration.{selector}",
            "DesiredValues": ["True"],
        }
        step = {"name": "check", "action": "aws:assertAwsResourceProperty", "inputs": inputs}
        return steps_of(aws, start(aws, name, [step]))

    assert check("Holds", "BlockPublicAcls") == {"check": "Success"}
    assert check("Fails", "RestrictPublicBuckets") == {"check": "Failed"}


def test_a_branch_may_lead_back_but_not_for_ever(aws: Lab) -> None:
    back = {"name": "back", "action": "aws:branch", "inputs": {"Choices": [], "Default": "again"}}
    started = start(aws, "Loop", [nap("again", "PT0S"), back])
    assert "may run no more" in execution(aws, started)["FailureMessage"]


def test_approvals_are_counted_and_a_rejection_ends_it(aws: Lab) -> None:
    ssm = aws.client("ssm")
    approve = {"name": "ask", "action": "aws:approve", "inputs": {"Approvers": ["administrator"]}}
    yes, no = start(aws, "Approve", [approve]), start(aws, "Reject", [approve])
    assert execution(aws, yes)["AutomationExecutionStatus"] == "Waiting"
    with pytest.raises(ClientError, match="InvalidAutomationSignalException"):
        ssm.send_automation_signal(AutomationExecutionId=yes, SignalType="Resume")
    ssm.send_automation_signal(AutomationExecutionId=yes, SignalType="Approve")
    ssm.send_automation_signal(AutomationExecutionId=no, SignalType="Reject")
    aws.settle()
    assert (steps_of(aws, yes), steps_of(aws, no)) == ({"ask": "Success"}, {"ask": "Failed"})


def test_a_child_automation_ends_its_parents_wait(aws: Lab) -> None:
    child = [{"name": "hold", "action": "aws:pause", "inputs": {}}]
    start(aws, "Child", child)
    parent = {"name": "call", "action": "aws:executeAutomation", "inputs": {"DocumentName": "Child"}}
    started = start(aws, "Parent", [parent])
    assert steps_of(aws, started) == {"call": "InProgress"}
    (begun,) = aws.client("ssm").describe_automation_executions(
        Filters=[{"Key": "DocumentNamePrefix", "Values": ["Child"]}, {"Key": "ExecutionStatus", "Values": ["Waiting"]}],
        MaxResults=1,
    )["AutomationExecutionMetadataList"]
    aws.client("ssm").send_automation_signal(AutomationExecutionId=begun["AutomationExecutionId"], SignalType="Resume")
    aws.settle()
    assert steps_of(aws, started) == {"call": "Success"}


def test_a_script_runs_in_the_sandbox_under_the_role(aws: Lab) -> None:
    text = (
        "import boto3\n"
        "def go(events, context):\n"
        "    return {'arn': boto3.client('sts').get_caller_identity()['Arn'], **events}\n"
    )
    script = {
        "name": "script",
        "action": "aws:executeScript",
        "inputs": {"Runtime": "python3.11", "Handler": "go", "Script": text, "InputPayload": {"n": 7}},
        "outputs": [
            {"Name": "Arn", "Selector": "$.Payload.arn"},
            {"Name": "N", "Selector": "$.Payload.n", "Type": "Integer"},
        ],
    }
    started = start(aws, "Script", [script], outputs=["script.Arn", "script.N"])
    session = f"arn:aws:sts::{aws.account}:assumed-role/Fixer/Automation-{started}"
    assert execution(aws, started)["Outputs"] == {"script.Arn": [session], "script.N": ["7"]}
    script["inputs"]["Script"] = "def go(events, context):\n    print('so far')\n    raise ValueError('no further')"
    failed = execution(aws, start(aws, "Raises", [script]))
    assert "ValueError: no further" in failed["FailureMessage"]
    assert "so far" in failed["StepExecutions"][0]["Outputs"]["Log"][0]


INVOKED = """
def go(event, context):
    print('asked for', event['n'])
    if event['n'] < 0:
        raise ValueError('too small')
    return {'n': event['n'] + 1}
"""


@pytest.mark.skipif(not protection.available().isolates, reason="no bubblewrap that works here")
def test_a_function_is_invoked_under_the_role(aws: Lab) -> None:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("main.py", INVOKED)
    given: dict[str, Any] = {"Runtime": "python3.11", "Handler": "main.go", "Code": {"ZipFile": code.getvalue()}}
    aws.client("lambda").create_function(FunctionName="adder", Role=role(aws), **given)
    inputs = {"FunctionName": "adder", "LogType": "Tail", "InputPayload": {"n": 7}}
    call = {"name": "call", "action": "aws:invokeLambdaFunction", "inputs": inputs}
    started = start(aws, "Invoke", [call], outputs=["call.Payload", "call.StatusCode"])
    done = execution(aws, started)
    assert done["Outputs"] == {"call.Payload": ['{"n": 8}'], "call.StatusCode": ["200"]}
    assert "asked for 7" in done["StepExecutions"][0]["Outputs"]["LogResult"][0]
    taken = {each["requestParameters"]["roleSessionName"] for each in aws.recorded(eventName="AssumeRole")}
    assert {f"Automation-{started}", "adder"} <= taken

    failing = call | {"inputs": inputs | {"InputPayload": {"n": -1}}}
    failed = execution(aws, start(aws, "InvokeFailing", [failing]))
    assert failed["AutomationExecutionStatus"] == "Failed"
    assert "too small" in failed["FailureMessage"]
    absent = call | {"inputs": {"FunctionName": "nowhere"}}
    assert "ResourceNotFound" in execution(aws, start(aws, "InvokeAbsent", [absent]))["FailureMessage"]


def test_tags_and_instance_states_have_actions_of_their_own(aws: Lab) -> None:
    instance = aws.client("ec2").run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"][0][
        "InstanceId"
    ]
    tag = {
        "name": "tag",
        "action": "aws:createTags",
        "inputs": {"ResourceIds": [instance], "Tags": [{"Key": "k", "Value": "v"}]},
    }
    stop = {
        "name": "stop",
        "action": "aws:changeInstanceState",
        "inputs": {"InstanceIds": [instance], "DesiredState": "stopped"},
    }
    started = start(aws, "Instance", [tag, stop])
    aws.advance("10s")
    assert steps_of(aws, started) == {"tag": "Success", "stop": "Success"}
    found = aws.client("ec2").describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    assert (found["State"]["Name"], found["Tags"]) == ("stopped", [{"Key": "k", "Value": "v"}])


def test_the_same_token_starts_once(aws: Lab) -> None:
    ssm = aws.client("ssm")
    topic = aws.client("sns").create_topic(Name="once")["TopicArn"]
    token = "11111111-2222-4333-8444-555555555555"
    asked: dict[str, Any] = {"DocumentName": "AWS-PublishSNSNotification", "ClientToken": token}
    asked["Parameters"] = {"TopicArn": [topic], "Message": ["hello"]}
    first, second = (ssm.start_automation_execution(**asked)["AutomationExecutionId"] for _ in range(2))
    assert first == second
    asked["Parameters"] = {"TopicArn": [topic], "Message": ["other"]}
    with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
        ssm.start_automation_execution(**asked)


def test_what_cannot_start_is_refused_as_aws_does(aws: Lab) -> None:
    ssm = aws.client("ssm")
    begin = ssm.start_automation_execution
    assert refusal(begin, DocumentName="No-Such-Document") == "AutomationDefinitionNotFoundException"
    name = "AWS-PublishSNSNotification"
    assert refusal(begin, DocumentName=name, DocumentVersion="9") == "AutomationDefinitionVersionNotFoundException"
    assert refusal(begin, DocumentName=name) == "InvalidAutomationExecutionParametersException"
    absent = {"AutomationExecutionId": "11111111-2222-4333-8444-555555555556"}
    assert refusal(ssm.get_automation_execution, **absent) == "AutomationExecutionNotFoundException"
    assert refusal(ssm.stop_automation_execution, **absent) == "AutomationExecutionNotFoundException"


def test_steps_are_described_page_by_page(aws: Lab) -> None:
    started = start(aws, "Pages", [nap(f"s{number}", "PT0S") for number in range(5)])
    pages = (
        aws.client("ssm")
        .get_paginator("describe_automation_step_executions")
        .paginate(AutomationExecutionId=started, PaginationConfig={"PageSize": 2})
    )
    names = [each["StepName"] for page in pages for each in page["StepExecutions"]]
    assert names == ["s0", "s1", "s2", "s3", "s4"]


MALFORMED: list[dict[str, Any]] = [
    {"name": "odd", "action": "aws:branch", "inputs": {"Choices": [{"NextStep": "odd", "Variable": []}]}},
    {"name": "odd", "action": "aws:createTags", "inputs": {"ResourceIds": ["i-1"], "Tags": ["text"]}},
    {"name": "odd", "action": "aws:executeAwsApi", "inputs": {"Service": "sqs", "Api": "CreateQueue", "Wrong": 1}},
    {"name": "odd", "action": "aws:executeAwsApi", "inputs": {"Service": "sqs", "Api": "CreateQueue", "QueueName": {}}},
    {"name": "odd", "action": "aws:executeAwsApi", "inputs": {"Service": "sqs", "Api": "MakeQueue"}},
    {"name": "odd", "action": "aws:executeAwsApi", "inputs": {"Service": "nowhere", "Api": "MakeQueue"}},
    {"name": "odd", "action": "aws:approve", "inputs": {"Approvers": [], "MinRequiredApprovals": "many"}},
    {"name": "odd", "action": "aws:sleep", "inputs": {"Duration": "ten minutes"}},
]


@pytest.mark.parametrize("number", range(len(MALFORMED)))
def test_malformed_inputs_fail_their_step_and_nothing_else(aws: Lab, number: int) -> None:
    started = start(aws, f"Malformed-{number}", [MALFORMED[number]])
    assert steps_of(aws, started) == {"odd": "Failed"}
    assert execution(aws, started)["FailureMessage"].startswith("Step 'odd' failed: ")


def spread(aws: Lab, name: str, **more: Any) -> dict[str, Any]:
    """Start a document that tags a queue for many queues; the parent once everything has happened that can."""
    content = {
        "schemaVersion": "0.3",
        "assumeRole": role(aws),
        "parameters": {"Url": {"type": "String"}},
        "mainSteps": [api("tag", "sqs", "TagQueue", inputs={"QueueUrl": "{{ Url }}", "Tags": {"by": name}})],
    }
    ssm = aws.client("ssm")
    ssm.create_document(Name=name, Content=json.dumps(content), DocumentType="Automation")
    given = {"DocumentName": name, "TargetParameterName": "Url"} | more
    started = ssm.start_automation_execution(**given)["AutomationExecutionId"]
    aws.settle()
    return execution(aws, started)


def test_many_targets_are_each_an_execution_of_their_own(aws: Lab) -> None:
    urls = [aws.client("sqs").create_queue(QueueName=f"many-{number}")["QueueUrl"] for number in range(5)]
    parent = spread(aws, "Many", Targets=[{"Key": "ParameterValues", "Values": urls}], MaxConcurrency="2")
    assert (parent["AutomationExecutionStatus"], parent["ResolvedTargets"]["ParameterValues"]) == ("Success", urls)
    tagged = [aws.client("sqs").list_queue_tags(QueueUrl=url).get("Tags") for url in urls]
    assert tagged == [{"by": "Many"}] * 5
    children = aws.client("ssm").describe_automation_executions(
        Filters=[{"Key": "ParentExecutionId", "Values": [parent["AutomationExecutionId"]]}]
    )["AutomationExecutionMetadataList"]
    assert sorted(child["Target"] for child in children) == urls
    assert len(parent["StepExecutions"]) == 5


def test_too_many_failures_stop_the_rest(aws: Lab) -> None:
    urls = [f"http://sqs.us-east-1.localhost/{aws.account}/gone-{number}" for number in range(6)]
    targets = [{"Key": "ParameterValues", "Values": urls}]
    parent = spread(aws, "Failing-Many", Targets=targets, MaxConcurrency="1", MaxErrors="20%")
    assert parent["AutomationExecutionStatus"] == "Failed"
    assert parent["FailureMessage"] == "2 targets failed; at most 1 may."
    assert len(parent["StepExecutions"]) == 2


def test_targets_may_be_found_by_tag_or_given_as_maps(aws: Lab) -> None:
    made = aws.client("ec2").run_instances(ImageId="ami-12c6146b", MinCount=2, MaxCount=2)["Instances"]
    instances = sorted(each["InstanceId"] for each in made)
    aws.client("ec2").create_tags(Resources=instances, Tags=[{"Key": "fleet", "Value": "web"}])
    content = {
        "schemaVersion": "0.3",
        "parameters": {"Id": {"type": "String"}},
        "mainSteps": [api("look", "ec2", "DescribeInstances", inputs={"InstanceIds": ["{{ Id }}"]})],
    }
    ssm = aws.client("ssm")
    ssm.create_document(Name="By-Tag", Content=json.dumps(content), DocumentType="Automation")
    tag = {"TargetParameterName": "Id", "Targets": [{"Key": "tag:fleet", "Values": ["web"]}]}
    for given in (tag, {"TargetMaps": [{"Id": [each]} for each in instances]}):
        started = ssm.start_automation_execution(DocumentName="By-Tag", **given)["AutomationExecutionId"]
        aws.settle()
        parent = execution(aws, started)
        assert parent["AutomationExecutionStatus"] == "Success"
        assert sorted(parent["ResolvedTargets"]["ParameterValues"]) == instances
    with pytest.raises(ClientError, match="InvalidTarget"):
        ssm.start_automation_execution(DocumentName="By-Tag", Targets=tag["Targets"])
