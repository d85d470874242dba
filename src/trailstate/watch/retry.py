"""When a delivery that failed is tried again: SNS's four phases, for each kind of receiver.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

BACKOFFS: Mapping[str, Callable[[float, float, float], float]] = {
    "linear": lambda low, high, part: low + (high - low) * part,
    "arithmetic": lambda low, high, part: low + (high - low) * part**2,
    "geometric": lambda low, high, part: low + (high - low) * part**3,
    "exponential": lambda low, high, part: low * (high / low) ** part if low else high * part**4,
}
"""Shortest and longest wait, how much of the phase is over (0 to 1) -> seconds."""


@dataclass(frozen=True, slots=True)
class Phases:
    """How often is tried again in each phase, and how long is waited."""

    immediately: int
    shortly: int
    backing_off: int
    at_last: int
    low_seconds: float
    high_seconds: float
    backoff: str = "exponential"

    def wait(self, failures: int) -> float | None:
        """Seconds before the next try after so many failed ones; None when it is given up."""
        at = failures - 1 - self.immediately
        if at < 0:
            return 0.0
        if at < self.shortly:
            return self.low_seconds
        at -= self.shortly
        if at < self.backing_off:
            part = at / max(1, self.backing_off - 1)
            return BACKOFFS[self.backoff](self.low_seconds, self.high_seconds, part)
        return self.high_seconds if at - self.backing_off < self.at_last else None


INSIDE_AWS = Phases(3, 2, 10, 100_000, 1, 20)
MAIL = Phases(0, 2, 10, 38, 10, 600)

HEALTHY = {
    "minDelayTarget": 20,
    "maxDelayTarget": 20,
    "numRetries": 3,
    "numMaxDelayRetries": 0,
    "numNoDelayRetries": 0,
    "numMinDelayRetries": 0,
    "backoffFunction": "linear",
}
EFFECTIVE = {
    "http": {
        "defaultHealthyRetryPolicy": HEALTHY,
        "disableSubscriptionOverrides": False,
        "defaultRequestPolicy": {"headerContentType": "text/plain; charset=UTF-8"},
    }
}
"""What applies to HTTP receivers as long as nobody says otherwise."""

RETRIES_MAX = 100
DELAY_SECONDS_MAX = 3600


class BadDeliveryPolicy(ValueError):
    """The message says what is wrong with it."""


def delivery_policy(text: str) -> dict[str, Any]:
    """A topic's or subscription's delivery policy; BadDeliveryPolicy."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise BadDeliveryPolicy("the delivery policy is not JSON") from None
    if not isinstance(given, dict):
        raise BadDeliveryPolicy("the delivery policy must be an object")
    web_phases(given, {})
    return given


def web_phases(subscription: Mapping[str, Any], topic: Mapping[str, Any]) -> Phases:
    """What applies to an HTTP receiver: the subscription's policy, else the topic's, else the default."""
    of_topic = _object(_object(topic, "http"), "defaultHealthyRetryPolicy")
    own = _object(subscription, "healthyRetryPolicy") or _object(
        _object(subscription, "http"), "defaultHealthyRetryPolicy"
    )
    told = {**HEALTHY, **of_topic, **own}
    immediately = _number(told, "numNoDelayRetries", RETRIES_MAX)
    shortly = _number(told, "numMinDelayRetries", RETRIES_MAX)
    at_last = _number(told, "numMaxDelayRetries", RETRIES_MAX)
    backing_off = _number(told, "numRetries", RETRIES_MAX) - immediately - shortly - at_last
    low, high = (_number(told, name, DELAY_SECONDS_MAX) for name in ("minDelayTarget", "maxDelayTarget"))
    if told["backoffFunction"] not in BACKOFFS:
        raise BadDeliveryPolicy(f"backoffFunction must be one of {', '.join(BACKOFFS)}")
    if backing_off < 0:
        raise BadDeliveryPolicy("numRetries must be greater than or equal to the sum of the other retries")
    if low > high:
        raise BadDeliveryPolicy("minDelayTarget must be less than or equal to maxDelayTarget")
    return Phases(immediately, shortly, backing_off, at_last, low, high, told["backoffFunction"])


def _object(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = given.get(name) or {}
    if not isinstance(found, dict):
        raise BadDeliveryPolicy(f"{name} must be an object")
    return found


def _number(given: Mapping[str, Any], name: str, high: int) -> int:
    value = given[name]
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= high:
        raise BadDeliveryPolicy(f"{name} must be a number from 0 to {high}")
    return value
