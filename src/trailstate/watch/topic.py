"""Topics and subscriptions as they are kept, and which of a topic's subscriptions a message is for.

https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html

A topic is one document, and so is each subscription, under its topic: publishing reads those of one topic alone.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec

from trailstate.stores.interface import OutboxRow, ShelfKey
from trailstate.values.pattern import Pattern, filter_policy

TOPIC = "watch.topic"
SUBSCRIPTION = "watch.subscription/"
POLICIES_KEPT = 4096

Document: TypeAlias = Mapping[str, Any]

QUEUES = {
    "sqs": "topic/",
    "lambda": "topic/",
    "http": "topic-web/",
    "https": "topic-web/",
    "email": "topic-mail/",
    "email-json": "topic-mail/",
}
"""Protocol -> where its deliveries wait. Those that leave the machine wait apart, so that they hold up no other."""


@dataclass(frozen=True, slots=True)
class TopicName:
    """A topic's ARN, taken apart."""

    region: str
    account: str
    name: str

    @property
    def arn(self) -> str:
        return f"arn:aws:sns:{self.region}:{self.account}:{self.name}"

    @property
    def key(self) -> ShelfKey:
        return ShelfKey(self.account, self.region, TOPIC, self.name)

    def subscription_key(self, number: str) -> ShelfKey:
        return ShelfKey(self.account, self.region, f"{SUBSCRIPTION}{self.name}", number)


def topic_name(arn: str) -> TopicName | None:
    """What a topic's ARN says; None for anything else."""
    parts = arn.split(":")
    if len(parts) != 6 or parts[:3] != ["arn", "aws", "sns"] or not all(parts[3:]):
        return None
    return TopicName(*parts[3:])


def subscription_key(arn: str) -> ShelfKey | None:
    """Where the subscription of that ARN stands; None for what is no such ARN."""
    topic, _, number = arn.rpartition(":")
    named = topic_name(topic)
    return None if named is None or not number else named.subscription_key(number)


OWNERS_ACTIONS = (
    "GetTopicAttributes",
    "SetTopicAttributes",
    "AddPermission",
    "RemovePermission",
    "DeleteTopic",
    "Subscribe",
    "ListSubscriptionsByTopic",
    "Publish",
)


def default_policy(topic: str) -> dict[str, Any]:
    """What AWS puts on a new topic: its owner's account may do everything with it."""
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{each}" for each in OWNERS_ACTIONS],
        "Resource": topic,
        "Condition": {"StringEquals": {"AWS:SourceOwner": topic.split(":")[4]}},
    }
    return {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """A published message."""

    id: str
    topic: str
    """The topic's ARN."""
    time: str
    text: str
    subject: str = ""
    texts: dict[str, str] = {}
    """By protocol, where it differs."""
    attributes: dict[str, dict[str, str]] = {}
    """DataType, and StringValue or BinaryValue (base64)."""
    signature_version: str = "1"
    token: str = ""
    """Of a message that asks for the confirmation of a subscription."""

    def text_for(self, protocol: str) -> str:
        return self.texts.get(protocol, self.text)


class Delivery(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message on its way to one subscription."""

    message: Message
    subscription: str
    attempt: int = 1
    not_before: str = ""
    first: str = ""
    """When it was first tried."""


def delivery_row(message: Message, subscription: Document) -> OutboxRow:
    """What has the message delivered to a subscription."""
    place = subscription["SubscriptionArn"].removeprefix("arn:aws:sns:")
    body = msgspec.json.encode(Delivery(message, subscription["SubscriptionArn"]))
    return OutboxRow(f"{QUEUES[subscription['Protocol']]}{place}", f"sns/{message.id}/{place}", body)


def again_row(row: OutboxRow, delivery: Delivery, due: datetime, now: datetime) -> OutboxRow:
    """The same delivery, later, in a queue of its own: what fails must not hold up what came after it."""
    prefix = row.queue.partition("/")[0]
    first = delivery.first or now.isoformat()
    again = msgspec.structs.replace(delivery, attempt=delivery.attempt + 1, not_before=due.isoformat(), first=first)
    base = row.id.rpartition("#")[0] or row.id
    name = f"{base}#{again.attempt}"
    return OutboxRow(f"{prefix}/again/{name}", name, msgspec.json.encode(again))


def deliveries(message: Message, subscriptions: Iterable[Document]) -> Iterator[OutboxRow]:
    """A row for each confirmed subscription whose filter policy the message fits."""
    body: Any = None
    for subscription in subscriptions:
        if subscription["Token"]:
            continue
        body = _parsed(message.text) if body is None and _asks_for_body(subscription) else body
        if wants(subscription, message, body):
            yield delivery_row(message, subscription)


def wants(subscription: Document, message: Message, body: Any) -> bool:
    """Whether the subscription's filter policy lets the message through."""
    text = subscription["Attributes"].get("FilterPolicy")
    if not text:
        return True
    told = body if _asks_for_body(subscription) else attribute_values(message.attributes)
    return isinstance(told, dict) and _policy(text).matches(told)


def _asks_for_body(subscription: Document) -> bool:
    return bool(subscription["Attributes"].get("FilterPolicyScope") == "MessageBody")


@lru_cache(maxsize=POLICIES_KEPT)
def _policy(text: str) -> Pattern:
    return filter_policy(text)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return ()


def attribute_values(attributes: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """The attributes as a filter policy sees them: texts, numbers, and what a String.Array holds."""
    return {name: _attribute_value(each) for name, each in attributes.items() if "StringValue" in each}


def _attribute_value(attribute: Mapping[str, str]) -> Any:
    kind, text = attribute["DataType"].partition(".")[0], attribute["StringValue"]
    if attribute["DataType"] == "String.Array":
        found = _parsed(text)
        return found if isinstance(found, list) else [found]
    if kind == "Number":
        number = float(text)
        return int(number) if number.is_integer() else number
    return text
