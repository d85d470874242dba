"""How SNS's operations find topics and subscriptions, and refuse in SNS's words what is not there or not theirs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trailstate.services.paging import page
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.values.policy import MalformedPolicy, Question, allows, read_policy, service_context
from trailstate.watch.topic import SUBSCRIPTION, TopicName, subscription_key, topic_name
from trailstate.wire.call import Call
from trailstate.wire.fault import Fault, faults
from trailstate.wire.spelling import NOT_SUPPORTED

fault = faults("sns")

PAGE = 100
SERVICE = "AWSService"
Document = dict[str, Any]


def invalid(what: str) -> Fault:
    return fault.InvalidParameterException(f"Invalid parameter: {what}")


def not_yet(what: str) -> Fault:
    return fault.InvalidParameterException(f"Invalid parameter: {what} {NOT_SUPPORTED}")


def is_anonymous(call: Call) -> bool:
    """Whether the call came without a signature, as the links in messages do."""
    return not call.signature or call.principal.type == "Unknown"


def find_topic(
    call: Call, shelf: StagedShelf, arn: str, action: str, member: str = "TopicArn"
) -> tuple[TopicName, Document]:
    """The topic, if its owner calls or its policy lets the caller do that; else InvalidParameter, NotFound or
    AuthorizationError. AWS's own services may look at topics of the account that they work for, and publish where the
    policy lets them."""
    named = topic_name(arn)
    if named is None:
        raise invalid(f"{member} Reason: An ARN must have at least 6 elements, not {arn.count(':') + 1}")
    if named.region != call.region and not is_anonymous(call):
        raise invalid(member)
    topic = shelf.get(named.key)
    needs_policy = named.account != call.account or (call.principal.type == SERVICE and action == "Publish")
    if needs_policy and (topic is not None or named.account != call.account) and not may(call, topic, named, action):
        raise unauthorized(call, action, arn)
    if topic is None:
        raise fault.NotFoundException("Topic does not exist")
    return named, topic


def may(call: Call, topic: Mapping[str, Any] | None, named: TopicName, action: str) -> bool:
    """Whether the topic's policy lets in a service or a caller of another account."""
    principal = call.principal
    service = principal.invoked_by or "" if principal.type == SERVICE else ""
    context = service_context(service, principal.account, principal.source_arn) if service else _owner(call)
    question = Question(f"SNS:{action}", named.arn, service, principal.arn, context)
    try:
        return topic is not None and allows(read_policy(topic["Policy"]), question)
    except MalformedPolicy:
        return False


def _owner(call: Call) -> dict[str, str]:
    return {"AWS:SourceOwner": call.account, "AWS:SourceAccount": call.account}


def unauthorized(call: Call, action: str, arn: str) -> Fault:
    who = call.principal.arn or call.principal.invoked_by or "anonymous"
    return fault.AuthorizationErrorException(
        f"User: {who} is not authorized to perform: SNS:{action} on resource: {arn} because no resource-based policy "
        f"allows the SNS:{action} action"
    )


def subscriptions_of(shelf: StagedShelf, named: TopicName) -> Iterator[tuple[ShelfKey, Document]]:
    return shelf.documents(named.account, named.region, f"{SUBSCRIPTION}{named.name}")


def find_subscription(call: Call, shelf: StagedShelf, arn: str) -> tuple[ShelfKey, Document]:
    """The subscription, if the caller made it or has its topic; InvalidParameter, NotFound, AuthorizationError."""
    key = subscription_key(arn)
    if key is None:
        raise invalid(f"SubscriptionArn Reason: An ARN must have at least 7 elements, not {arn.count(':') + 1}")
    found = shelf.get(key)
    if found is None:
        raise fault.NotFoundException("Subscription does not exist")
    if call.account not in (found["Owner"], key.account):
        raise fault.AuthorizationErrorException("Not authorized to perform that action")
    return key, found


def paged(
    tokens: PageTokens, call: Call, items: Sequence[Any], token: str | None, *about: str
) -> tuple[Sequence[Any], dict[str, str]]:
    """A page of SNS's lists and the member for the next."""
    question = [call.account, call.region, call.operation, *about]
    found, following = page(tokens, question, items, limit=PAGE, token=token, refuse=lambda _: invalid("NextToken"))
    return found, {} if following is None else {"NextToken": following}


def checked_policy(text: str) -> str:
    """A resource policy as its owner wrote it; InvalidParameter when it is none."""
    try:
        read_policy(text)
    except MalformedPolicy as error:
        raise invalid(f"Policy Error: {error}") from error
    return json.dumps(json.loads(text), separators=(",", ":"))
