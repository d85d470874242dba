"""Queues, topics and functions that let AWS's services in, as an administrator would write their policies; and what
they received."""

import io
import json
import zipfile
from typing import Any

import pytest

from trailstate.sandbox import protection
from trailstate.testing import Lab

needs_sandbox = pytest.mark.skipif(not protection.available().isolates, reason="no bubblewrap that works here")

PRINTS = "import json\ndef go(event, context):\n    print('GOT ' + json.dumps(event))\n"


def resource_policy(action: str, resource: str, *services: str, **condition: Any) -> str:
    """What services need of a queue or topic before they may send to it."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": [f"{each}.amazonaws.com" for each in services]},
        "Action": action,
        "Resource": resource,
    }
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [statement | ({"Condition": condition} if condition else {})]}
    )


def a_queue(aws: Lab, name: str, *services: str) -> tuple[str, str]:
    """URL and ARN of a queue that takes messages of these services: `events`, `sns`."""
    sqs, arn = aws.client("sqs"), f"arn:aws:sqs:us-east-1:{aws.account}:{name}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": resource_policy("sqs:SendMessage", arn, *services)})
    return str(url), arn


def let_in(aws: Lab, topic: str, *services: str, **condition: Any) -> None:
    """Let services publish to a topic."""
    policy = resource_policy("sns:Publish", topic, *services, **condition)
    aws.client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)


def a_function(aws: Lab, name: str, *services: str, **condition: str) -> str:
    """A function that prints what it gets, and that these services may call: `events.amazonaws.com`, under a
    `SourceArn`."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("main.py", PRINTS)
    made = aws.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=f"arn:aws:iam::{aws.account}:role/worker",
        Handler="main.go",
        Code={"ZipFile": body.getvalue()},
    )
    for number, service in enumerate(services):
        aws.client("lambda").add_permission(
            FunctionName=name,
            StatementId=f"s{number}",
            Action="lambda:InvokeFunction",
            Principal=service,
            **condition,
        )
    return str(made["FunctionArn"])


def got(aws: Lab, name: str) -> list[Any]:
    """What the function was called with."""
    events = aws.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern="GOT")["events"]
    return [json.loads(each["message"].partition("GOT ")[2]) for each in events]


def received(aws: Lab, url: str) -> list[dict[str, Any]]:
    """The messages that a queue holds once everything has come to rest; they are taken out."""
    aws.settle()
    answer = aws.client("sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], WaitTimeSeconds=0
    )
    for each in answer.get("Messages", ()):
        aws.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
    return list(answer.get("Messages", ()))


def bodies(aws: Lab, url: str) -> list[Any]:
    return [json.loads(each["Body"]) for each in received(aws, url)]
