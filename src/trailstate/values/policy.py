"""Whether a resource policy lets a principal do something: AWS's evaluation of one policy document, pure.

Follows the IAM user guide ("Policy evaluation logic", "IAM JSON policy elements"). An explicit Deny outweighs every
Allow, and what nothing allows is not allowed. A statement applies when its principal, action, resource and every
condition match. A condition operator that is not known here makes an Allow not apply and a Deny apply: never more is
granted than AWS would.
"""

import ipaddress
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Policy = Mapping[str, Any]
Statement = Mapping[str, Any]
Context = Mapping[str, str | Sequence[str]]
"""Condition keys and their values; keys are compared without regard to case."""


class MalformedPolicy(ValueError):
    """The text is no policy document; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Question:
    """May this principal do this action on this resource, in this context?"""

    action: str
    resource: str
    service: str = ""
    """The principal when a service asks: `cloudtrail.amazonaws.com`."""
    principal_arn: str = ""
    """The principal when somebody of an account asks."""
    context: Context = field(default_factory=dict)


def service_context(service: str, account: str, source_arn: str = "") -> dict[str, str]:
    """What policies see of a service's call: on whose behalf, and for which resource.

    AWS Config and CloudWatch's alarms also say who owns the resource, so that the policy that a topic has from the
    start lets them in.
    """
    context = {
        "aws:PrincipalIsAWSService": "true",
        "aws:PrincipalServiceName": service,
        "aws:SourceAccount": account,
        "aws:SourceArn": source_arn,
        "aws:SourceOwner": account if service in SAY_OWNER else "",
    }
    return {name: value for name, value in context.items() if value}


SAY_OWNER = frozenset({"cloudwatch.amazonaws.com", "config.amazonaws.com"})


def read_policy(text: str) -> Policy:
    """The policy document in a JSON text; MalformedPolicy when it is none."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedPolicy("the policy is not JSON text") from error
    if not isinstance(document, dict) or not statements(document):
        raise MalformedPolicy("the policy has no Statement")
    for statement in statements(document):
        if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
            raise MalformedPolicy("a statement's Effect must be Allow or Deny")
    return document


def statements(policy: Policy) -> list[Any]:
    """Its statements; a single one may stand without a list."""
    found = policy.get("Statement") or []
    return list(found) if isinstance(found, list) else [found]


def allows(policy: Policy, question: Question) -> bool:
    """Whether the policy by itself allows what is asked."""
    found = [each for each in statements(policy) if isinstance(each, dict)]
    if any(each.get("Effect") == "Deny" and _applies(each, question, unknown=True) for each in found):
        return False
    return any(each.get("Effect") == "Allow" and _applies(each, question, unknown=False) for each in found)


def _applies(statement: Statement, question: Question, *, unknown: bool) -> bool:
    return (
        _principal(statement, question)
        and _element(statement, "Action", question.action, fold=True)
        and _element(statement, "Resource", question.resource, fold=False)
        and _conditions(statement.get("Condition") or {}, question.context, unknown=unknown)
    )


def _element(statement: Statement, name: str, value: str, *, fold: bool) -> bool:
    """Whether Action or Resource, or what NotAction or NotResource leaves over, takes in the value."""
    if f"Not{name}" in statement:
        return not _any_like(texts(statement[f"Not{name}"]), value, fold=fold)
    return _any_like(texts(statement.get(name)), value, fold=fold)


def texts(value: Any) -> list[str]:
    """One text or a list of them, as policies write both."""
    return [str(each) for each in value] if isinstance(value, list) else [] if value is None else [str(value)]


# ---- principals ----


def _principal(statement: Statement, question: Question) -> bool:
    if "NotPrincipal" in statement:
        return not _is_among(statement["NotPrincipal"], question)
    return _is_among(statement.get("Principal"), question)


def _is_among(named: Any, question: Question) -> bool:
    if named == "*":
        return True
    if not isinstance(named, dict):
        return False
    if question.service:
        return question.service in texts(named.get("Service")) or "*" in texts(named.get("AWS"))
    return any(_is_principal(each, question.principal_arn) for each in texts(named.get("AWS")))


def _is_principal(named: str, arn: str) -> bool:
    """A whole ARN, an account (as number or root ARN) that it belongs to, or everybody."""
    account = arn.split(":")[4] if arn.count(":") >= 5 else ""
    return named in ("*", arn, account) or (bool(account) and named == f"arn:aws:iam::{account}:root")


# ---- conditions ----


def _conditions(conditions: Any, context: Context, *, unknown: bool) -> bool:
    if not isinstance(conditions, dict):
        return unknown
    folded = {key.lower(): value for key, value in context.items()}
    return all(
        _condition(operator, texts(wanted), folded.get(key.lower()), unknown=unknown)
        for operator, keys in conditions.items()
        for key, wanted in (keys.items() if isinstance(keys, dict) else [("", None)])
    )


def _condition(operator: str, wanted: Sequence[str], held: str | Sequence[str] | None, *, unknown: bool) -> bool:
    quantifier, _, plain = operator.rpartition(":")
    if_exists, name = plain.endswith("IfExists"), plain.removesuffix("IfExists")
    if name == "Null":
        return any((held is None) is (each.lower() == "true") for each in wanted)
    negated = name in NEGATIONS
    test = TESTS.get(NEGATIONS.get(name, name))
    if test is None:
        return unknown
    if held is None:
        return if_exists or negated or quantifier == "ForAllValues"
    values = [held] if isinstance(held, str) else list(held)
    return _quantified(
        quantifier, values, lambda value: any(_safely(test, value, each) for each in wanted) is not negated
    )


def _quantified(quantifier: str, values: Iterable[str], holds: Callable[[str], bool]) -> bool:
    return all(map(holds, values)) if quantifier == "ForAllValues" else any(map(holds, values))


def _safely(test: Callable[[str, str], bool], held: str, wanted: str) -> bool:
    """A test of numbers, dates or addresses over a text that is none does not hold."""
    try:
        return test(held, wanted)
    except (ValueError, TypeError):
        return False


def _any_like(patterns: Iterable[str], value: str, *, fold: bool) -> bool:
    if fold:
        return any(_like(value.lower(), pattern.lower()) for pattern in patterns)
    return any(_like(value, pattern) for pattern in patterns)


def _like(value: str, pattern: str) -> bool:
    """`*` is any run of characters and `?` any one. Greedy with one point to come back to: never worse than n x m."""
    at = star = place = 0
    retry = -1
    while at < len(value):
        if place < len(pattern) and pattern[place] == "*":
            star, retry, place = place, at, place + 1
        elif place < len(pattern) and pattern[place] in ("?", value[at]):
            at, place = at + 1, place + 1
        elif retry >= 0:
            retry += 1
            at, place = retry, star + 1
        else:
            return False
    return not pattern[place:].strip("*")


def _arn_like(value: str, pattern: str) -> bool:
    """Six parts, each matched by itself, so that a star does not reach over a colon (but in the last)."""
    held, wanted = value.split(":", 5), pattern.split(":", 5)
    return len(held) == len(wanted) == 6 and all(map(_like, held, wanted))


def _moment(text: str) -> datetime:
    if text.isdigit():
        return datetime.fromtimestamp(int(text), UTC)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _in_network(address: str, network: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)


TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda held, wanted: held == wanted,
    "StringEqualsIgnoreCase": lambda held, wanted: held.lower() == wanted.lower(),
    "StringLike": _like,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": lambda held, wanted: held.lower() == wanted.lower(),
    "BinaryEquals": lambda held, wanted: held == wanted,
    "NumericEquals": lambda held, wanted: float(held) == float(wanted),
    "NumericLessThan": lambda held, wanted: float(held) < float(wanted),
    "NumericLessThanEquals": lambda held, wanted: float(held) <= float(wanted),
    "NumericGreaterThan": lambda held, wanted: float(held) > float(wanted),
    "NumericGreaterThanEquals": lambda held, wanted: float(held) >= float(wanted),
    "DateEquals": lambda held, wanted: _moment(held) == _moment(wanted),
    "DateLessThan": lambda held, wanted: _moment(held) < _moment(wanted),
    "DateLessThanEquals": lambda held, wanted: _moment(held) <= _moment(wanted),
    "DateGreaterThan": lambda held, wanted: _moment(held) > _moment(wanted),
    "DateGreaterThanEquals": lambda held, wanted: _moment(held) >= _moment(wanted),
    "IpAddress": _in_network,
}
"""Condition operators: whether what is held meets what is wanted."""

NEGATIONS: Mapping[str, str] = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
}
