"""Policy documents read as statements: who may do what on what (IAM user guide, "IAM JSON policy elements").

What is answered here are questions about one document as it is written: does it let anybody in, does it grant
everything, does it refuse plain HTTP. It is never a decision about a request; that needs every policy that applies.

*Anybody* follows S3's definition of "public" (S3 user guide, "The meaning of public"): a statement that allows every
principal is public unless a condition ties it to fixed values of a key that names a caller or a network. A value with
a wildcard or a policy variable is not fixed; nor is an address range wider than /8 (IPv6: /32), private ones excepted.
"""

import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

_TYING_KEYS = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceorgid",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "kms:calleraccount",
        "lambda:functionurlauthtype",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
        "sns:endpoint",
    }
)
"""Condition keys that name a caller, a network or a place of origin, in lower case as keys compare."""

_PATTERNS_KEPT = 4096


class UnreadablePolicy(ValueError):
    """The document is no policy: not JSON, or not of the shape the policy grammar gives."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; names are kept as written, an element that is absent is an empty tuple."""

    allows: bool
    principals: tuple[tuple[str, str], ...]
    everyone: bool
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_resources: tuple[str, ...]
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]

    def covers_action(self, action: str) -> bool:
        """Whether a request for exactly this action falls under the statement (`*` asks for all actions)."""
        if self.not_actions:
            return not any(matches(pattern, action) for pattern in self.not_actions)
        return any(matches(pattern, action) for pattern in self.actions)

    def covers_resource(self, resource: str) -> bool:
        """Whether this resource falls under the statement; without resources it speaks of the one it is attached to."""
        if self.not_resources:
            return not any(matches(pattern, resource, fold=False) for pattern in self.not_resources)
        return not self.resources or any(matches(pattern, resource, fold=False) for pattern in self.resources)


def statements(document: object) -> tuple[Statement, ...]:
    """The statements of a document: an object, JSON text, or IAM's percent-encoded JSON text; none for none."""
    read = _object(document)
    if read is None:
        return ()
    if not isinstance(read, Mapping) or "Statement" not in read:
        raise UnreadablePolicy('expected a policy document with a "Statement"')
    return tuple(_statement(one) for one in _listed(read["Statement"]))


def matches(pattern: str, name: str, *, fold: bool = True) -> bool:
    """Whether a name falls under a pattern with `*` and `?`; actions compare without regard to case."""
    return _compiled(pattern, fold).fullmatch(name) is not None


def is_open(statement: Statement) -> bool:
    """Whether the statement lets anybody in: allowed, to everyone, tied to no fixed caller or network."""
    return statement.allows and statement.everyone and not any(_ties(*condition) for condition in statement.conditions)


def open_actions(document: Iterable[Statement], actions: Iterable[str]) -> tuple[str, ...]:
    """Those of `actions` that the document lets anybody do; an unconditional refusal to everyone takes them back."""
    read = tuple(document)
    opened = [statement for statement in read if is_open(statement)]
    refused = [one for one in read if not one.allows and one.everyone and not one.conditions and _everything(one)]
    return tuple(
        action
        for action in actions
        if any(one.covers_action(action) for one in opened) and not any(one.covers_action(action) for one in refused)
    )


def is_public(document: Iterable[Statement]) -> bool:
    """Whether the document lets anybody do anything at all."""
    read = tuple(document)
    asked = {action for one in read if is_open(one) for action in one.actions or ("*",)}
    return bool(open_actions(read, sorted(asked)))


def grants_everything(statement: Statement) -> bool:
    """Whether the statement allows every action on every resource: an administrator's statement."""
    return statement.allows and _all_actions(statement) and "*" in statement.resources


def whole_services(statement: Statement) -> tuple[str, ...]:
    """The services of which it allows every action, as its action patterns name them (`s3:*`, or `*` for all)."""
    if not statement.allows:
        return ()
    return tuple(action for action in statement.actions if action == "*" or re.fullmatch(r"[A-Za-z0-9-]+:\*+", action))


def has_condition(statement: Statement, operator: str, key: str, value: str) -> bool:
    """Whether the statement's only condition is this one; another one beside it would narrow what is said."""
    wanted = (operator.lower(), key.lower(), (value.lower(),))
    found = [
        (name.lower(), asked.lower(), tuple(one.lower() for one in values))
        for name, asked, values in statement.conditions
    ]
    return found == [wanted]


def overlaps(first: str, second: str) -> bool:
    """Whether some action falls under both patterns (`kms:*` and `*:Decrypt` share `kms:Decrypt`)."""
    return _overlap(first.lower(), second.lower())


def _statement(given: object) -> Statement:
    if not isinstance(given, Mapping) or given.get("Effect") not in ("Allow", "Deny"):
        raise UnreadablePolicy('expected a statement with "Effect" Allow or Deny')
    principals = _principals(given.get("Principal"))
    return Statement(
        allows=given["Effect"] == "Allow",
        principals=principals,
        everyone="NotPrincipal" in given or any(name == "*" and kind in ("*", "AWS") for kind, name in principals),
        actions=_texts(given.get("Action")),
        not_actions=_texts(given.get("NotAction")),
        resources=_texts(given.get("Resource")),
        not_resources=_texts(given.get("NotResource")),
        conditions=_conditions(given.get("Condition") or {}),
    )


def _object(document: object) -> object:
    if isinstance(document, Sequence) and not isinstance(document, str) and len(document) == 1:
        return _object(document[0])
    if not isinstance(document, str):
        return document
    text = document if document.lstrip().startswith("{") else unquote(document)
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadablePolicy("expected a policy document in JSON") from error


def _principals(given: object) -> tuple[tuple[str, str], ...]:
    if isinstance(given, Mapping):
        return tuple((str(kind), name) for kind, names in given.items() for name in _texts(names))
    return tuple((name, name) for name in _texts(given))


def _conditions(given: object) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    if not isinstance(given, Mapping) or not all(isinstance(keys, Mapping) for keys in given.values()):
        raise UnreadablePolicy('expected "Condition" to map operators to keys')
    return tuple(
        (str(operator), str(key), _texts(values)) for operator, keys in given.items() for key, values in keys.items()
    )


def _texts(given: object) -> tuple[str, ...]:
    return tuple(_text(one) for one in _listed(given))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _listed(given: object) -> Sequence[Any]:
    if given is None:
        return ()
    return given if isinstance(given, Sequence) and not isinstance(given, str) else (given,)


def _all_actions(statement: Statement) -> bool:
    return any(action in ("*", "*:*") for action in statement.actions)


def _everything(statement: Statement) -> bool:
    return not statement.not_resources and (not statement.resources or any("*" in one for one in statement.resources))


def _ties(operator: str, key: str, values: tuple[str, ...]) -> bool:
    """Whether a condition ties the statement to fixed values; one that also passes when its key is absent does not."""
    quantifier, _, plain = operator.lower().rpartition(":")
    fixed = _FIXED_BY_OPERATOR.get(plain)
    if fixed is None or quantifier == "forallvalues" or key.lower() not in _TYING_KEYS:
        return False
    return bool(values) and all(fixed(value) for value in values)


def _is_fixed(value: str) -> bool:
    return not any(sign in value for sign in "*?") and "${" not in value


def _is_fixed_arn(value: str) -> bool:
    """An ARN pattern that still names its account or, as buckets do without one, its resource."""
    parts = value.split(":", 5)
    return len(parts) == 6 and (_is_fixed(parts[4]) and (bool(parts[4]) or _is_fixed(parts[5][:1] or "*")))


def _is_narrow(value: str) -> bool:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return network.is_private or network.prefixlen >= (8 if network.version == 4 else 32)


_FIXED_BY_OPERATOR: Mapping[str, Callable[[str], bool]] = {
    "stringequals": _is_fixed,
    "stringequalsignorecase": _is_fixed,
    "stringlike": _is_fixed,
    "arnequals": _is_fixed_arn,
    "arnlike": _is_fixed_arn,
    "ipaddress": _is_narrow,
}


@lru_cache(maxsize=_PATTERNS_KEPT)
def _compiled(pattern: str, fold: bool) -> re.Pattern[str]:
    """The pattern as an expression that never goes back over a part it has found, so no pattern makes it slow."""
    head, *parts = [_literal(part) for part in pattern.split("*")]
    if parts:
        *middle, tail = parts
        head += "".join(f"(?>.*?{part})" for part in middle if part) + ".*" + tail
    return re.compile(head, re.DOTALL | (re.IGNORECASE if fold else 0))


def _literal(part: str) -> str:
    return "".join("." if sign == "?" else re.escape(sign) for sign in part)


def _overlap(first: str, second: str) -> bool:
    """Two patterns meet when some text is read by both: walked together over (place in first, place in second)."""
    seen: set[tuple[int, int]] = set()
    todo = [(0, 0)]
    while todo:
        left, right = place = todo.pop()
        if place in seen:
            continue
        seen.add(place)
        if left == len(first) and right == len(second):
            return True
        todo.extend(_next_places(first, second, left, right))
    return False


def _next_places(first: str, second: str, left: int, right: int) -> list[tuple[int, int]]:
    ahead, behind = first[left : left + 1], second[right : right + 1]
    places = []
    if ahead == "*":
        places += [(left + 1, right)] + ([(left, right + 1)] if behind else [])
    if behind == "*":
        places += [(left, right + 1)] + ([(left + 1, right)] if ahead else [])
    if ahead and behind and "*" not in (ahead, behind) and ("?" in (ahead, behind) or ahead == behind):
        places.append((left + 1, right + 1))
    return places
