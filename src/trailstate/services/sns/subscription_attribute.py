"""The attributes of a subscription, each held against what SNS takes.

https://docs.aws.amazon.com/sns/latest/api/API_SetSubscriptionAttributes.html
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from trailstate.services.sns.found import invalid
from trailstate.values.pattern import BadPattern, filter_policy
from trailstate.watch.retry import BadDeliveryPolicy, delivery_policy

ATTRIBUTES = (
    "DeliveryPolicy",
    "FilterPolicy",
    "FilterPolicyScope",
    "RawMessageDelivery",
    "RedrivePolicy",
    "SubscriptionRoleArn",
)
FILTER_FIELDS_MAX = 5
FILTER_COMBINATIONS_MAX = 150
FILTER_BYTES_MAX = 256 * 1024
QUEUE = re.compile(r"arn:aws:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+")


def with_attribute(attributes: Mapping[str, str], name: str, value: str, protocol: str) -> dict[str, str]:
    """The attributes with one set; InvalidParameter."""
    if name not in ATTRIBUTES:
        raise invalid("AttributeName")
    check = CHECKS.get(name)
    if check is not None and value:
        check(value, protocol)
    kept = {**attributes, name: value}
    if name == "FilterPolicy" and value:
        kept.setdefault("FilterPolicyScope", "MessageAttributes")
    return {key: text for key, text in kept.items() if text}


def _check_raw(value: str, protocol: str) -> None:
    if value not in ("true", "false"):
        raise invalid(f"Attributes Reason: RawMessageDelivery: Invalid value [{value}]. Must be true or false.")
    if value == "true" and protocol not in ("sqs", "http", "https"):
        raise invalid(
            f"Attributes Reason: RawMessageDelivery: Delivery protocol [{protocol}] does not support raw message "
            "delivery."
        )


def _check_scope(value: str, _: str) -> None:
    if value not in ("MessageAttributes", "MessageBody"):
        raise invalid(f"FilterPolicyScope: Invalid value [{value}]. Please use either MessageBody or MessageAttributes")


def _check_filter(value: str, _: str) -> None:
    if len(value.encode()) > FILTER_BYTES_MAX:
        raise invalid("FilterPolicy: Filter policy is too large")
    try:
        filter_policy(value)
    except BadPattern as error:
        raise invalid(f"FilterPolicy: {error}") from error
    given = json.loads(value)
    lists = list(_lists(given))
    if len(lists) > FILTER_FIELDS_MAX:
        raise invalid("FilterPolicy: Filter policy can not have more than 5 keys")
    combinations = 1
    for depth, count in lists:
        combinations *= depth * count
    if combinations > FILTER_COMBINATIONS_MAX:
        raise invalid("FilterPolicy: Filter policy is too complex")


def _lists(given: Mapping[str, Any], depth: int = 1) -> Iterable[tuple[int, int]]:
    """How deep each list of alternatives stands, and how many it has."""
    for value in given.values():
        if isinstance(value, dict):
            yield from _lists(value, depth + 1)
        else:
            yield depth, len(value)


def _check_delivery(value: str, protocol: str) -> None:
    if protocol not in ("http", "https"):
        raise invalid(f"Delivery protocol [{protocol}] does not support delivery policies.")
    try:
        delivery_policy(value)
    except BadDeliveryPolicy as error:
        raise invalid(f"DeliveryPolicy: {error}") from error


def _check_redrive(value: str, _: str) -> None:
    try:
        given = json.loads(value)
    except (ValueError, RecursionError):
        raise invalid("RedrivePolicy: failed to parse JSON.") from None
    target = given.get("deadLetterTargetArn") if isinstance(given, dict) else None
    if not isinstance(target, str) or not QUEUE.fullmatch(target):
        raise invalid("RedrivePolicy: deadLetterTargetArn is an invalid arn.")


CHECKS = {
    "DeliveryPolicy": _check_delivery,
    "FilterPolicy": _check_filter,
    "FilterPolicyScope": _check_scope,
    "RawMessageDelivery": _check_raw,
    "RedrivePolicy": _check_redrive,
}
