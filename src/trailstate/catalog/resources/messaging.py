"""What carries messages: SNS topic, SQS queue, Kinesis stream."""

from typing import Any

from trailstate.catalog.touch import REQUEST, RESPONSE, asked, at, last_part
from trailstate.configuration.form import REGIONAL, Describe, Look, ResourceType

NO_TOPIC = ("NotFound", "NotFoundException")


def _topic(look: Look) -> Any:
    attributes = look.ask(Describe("sns", "GetTopicAttributes", {"TopicArn": "{key}"}, "Attributes", NO_TOPIC))
    return attributes and {**attributes, "Name": last_part(look.key)}


TOPIC = ResourceType(
    name="AWS::SNS::Topic",
    listing=Describe("sns", "ListTopics", at="Topics[]"),
    key="TopicArn",
    describe=_topic,
    more={"Tags": Describe("sns", "ListTagsForResource", {"ResourceArn": "{key}"}, "Tags[]", ("ResourceNotFound",))},
    resource_name="{Name}",
    arn="{key}",
    keeps=("DeliveryPolicy", "EffectiveDeliveryPolicy", "Policy"),
    touched_by=at(f"{RESPONSE}.topicArn", "CreateTopic")
    | asked("topicArn", "AddPermission", "DeleteTopic", "RemovePermission", "SetTopicAttributes")
    | asked("resourceArn", "PutDataProtectionPolicy", "TagResource", "UntagResource"),
)

NO_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")


def _queues(look: Look) -> Any:
    urls = look.ask(Describe("sqs", "ListQueues", at="QueueUrls[]")) or ()
    return [{"QueueName": last_part(url)} for url in urls]


def _queue(look: Look) -> Any:
    """A queue's id is its URL at AWS, whatever address it was called at; a queue without a policy says so."""
    url = f"https://sqs.{look.region}.amazonaws.com/{look.account}/{look.key}"
    described = Describe(
        "sqs", "GetQueueAttributes", {"QueueUrl": url, "AttributeNames": ["All"]}, "Attributes", NO_QUEUE
    )
    attributes = look.ask(described)
    return attributes and {"Policy": None, **attributes, "QueueName": look.key, "QueueUrl": url}


QUEUE = ResourceType(
    name="AWS::SQS::Queue",
    listing=_queues,
    key="QueueName",
    describe=_queue,
    more={"Tags": Describe("sqs", "ListQueueTags", {"QueueUrl": "{QueueUrl}"}, "Tags", NO_QUEUE)},
    id="{QueueUrl}",
    resource_name="{QueueName}",
    arn="{QueueArn}",
    keeps=("Policy", "RedriveAllowPolicy", "RedrivePolicy"),
    service="sqs",
    touched_by=asked("queueName", "CreateQueue")
    | asked(
        "queueUrl",
        "AddPermission",
        "DeleteQueue",
        "RemovePermission",
        "SetQueueAttributes",
        "TagQueue",
        "UntagQueue",
    ),
    read_key=last_part,
)

NO_STREAM = ("ResourceNotFoundException",)

STREAM = ResourceType(
    name="AWS::Kinesis::Stream",
    listing=Describe("kinesis", "ListStreams", at="StreamNames[]"),
    describe=Describe(
        "kinesis", "DescribeStreamSummary", {"StreamName": "{key}"}, "StreamDescriptionSummary", NO_STREAM
    ),
    more={
        "Tags": Describe("kinesis", "ListTagsForStream", {"StreamName": "{key}"}, "Tags[]", NO_STREAM),
        "StreamEncryption": lambda look: _encryption(look),
    },
    resource_name="{StreamName}",
    arn="{StreamARN}",
    zone=REGIONAL,
    created="{StreamCreationTimestamp}",
    renames={"StreamName": "Name", "StreamARN": "Arn", "OpenShardCount": "ShardCount"},
    touched_by=asked("streamName", "CreateStream")
    | asked("streamARN", "UpdateStreamMode")
    | at(
        (f"{REQUEST}.streamName", f"{REQUEST}.streamARN"),
        "AddTagsToStream",
        "DecreaseStreamRetentionPeriod",
        "DeleteStream",
        "IncreaseStreamRetentionPeriod",
        "RemoveTagsFromStream",
        "StartStreamEncryption",
        "StopStreamEncryption",
        "UpdateShardCount",
    ),
    read_key=last_part,
)


def _encryption(look: Look) -> Any:
    if look.raw.get("EncryptionType", "NONE") == "NONE":
        return {}
    return {"EncryptionType": look.raw["EncryptionType"], "KeyId": look.raw.get("KeyId")}


RESOURCES = (TOPIC, QUEUE, STREAM)
