"""Topics: made, described, changed and deleted.

https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html and the pages of its neighbours
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.services.operation import operation
from trailstate.services.sns.found import (
    Document,
    checked_policy,
    fault,
    find_topic,
    invalid,
    not_yet,
    paged,
    subscriptions_of,
)
from trailstate.services.sns.tags import as_tags, read_tags
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.watch.retry import EFFECTIVE, BadDeliveryPolicy, delivery_policy
from trailstate.watch.topic import TOPIC, TopicName, default_policy
from trailstate.wire.call import Call
from trailstate.wire.fault import Fault

NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
FEEDBACK = frozenset(
    f"{receiver}{outcome}"
    for receiver in ("HTTP", "Lambda", "SQS", "Firehose", "Application")
    for outcome in ("SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn")
)
PLAIN = frozenset({"DisplayName", "KmsMasterKeyId", "TracingConfig", "SignatureVersion", "DeliveryPolicy"}) | FEEDBACK
FIFO = frozenset({"FifoTopic", "ContentBasedDeduplication", "ArchivePolicy", "FifoThroughputScope"})
ONE_OF = {"SignatureVersion": ("1", "2"), "TracingConfig": ("Active", "PassThrough")}
DISPLAY_CHARACTERS_MAX = 100


@operation("sns")
def create_topic(
    call: Call,
    shelf: StagedShelf,
    *,
    Name: str,
    Attributes: Mapping[str, str] | None = None,
    Tags: Sequence[Mapping[str, str]] | None = None,
    DataProtectionPolicy: str | None = None,
) -> dict[str, Any]:
    """The same name again gives the same topic, if nothing else is asked of it."""
    if Name.endswith(".fifo") or (Attributes or {}).get("FifoTopic") == "true":
        raise not_yet("A FIFO topic")
    if not NAME.fullmatch(Name):
        raise invalid("Topic Name")
    if DataProtectionPolicy:
        raise not_yet("DataProtectionPolicy")
    named = TopicName(call.region, call.account, Name)
    topic = {"Policy": json.dumps(default_policy(named.arn), separators=(",", ":")), "Attributes": {}, "Tags": {}}
    for name, value in (Attributes or {}).items():
        topic = _with(topic, name, value)
    topic["Tags"] = read_tags(Tags or ())
    known = shelf.get(named.key)
    if known is None:
        shelf.put(named.key, topic)
    elif any(_shown(known, name) != _shown(topic, name) for name in Attributes or {}):
        raise invalid("Attributes Reason: Topic already exists with different attributes")
    elif Tags and known["Tags"] != topic["Tags"]:
        raise invalid("Tags Reason: Topic already exists with different tags")
    return {"TopicArn": named.arn}


def _shown(topic: Document, name: str) -> Any:
    return topic["Policy"] if name == "Policy" else topic["Attributes"].get(name)


def _with(topic: Document, name: str, value: str) -> Document:
    """The topic with an attribute set; InvalidParameter."""
    if name == "Policy":
        return topic | {"Policy": checked_policy(value)}
    if name in FIFO and value != "false":
        raise not_yet(f"The attribute {name} of FIFO topics")
    if name not in PLAIN | FIFO:
        raise invalid("AttributeName")
    if value and name in ONE_OF and value not in ONE_OF[name]:
        raise invalid(f"{name} Reason: must be one of {', '.join(ONE_OF[name])}")
    if name == "DisplayName" and (len(value) > DISPLAY_CHARACTERS_MAX or not value.isprintable()):
        raise invalid(f"DisplayName Reason: at most {DISPLAY_CHARACTERS_MAX} printable characters")
    if name == "DeliveryPolicy" and value:
        try:
            delivery_policy(value)
        except BadDeliveryPolicy as error:
            raise invalid(f"DeliveryPolicy: {error}") from error
    kept = {**topic["Attributes"], name: value}
    return topic | {"Attributes": {key: text for key, text in kept.items() if text and key not in FIFO}}


@operation("sns")
def delete_topic(call: Call, shelf: StagedShelf, *, TopicArn: str) -> dict[str, Any]:
    """Its subscriptions go with it; a topic that is not there is no error."""
    try:
        named, _ = find_topic(call, shelf, TopicArn, "DeleteTopic")
    except Fault as refusal:
        if refusal.shape != "NotFoundException":
            raise
        return {}
    for key, _ in list(subscriptions_of(shelf, named)):
        shelf.delete(key)
    shelf.delete(named.key)
    return {}


@operation("sns")
def get_topic_attributes(call: Call, shelf: StagedShelf, *, TopicArn: str) -> dict[str, Any]:
    """All attributes, as texts, with how many subscriptions there are."""
    named, topic = find_topic(call, shelf, TopicArn, "GetTopicAttributes")
    pending = [bool(each["Token"]) for _, each in subscriptions_of(shelf, named)]
    effective = EFFECTIVE
    if "DeliveryPolicy" in topic["Attributes"]:
        given = json.loads(topic["Attributes"]["DeliveryPolicy"])
        effective = {"http": {**EFFECTIVE["http"], **given.get("http", {})}}
    return {
        "Attributes": {
            "Policy": topic["Policy"],
            "Owner": named.account,
            "SubscriptionsPending": str(pending.count(True)),
            "TopicArn": named.arn,
            "EffectiveDeliveryPolicy": json.dumps(effective, separators=(",", ":")),
            "SubscriptionsConfirmed": str(pending.count(False)),
            "DisplayName": "",
            "SubscriptionsDeleted": "0",
            **topic["Attributes"],
        }
    }


@operation("sns")
def set_topic_attributes(
    call: Call, shelf: StagedShelf, *, TopicArn: str, AttributeName: str, AttributeValue: str | None = None
) -> dict[str, Any]:
    """An empty value takes the attribute back; an empty policy, the default one."""
    named, topic = find_topic(call, shelf, TopicArn, "SetTopicAttributes")
    value = AttributeValue or ""
    if AttributeName == "Policy" and not value:
        value = json.dumps(default_policy(named.arn))
    shelf.put(named.key, _with(topic, AttributeName, value))
    return {}


@operation("sns")
def list_topics(call: Call, shelf: StagedShelf, tokens: PageTokens, *, NextToken: str | None = None) -> dict[str, Any]:
    """The account's topics in the region."""
    arns = [
        {"TopicArn": TopicName(call.region, call.account, key.name).arn}
        for key, _ in shelf.documents(call.account, call.region, TOPIC)
    ]
    found, following = paged(tokens, call, arns, NextToken)
    return {"Topics": list(found), **following}


@operation("sns")
def add_permission(
    call: Call, shelf: StagedShelf, *, TopicArn: str, Label: str, AWSAccountId: Sequence[str], ActionName: Sequence[str]
) -> dict[str, Any]:
    """One statement more in the topic's policy."""
    named, topic = find_topic(call, shelf, TopicArn, "AddPermission")
    policy = json.loads(topic["Policy"])
    if any(each.get("Sid") == Label for each in policy["Statement"]):
        raise invalid("Statement already exists")
    arns = [f"arn:aws:iam::{each}:root" for each in AWSAccountId]
    statement = {
        "Sid": Label,
        "Effect": "Allow",
        "Principal": {"AWS": arns[0] if len(arns) == 1 else arns},
        "Action": [f"SNS:{each}" for each in ActionName] if len(ActionName) > 1 else f"SNS:{ActionName[0]}",
        "Resource": named.arn,
    }
    _keep_statements(shelf, named, topic, policy, [*policy["Statement"], statement])
    return {}


@operation("sns")
def remove_permission(call: Call, shelf: StagedShelf, *, TopicArn: str, Label: str) -> dict[str, Any]:
    named, topic = find_topic(call, shelf, TopicArn, "RemovePermission")
    policy = json.loads(topic["Policy"])
    _keep_statements(shelf, named, topic, policy, [each for each in policy["Statement"] if each.get("Sid") != Label])
    return {}


def _keep_statements(
    shelf: StagedShelf, named: TopicName, topic: Document, policy: Document, statements: Sequence[Any]
) -> None:
    text = json.dumps({**policy, "Statement": list(statements)}, separators=(",", ":"))
    shelf.put(named.key, topic | {"Policy": text})


@operation("sns")
def list_tags_for_resource(call: Call, shelf: StagedShelf, *, ResourceArn: str) -> dict[str, Any]:
    _, topic = _tagged(call, shelf, ResourceArn, "ListTagsForResource")
    return {"Tags": as_tags(topic["Tags"])}


@operation("sns")
def tag_resource(
    call: Call, shelf: StagedShelf, *, ResourceArn: str, Tags: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    named, topic = _tagged(call, shelf, ResourceArn, "TagResource")
    shelf.put(named.key, topic | {"Tags": read_tags(Tags, topic["Tags"])})
    return {}


@operation("sns")
def untag_resource(call: Call, shelf: StagedShelf, *, ResourceArn: str, TagKeys: Sequence[str]) -> dict[str, Any]:
    named, topic = _tagged(call, shelf, ResourceArn, "UntagResource")
    shelf.put(named.key, topic | {"Tags": {key: text for key, text in topic["Tags"].items() if key not in TagKeys}})
    return {}


def _tagged(call: Call, shelf: StagedShelf, arn: str, action: str) -> tuple[TopicName, Document]:
    try:
        return find_topic(call, shelf, arn, action, "ResourceArn")
    except Fault as refusal:
        if refusal.shape != "NotFoundException":
            raise
        raise fault.ResourceNotFoundException("Resource does not exist") from refusal
