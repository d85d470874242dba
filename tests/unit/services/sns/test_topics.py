"""SNS through the real API: topics, subscriptions, what is delivered to queues and mailboxes, and what is refused."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from tests.clients.receivers import a_function, a_queue, bodies, got, needs_sandbox, received, resource_policy
from tests.clients.refusals import refused

from trailstate.testing import Lab, lab

THEIRS = "210987654321"


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab(accounts=f"123456789012,{THEIRS}") as started:
        yield started


def topic(aws: Lab, name: str, **attributes: str) -> str:
    return str(aws.client("sns").create_topic(Name=name, Attributes=attributes)["TopicArn"])


def queue(aws: Lab, name: str) -> tuple[str, str]:
    return a_queue(aws, name, "sns")


def subscribed(aws: Lab, name: str, **attributes: str) -> tuple[str, str, str]:
    """A topic with a queue: topic ARN, queue URL, subscription ARN."""
    arn, (url, endpoint) = topic(aws, name), queue(aws, name)
    made = aws.client("sns").subscribe(TopicArn=arn, Protocol="sqs", Endpoint=endpoint, Attributes=attributes)
    return arn, url, made["SubscriptionArn"]


def letters(aws: Lab) -> list[dict[str, str]]:
    aws.settle()
    with urlopen(f"{aws.endpoint}/_trailstate/inbox") as answer:
        return list(json.load(answer)["letters"])


def get(url: str) -> tuple[int, bytes]:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port)
    connection.request("GET", f"{parts.path}?{parts.query}")
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_a_message_reaches_a_queue_once(aws: Lab) -> None:
    arn, url, subscription = subscribed(aws, "news")
    published = aws.client("sns").publish(TopicArn=arn, Message="hello", Subject="hi")
    (body,) = bodies(aws, url)
    assert (body["Type"], body["MessageId"], body["TopicArn"]) == ("Notification", published["MessageId"], arn)
    assert (body["Subject"], body["Message"]) == ("hi", "hello")
    assert subscription in body["UnsubscribeURL"]
    assert received(aws, url) == []


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_message_is_signed_by_the_certificate_that_it_names(aws: Lab, version: str) -> None:
    from base64 import b64decode

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA1, SHA256

    arn, url, _ = subscribed(aws, f"signed-{version}")
    aws.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="SignatureVersion", AttributeValue=version)
    aws.client("sns").publish(TopicArn=arn, Message="hello", Subject="hi")
    (body,) = bodies(aws, url)
    with urlopen(body["SigningCertURL"]) as answer:
        key = x509.load_pem_x509_certificate(answer.read()).public_key()
    names = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
    text = "".join(f"{name}\n{body[name]}\n" for name in names).encode()
    assert isinstance(key, RSAPublicKey)
    key.verify(b64decode(body["Signature"]), text, PKCS1v15(), SHA256() if version == "2" else SHA1())


def test_raw_delivery_and_attributes(aws: Lab) -> None:
    arn, url, _ = subscribed(aws, "raw", RawMessageDelivery="true")
    attributes = {
        "kind": {"DataType": "String", "StringValue": "x"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\0"},
    }
    aws.client("sns").publish(TopicArn=arn, Message="just this", MessageAttributes=attributes)
    (message,) = received(aws, url)
    assert message["Body"] == "just this"
    assert message["MessageAttributes"] == attributes


@pytest.mark.parametrize(
    ("policy", "scope", "fits", "does_not"),
    [
        ({"kind": ["a", "b"]}, "MessageAttributes", {"kind": "a"}, {"kind": "c"}),
        ({"kind": [{"anything-but": ["a"]}]}, "MessageAttributes", {"kind": "b"}, {}),
        ({"size": [{"numeric": [">", 5]}]}, "MessageAttributes", {"size": 6}, {"size": 5}),
        ({"size": [{"exists": False}]}, "MessageAttributes", {}, {"size": 5}),
        ({"detail": {"state": ["on"]}}, "MessageBody", {"detail": {"state": "on"}}, {"detail": {"state": "off"}}),
        ({"$or": [{"a": ["1"]}, {"b": ["2"]}]}, "MessageBody", {"b": "2"}, {"a": "2", "b": "1"}),
    ],
)
def test_filter_policies(aws: Lab, policy: Any, scope: str, fits: Any, does_not: Any) -> None:
    arn, url, subscription = subscribed(aws, "filtered")
    sns = aws.client("sns")
    for name, value in (("FilterPolicyScope", scope), ("FilterPolicy", json.dumps(policy))):
        sns.set_subscription_attributes(SubscriptionArn=subscription, AttributeName=name, AttributeValue=value)
    for told, text in ((fits, "yes"), (does_not, "no")):
        given = {
            name: {"DataType": "Number" if isinstance(value, int) else "String", "StringValue": str(value)}
            for name, value in told.items()
            if scope == "MessageAttributes"
        }
        sns.publish(TopicArn=arn, Message=json.dumps({"is": text} | told), MessageAttributes=given)
    assert [json.loads(each["Message"])["is"] for each in bodies(aws, url)] == ["yes"]
    sns.unsubscribe(SubscriptionArn=subscription)


def test_publish_batch_takes_each_message_by_itself(aws: Lab) -> None:
    arn, url, _ = subscribed(aws, "batch")
    answer = aws.client("sns").publish_batch(
        TopicArn=arn,
        PublishBatchRequestEntries=[
            {"Id": "one", "Message": "1"},
            {"Id": "two", "Message": "2", "Subject": "bad\nsubject"},
            {"Id": "three", "Message": "3"},
        ],
    )
    assert [each["Id"] for each in answer["Successful"]] == ["one", "three"]
    assert [(each["Id"], each["Code"]) for each in answer["Failed"]] == [("two", "InvalidParameter")]
    assert [each["Message"] for each in bodies(aws, url)] == ["1", "3"]


def test_an_address_is_asked_before_it_gets_mail(aws: Lab) -> None:
    sns, arn = aws.client("sns"), topic(aws, "mailed")
    asked = sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="ops@example.com")["SubscriptionArn"]
    assert asked == "pending confirmation"
    sns.publish(TopicArn=arn, Message="too early")
    (letter,) = (each for each in letters(aws) if each["to"] == "ops@example.com")
    assert letter["subject"] == "AWS Notification - Subscription Confirmation"
    link = next(line for line in letter["body"].split() if line.startswith("http"))
    status, answer = get(link)
    assert (status, b"SubscriptionArn" in answer) == (200, True)
    (told,) = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    assert told["SubscriptionArn"].startswith(arn)
    sns.publish(TopicArn=arn, Message="root signed in", Subject="ALARM")
    *_, last = letters(aws)
    assert (last["subject"], "root signed in" in last["body"]) == ("ALARM", True)
    link = next(line for line in last["body"].split() if line.startswith("http"))
    assert get(link)[0] == 200
    assert sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"] == []


def test_a_wrong_token_confirms_nothing(aws: Lab) -> None:
    sns, arn = aws.client("sns"), topic(aws, "tokens")
    sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="ops@example.com")
    assert refused(sns.confirm_subscription, TopicArn=arn, Token="x") == (
        "InvalidParameter",
        "Invalid parameter: Token",
    )
    assert sns.get_topic_attributes(TopicArn=arn)["Attributes"]["SubscriptionsPending"] == "1"


def test_a_queue_that_is_gone_costs_one_dead_letter(aws: Lab) -> None:
    dead, dead_arn = queue(aws, "dead")
    redrive = json.dumps({"deadLetterTargetArn": dead_arn})
    arn, url, _ = subscribed(aws, "doomed", RedrivePolicy=redrive)
    aws.client("sqs").delete_queue(QueueUrl=url)
    aws.client("sns").publish(TopicArn=arn, Message="lost?")
    assert [each["Message"] for each in bodies(aws, dead)] == ["lost?"]


def test_a_topic_is_described_and_deleted_with_its_subscriptions(aws: Lab) -> None:
    sns = aws.client("sns")
    arn, _, subscription = subscribed(aws, "described")
    sns.set_topic_attributes(TopicArn=arn, AttributeName="DisplayName", AttributeValue="Ops")
    told = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    assert (told["DisplayName"], told["Owner"], told["SubscriptionsConfirmed"]) == ("Ops", aws.account, "1")
    assert json.loads(told["Policy"])["Statement"][0]["Sid"] == "__default_statement_ID"
    sns.tag_resource(ResourceArn=arn, Tags=[{"Key": "team", "Value": "web"}])
    assert sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "web"}]
    assert arn in [each["TopicArn"] for page in sns.get_paginator("list_topics").paginate() for each in page["Topics"]]
    sns.delete_topic(TopicArn=arn)
    sns.delete_topic(TopicArn=arn)
    assert refused(sns.get_topic_attributes, TopicArn=arn) == ("NotFound", "Topic does not exist")
    assert refused(sns.get_subscription_attributes, SubscriptionArn=subscription)[0] == "NotFound"


def test_another_account_needs_the_topics_policy(aws: Lab) -> None:
    arn, url, _ = subscribed(aws, "shared")
    other = aws.client("sns", key=THEIRS)
    assert refused(other.publish, TopicArn=arn, Message="let me in")[0] == "AuthorizationError"
    aws.client("sns").add_permission(TopicArn=arn, Label="them", AWSAccountId=[THEIRS], ActionName=["Publish"])
    other.publish(TopicArn=arn, Message="let me in")
    assert [each["Message"] for each in bodies(aws, url)] == ["let me in"]
    aws.client("sns").remove_permission(TopicArn=arn, Label="them")
    assert refused(other.publish, TopicArn=arn, Message="again")[0] == "AuthorizationError"


def test_what_is_refused_is_refused_in_snss_words(aws: Lab) -> None:
    sns, arn = aws.client("sns"), topic(aws, "refusing")
    assert refused(sns.create_topic, Name="a b") == ("InvalidParameter", "Invalid parameter: Topic Name")
    assert "not supported by Trailstate yet" in refused(sns.create_topic, Name="a.fifo")[1]
    assert "not supported by Trailstate yet" in refused(sns.get_sms_attributes)[1]
    assert "not supported by Trailstate yet" in refused(sns.publish, PhoneNumber="+491701234567", Message="x")[1]
    assert refused(sns.publish, TopicArn=arn, Message="")[1] == "Invalid parameter: Empty message"
    assert refused(sns.publish, TopicArn=arn, Message="x" * 262_145)[1] == "Invalid parameter: Message too long"
    assert refused(sns.publish, TopicArn=arn, Message="x", Subject="a\nb")[1] == "Invalid parameter: Subject"
    assert "No default entry" in refused(sns.publish, TopicArn=arn, Message="{}", MessageStructure="json")[1]
    bad = {"TopicArn": arn, "Protocol": "sqs", "Endpoint": "nonsense"}
    assert refused(sns.subscribe, **bad)[0] == "InvalidParameter"
    policy = {**bad, "Endpoint": queue(aws, "q")[1], "Attributes": {"FilterPolicy": '{"a": [{"unknown": 1}]}'}}
    assert refused(sns.subscribe, **policy)[1] == "Invalid parameter: FilterPolicy: Unrecognized match type unknown"
    assert refused(sns.subscribe, TopicArn=f"{arn}x", Protocol="email", Endpoint="a@b.c")[0] == "NotFound"


def test_equal_requests_give_the_same_topic_and_subscription(aws: Lab) -> None:
    arn, _, subscription = subscribed(aws, "same")
    assert subscribed(aws, "same")[::2] == (arn, subscription)
    different = {"Name": "same", "Attributes": {"DisplayName": "other"}}
    assert "different attributes" in refused(aws.client("sns").create_topic, **different)[1]


@needs_sandbox
def test_a_function_hears_a_topic_that_its_permission_names(aws: Lab) -> None:
    arn, other = topic(aws, "for-function"), topic(aws, "not-for-function")
    function = a_function(aws, "hears-topic", "sns.amazonaws.com", SourceArn=arn)
    _, dead = queue(aws, "unheard")
    for each in (arn, other):
        redrive = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead})}
        aws.client("sns").subscribe(TopicArn=each, Protocol="lambda", Endpoint=function, Attributes=redrive)
        aws.client("sns").publish(TopicArn=each, Message="hello", Subject="Hi")
    aws.settle()
    ((record,),) = (each["Records"] for each in got(aws, "hears-topic"))
    assert (record["EventSource"], record["Sns"]["Message"], record["Sns"]["Subject"]) == ("aws:sns", "hello", "Hi")
    assert record["Sns"]["TopicArn"] == arn
    url = aws.client("sqs").get_queue_url(QueueName="unheard")["QueueUrl"]
    assert [each["TopicArn"] for each in bodies(aws, url)] == [other]


@pytest.mark.parametrize(
    ("condition", "lets_in"),
    [
        ({}, True),
        ({"ArnEquals": {"aws:SourceArn": "arn:aws:sns:us-east-1:123456789012:{name}"}}, True),
        ({"ArnEquals": {"aws:SourceArn": "arn:aws:sns:us-east-1:123456789012:another"}}, False),
        ({"StringEquals": {"aws:SourceAccount": THEIRS}}, False),
    ],
)
def test_a_queue_takes_what_its_policy_lets_in(
    aws: Lab, condition: dict[str, Any], lets_in: bool, request: pytest.FixtureRequest
) -> None:
    name = f"let-in-{request.node.callspec.indices['condition']}"
    arn, url, _ = subscribed(aws, name)
    told = json.loads(json.dumps(condition).replace("{name}", name))
    policy = resource_policy("sqs:SendMessage", f"arn:aws:sqs:us-east-1:{aws.account}:{name}", "sns", **told)
    aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    aws.client("sns").publish(TopicArn=arn, Message="hello")
    assert bool(bodies(aws, url)) is lets_in
