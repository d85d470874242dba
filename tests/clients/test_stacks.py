"""A stack makes, changes and unmakes what is the house's own by calls of its caller, on the record like any other."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.clients.receivers import a_queue
from trailstate.testing import Lab, lab
from trailstate.trail.channel import event_data_store_arn

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:*", "Resource": "*"}
    ],
}


@pytest.fixture(scope="module")
def running() -> Iterator[Lab]:
    with lab() as started:
        yield started


@pytest.fixture
def aws(running: Lab) -> Lab:
    running.reset()
    running.client("s3").create_bucket(Bucket="audit-logs")
    running.client("s3").put_bucket_policy(Bucket="audit-logs", Policy=json.dumps(POLICY))
    return running


def template(**resources: dict[str, Any]) -> str:
    outputs = {name: {"Value": {"Ref": name}} for name in resources}
    return json.dumps({"Resources": resources, "Outputs": outputs})


def a_trail(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::CloudTrail::Trail", "Properties": {"S3BucketName": "audit-logs", **properties}}


def stack(aws: Lab, name: str = "evidence") -> dict[str, Any]:
    (found,) = aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    return dict(found)


def refusals(aws: Lab, name: str = "evidence") -> list[str]:
    events = aws.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    return [each["ResourceStatusReason"] for each in events if each["ResourceStatus"] == "ROLLBACK_COMPLETE"]


def test_a_trail_of_a_stack_is_a_trail(aws: Lab) -> None:
    body = template(
        Audit=a_trail(TrailName="audit", IsLogging="true", IsMultiRegionTrail="true", Tags=[{"Key": "a", "Value": "b"}])
    )

    aws.client("cloudformation").create_stack(StackName="evidence", TemplateBody=body)

    made = aws.client("cloudtrail").get_trail(Name="audit")["Trail"]
    assert (made["S3BucketName"], made["IsMultiRegionTrail"]) == ("audit-logs", True)
    assert aws.client("cloudtrail").get_trail_status(Name="audit")["IsLogging"]
    assert stack(aws)["StackStatus"] == "CREATE_COMPLETE"
    assert stack(aws)["Outputs"] == [{"OutputKey": "Audit", "OutputValue": "audit"}]


def test_its_calls_are_those_of_who_made_the_stack(aws: Lab) -> None:
    user = aws.client("iam").create_user(UserName="ann")["User"]["Arn"]
    key = aws.client("iam").create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]

    aws.client("cloudformation", key=key).create_stack(
        StackName="evidence", TemplateBody=template(Audit=a_trail(TrailName="audit", IsLogging=True))
    )

    (made,) = aws.recorded(eventName="CreateTrail")
    assert (made["userIdentity"]["arn"], made["userIdentity"]["invokedBy"]) == (user, "cloudformation.amazonaws.com")
    assert made["sourceIPAddress"] == made["userAgent"] == "cloudformation.amazonaws.com"
    assert [each["eventName"] for each in aws.recorded()][-3:] == ["CreateTrail", "StartLogging", "CreateStack"]


def test_a_stack_changes_its_trail_and_takes_it_away(aws: Lab) -> None:
    stacks, trails = aws.client("cloudformation"), aws.client("cloudtrail")
    selectors = [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": "true"}]
    stacks.create_stack(StackName="evidence", TemplateBody=template(Audit=a_trail(IsLogging=True)))
    (name,) = [each["Name"] for each in trails.list_trails()["Trails"]]
    assert name.startswith("evidence-Audit-")

    changed = template(Audit=a_trail(IsLogging=False, S3KeyPrefix="logs", EventSelectors=selectors))
    stacks.update_stack(StackName="evidence", TemplateBody=changed)
    assert trails.get_trail(Name=name)["Trail"]["S3KeyPrefix"] == "logs"
    assert not trails.get_trail_status(Name=name)["IsLogging"]
    assert trails.get_event_selectors(TrailName=name)["EventSelectors"][0]["ReadWriteType"] == "WriteOnly"

    stacks.update_stack(StackName="evidence", TemplateBody=template(Audit=a_trail(TrailName="other", IsLogging=False)))
    assert [each["Name"] for each in trails.list_trails()["Trails"]] == ["other"]

    stacks.delete_stack(StackName="evidence")
    assert trails.list_trails()["Trails"] == []


def test_what_our_call_refuses_rolls_the_stack_back(aws: Lab) -> None:
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q"}}
    wrong = a_trail(TrailName="x", IsLogging=True) | {"DependsOn": "Queue"}

    aws.client("cloudformation").create_stack(StackName="evidence", TemplateBody=template(Queue=queue, Audit=wrong))

    assert stack(aws)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "InvalidTrailNameException" in refusals(aws)[0]
    assert "QueueUrls" not in aws.client("sqs").list_queues()
    assert aws.recorded(eventName="CreateTrail")[0]["errorCode"] == "InvalidTrailNameException"


def test_a_half_made_trail_is_unmade(aws: Lab) -> None:
    selectors = [{"ReadWriteType": "Everything"}]

    body = template(Audit=a_trail(TrailName="audit", IsLogging=True, EventSelectors=selectors))
    aws.client("cloudformation").create_stack(StackName="evidence", TemplateBody=body)

    assert stack(aws)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert aws.client("cloudtrail").list_trails()["Trails"] == []


@pytest.mark.parametrize("kind", ["AWS::CloudTrail::Dashboard", "AWS::Config::OrganizationConfigRule"])
def test_a_type_of_ours_that_nobody_wired_fails_its_stack_by_name(aws: Lab, kind: str) -> None:
    body = template(Thing={"Type": kind, "Properties": {}})

    with pytest.raises(ClientError, match=f"{kind} is not supported by Trailstate yet"):
        aws.client("cloudformation").create_stack(StackName="evidence", TemplateBody=body)

    assert aws.recorded(eventName="CreateStack")[0]["errorCode"] == "ValidationException"


def test_a_channel_and_a_document_of_a_stack_are_ours_too(aws: Lab) -> None:
    content = {
        "schemaVersion": "0.3",
        "mainSteps": [{"name": "wait", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}}],
    }
    document = {
        "Type": "AWS::SSM::Document",
        "Properties": {"Name": "Wait", "Content": content, "DocumentType": "Automation"},
    }
    store = event_data_store_arn(aws.account, "us-east-1")
    channel = {
        "Type": "AWS::CloudTrail::Channel",
        "Properties": {
            "Name": "application",
            "Source": "Custom",
            "Destinations": [{"Type": "EVENT_DATA_STORE", "Location": store}],
        },
    }

    aws.client("cloudformation").create_stack(
        StackName="evidence", TemplateBody=template(Channel=channel, Document=document)
    )

    assert refusals(aws) == []
    (made,) = aws.client("cloudtrail").list_channels()["Channels"]
    told = {each["OutputKey"]: each["OutputValue"] for each in stack(aws)["Outputs"]}
    assert told == {"Channel": made["ChannelArn"], "Document": "Wait"}
    assert json.loads(aws.client("ssm").get_document(Name="Wait")["Content"])["mainSteps"][0]["name"] == "wait"


def test_others_are_served_while_stacks_wait_for_their_calls(aws: Lab) -> None:
    """The calls of a stack ask the estate (is the bucket there?) while it waits for them; so do others meanwhile."""
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            body = template(Audit=a_trail(TrailName=f"trail-{number}", IsLogging=True))
            aws.client("cloudformation", region=f"us-west-{number % 2 + 1}").create_stack(
                StackName=f"evidence-{number}", TemplateBody=body
            )
            aws.client("iam").create_user(UserName=f"user-{number}")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert failures == []
    assert len(aws.client("iam").list_users()["Users"]) == 6
    made = [aws.client("cloudtrail", region=f"us-west-{number}").list_trails()["Trails"] for number in (1, 2)]
    assert {each["Name"] for trails in made for each in trails} == {f"trail-{number}" for number in range(6)}


def test_a_topic_hears_what_becomes_of_a_stack(aws: Lab) -> None:
    queue, target = a_queue(aws, "heard", "sns")
    topic = aws.client("sns").create_topic(Name="stacks")["TopicArn"]
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=target)
    body = template(Queue={"Type": "AWS::SQS::Queue"})
    aws.client("cloudformation").create_stack(StackName="told", TemplateBody=body, NotificationARNs=[topic])
    aws.settle()
    messages = aws.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    told = json.loads(messages[0]["Body"])
    assert told["Subject"] == "AWS CloudFormation Notification"
    assert "StackName='told'" in told["Message"]
    with pytest.raises(ClientError, match="cannot be told of the stack"):
        aws.client("cloudformation").create_stack(
            StackName="untold", TemplateBody=body, NotificationARNs=[f"{topic}-that-is-not-there"]
        )
