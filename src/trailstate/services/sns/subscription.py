"""Subscriptions: asked for, confirmed, changed and ended.

https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html and the pages of its neighbours
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from trailstate.services.operation import operation
from trailstate.services.sns.found import (
    Document,
    fault,
    find_subscription,
    find_topic,
    invalid,
    is_anonymous,
    not_yet,
    paged,
    subscriptions_of,
)
from trailstate.services.sns.subscription_attribute import QUEUE, with_attribute
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.values.timestamp import moment_text
from trailstate.watch.topic import TOPIC, Message, TopicName, delivery_row, subscription_key
from trailstate.wire.call import Call
from trailstate.world import World

ENDPOINTS: Mapping[str, re.Pattern[str]] = {
    "sqs": QUEUE,
    "lambda": re.compile(r"arn:aws:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_:$-]+"),
    "http": re.compile(r"http://[^\s]+"),
    "https": re.compile(r"https://[^\s]+"),
    "email": re.compile(r"[^\s@<>,;:\"]+@[^\s@<>,;:\"]+"),
    "email-json": re.compile(r"[^\s@<>,;:\"]+@[^\s@<>,;:\"]+"),
}
NOT_YET = ("sms", "application", "firehose")
TOKEN_BYTES = 144
TOKEN_VALID = timedelta(days=2)
PENDING = "PendingConfirmation"
PENDING_ARN = "pending confirmation"
ENDPOINT_CHARACTERS_MAX = 2048


@operation("sns")
def subscribe(
    call: Call,
    shelf: StagedShelf,
    world: World,
    *,
    TopicArn: str,
    Protocol: str,
    Endpoint: str | None = None,
    Attributes: Mapping[str, str] | None = None,
    ReturnSubscriptionArn: bool | None = None,
) -> dict[str, Any]:
    """A queue or function of the caller's own account is subscribed at once; everybody else is asked first."""
    named, topic = find_topic(call, shelf, TopicArn, "Subscribe")
    endpoint = _checked_endpoint(Protocol, Endpoint)
    attributes: dict[str, str] = {}
    for name, value in (Attributes or {}).items():
        attributes = with_attribute(attributes, name, value, Protocol)
    known = _same(subscriptions_of(shelf, named), Protocol, endpoint)
    if known is not None and not known["Token"]:
        if Attributes and any(known["Attributes"].get(name) != attributes.get(name) for name in Attributes):
            raise invalid("Attributes Reason: Subscription already exists with different attributes")
        return {"SubscriptionArn": known["SubscriptionArn"]}
    is_own = Protocol in ("sqs", "lambda") and endpoint.split(":")[4] == call.account
    arn = f"{named.arn}:{world.uuid()}" if known is None else known["SubscriptionArn"]
    subscription = {
        "SubscriptionArn": arn,
        "TopicArn": named.arn,
        "Owner": call.account,
        "Principal": call.principal.arn,
        "Protocol": Protocol,
        "Endpoint": endpoint,
        "Attributes": attributes,
        "Token": "" if is_own else world.random_bytes(TOKEN_BYTES).hex(),
        "Asked": call.now.isoformat(),
        "Authenticated": is_own,
    }
    key = subscription_key(arn)
    assert key is not None
    shelf.put(key, subscription)
    if not is_own:
        shelf.send(delivery_row(_request(call, world, topic, subscription), subscription))
    return {"SubscriptionArn": arn if is_own or ReturnSubscriptionArn else PENDING_ARN}


def _request(call: Call, world: World, topic: Document, subscription: Document) -> Message:
    """The message that asks whether the receiver wants to be subscribed."""
    return Message(
        id=world.uuid(),
        topic=subscription["TopicArn"],
        time=moment_text(call.now),
        text=f"You have chosen to subscribe to the topic {subscription['TopicArn']}.\n"
        "To confirm the subscription, visit the SubscribeURL included in this message.",
        signature_version=topic["Attributes"].get("SignatureVersion", "1"),
        token=subscription["Token"],
    )


def _checked_endpoint(protocol: str, endpoint: str | None) -> str:
    if protocol in NOT_YET:
        raise not_yet(f"The protocol {protocol}")
    if protocol not in ENDPOINTS:
        raise invalid(f"Amazon SNS does not support this protocol string: {protocol}")
    kind = protocol.upper() if protocol in ("sqs", "http", "https") else protocol.capitalize()
    if not endpoint or len(endpoint) > ENDPOINT_CHARACTERS_MAX or not ENDPOINTS[protocol].fullmatch(endpoint):
        raise invalid(f"{kind} endpoint ARN" if protocol in ("sqs", "lambda") else "Endpoint")
    if protocol == "sqs" and endpoint.endswith(".fifo"):
        raise invalid("Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics")
    return endpoint


def _same(subscriptions: Iterable[tuple[Any, Document]], protocol: str, endpoint: str) -> Document | None:
    same = (each for _, each in subscriptions if (each["Protocol"], each["Endpoint"]) == (protocol, endpoint))
    return next(same, None)


@operation("sns")
def confirm_subscription(
    call: Call, shelf: StagedShelf, *, TopicArn: str, Token: str, AuthenticateOnUnsubscribe: str | None = None
) -> dict[str, Any]:
    """The token is the proof: whoever got the message may confirm, signed or not."""
    named = _named(TopicArn)
    if shelf.get(named.key) is None:
        raise fault.NotFoundException("Topic does not exist")
    for key, subscription in subscriptions_of(shelf, named):
        if Token and Token in (subscription["Token"], subscription.get("Confirmed")):
            if call.now - datetime.fromisoformat(subscription["Asked"]) > TOKEN_VALID:
                raise invalid("Token")
            is_signed = AuthenticateOnUnsubscribe == "true" and not is_anonymous(call)
            shelf.put(key, {**subscription, "Token": "", "Confirmed": Token, "Authenticated": is_signed})
            return {"SubscriptionArn": subscription["SubscriptionArn"]}
    raise invalid("Token")


def _named(arn: str) -> TopicName:
    key = subscription_key(f"{arn}:x")
    if key is None:
        raise invalid("TopicArn")
    return TopicName(key.region, key.account, arn.rpartition(":")[2])


@operation("sns")
def unsubscribe(call: Call, shelf: StagedShelf, *, SubscriptionArn: str) -> dict[str, Any]:
    """The link in a message works unsigned, unless the subscription was confirmed otherwise."""
    key = subscription_key(SubscriptionArn)
    subscription = None if key is None else shelf.get(key)
    if key is None:
        raise invalid(
            f"SubscriptionArn Reason: An ARN must have at least 7 elements, not {SubscriptionArn.count(':') + 1}"
        )
    if subscription is None:
        return {}
    if not is_anonymous(call):
        find_subscription(call, shelf, SubscriptionArn)
    elif subscription["Authenticated"] or subscription["Token"]:
        raise fault.AuthorizationErrorException("Access to this action requires authentication")
    shelf.delete(key)
    return {}


@operation("sns")
def get_subscription_attributes(call: Call, shelf: StagedShelf, *, SubscriptionArn: str) -> dict[str, Any]:
    """All attributes, as texts."""
    _, subscription = find_subscription(call, shelf, SubscriptionArn)
    return {
        "Attributes": {
            "SubscriptionArn": subscription["SubscriptionArn"],
            "TopicArn": subscription["TopicArn"],
            "Owner": subscription["Owner"],
            "Protocol": subscription["Protocol"],
            "Endpoint": subscription["Endpoint"],
            "PendingConfirmation": str(bool(subscription["Token"])).lower(),
            "ConfirmationWasAuthenticated": str(subscription["Authenticated"]).lower(),
            "RawMessageDelivery": "false",
            "SubscriptionPrincipal": subscription["Principal"],
            **subscription["Attributes"],
        }
    }


@operation("sns")
def set_subscription_attributes(
    call: Call, shelf: StagedShelf, *, SubscriptionArn: str, AttributeName: str, AttributeValue: str | None = None
) -> dict[str, Any]:
    """One attribute is replaced; an empty value takes it away."""
    key, subscription = find_subscription(call, shelf, SubscriptionArn)
    changed = with_attribute(subscription["Attributes"], AttributeName, AttributeValue or "", subscription["Protocol"])
    shelf.put(key, subscription | {"Attributes": changed})
    return {}


@operation("sns")
def list_subscriptions(
    call: Call, shelf: StagedShelf, tokens: PageTokens, *, NextToken: str | None = None
) -> dict[str, Any]:
    """Those of the account's topics in the region."""
    topics = [
        TopicName(call.region, call.account, key.name) for key, _ in shelf.documents(call.account, call.region, TOPIC)
    ]
    told = [_told(each) for named in topics for _, each in subscriptions_of(shelf, named)]
    found, following = paged(tokens, call, told, NextToken)
    return {"Subscriptions": list(found), **following}


@operation("sns")
def list_subscriptions_by_topic(
    call: Call, shelf: StagedShelf, tokens: PageTokens, *, TopicArn: str, NextToken: str | None = None
) -> dict[str, Any]:
    """Those of one topic, pending ones included."""
    named, _ = find_topic(call, shelf, TopicArn, "ListSubscriptionsByTopic")
    told = [_told(each) for _, each in subscriptions_of(shelf, named)]
    found, following = paged(tokens, call, told, NextToken, TopicArn)
    return {"Subscriptions": list(found), **following}


def _told(subscription: Document) -> dict[str, str]:
    told = {name: subscription[name] for name in ("SubscriptionArn", "Owner", "Protocol", "Endpoint", "TopicArn")}
    return told | ({"SubscriptionArn": PENDING} if subscription["Token"] else {})
