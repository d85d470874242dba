"""What an event pattern says of one value: exact values and the operators, read from JSON with AWS's refusals.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html

Texts and numbers never equal one another; numbers are equal by value (300 and 3.0e2). What is negated still needs a
value: only `exists: false` is true of a field that is not there.
"""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Test: TypeAlias = Callable[[Any], bool]
Operator: TypeAlias = Callable[[Any], "Comparison"]


class BadPattern(ValueError):
    """The pattern cannot be understood; the message is AWS's reason."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a field may hold. Equal ones compare equal, so that an index need ask each but once."""

    exact: frozenset[Any] = frozenset()
    """Values as `token` makes them."""
    prefixes: frozenset[str] = frozenset()
    tests: tuple[Test, ...] = ()
    takes_absent: bool = False
    takes_any: bool = False
    written: str = ""
    """The pattern's own text, which the tests follow from; they are not compared."""

    def takes(self, value: Any) -> bool:
        """Whether one value that is there fits."""
        if self.takes_any or token(value) in self.exact:
            return True
        if self.prefixes and isinstance(value, str) and any(map(value.startswith, self.prefixes)):
            return True
        return any(test(value) for test in self.tests)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Comparison) and self.written == other.written

    def __hash__(self) -> int:
        return hash(self.written)


def token(value: Any) -> Any:
    """A value as a key: texts, numbers, truths and null are never one another's equal."""
    return (value,) if value is None or value is True or value is False else value


def read_comparison(alternatives: Sequence[Any], written: str) -> Comparison:
    """The comparison that a list of alternatives makes; BadPattern."""
    if not alternatives:
        raise BadPattern("Empty arrays are not allowed")
    read = [_alternative(each) for each in alternatives]
    return Comparison(
        exact=frozenset().union(*(each.exact for each in read)),
        prefixes=frozenset().union(*(each.prefixes for each in read)),
        tests=tuple(test for each in read for test in each.tests),
        takes_absent=any(each.takes_absent for each in read),
        takes_any=any(each.takes_any for each in read),
        written=written,
    )


def _alternative(given: Any) -> Comparison:
    if isinstance(given, list):
        raise BadPattern("Match value must be String, number, true, false, or null")
    if not isinstance(given, dict):
        return Comparison(exact=frozenset({token(given)}))
    if not given:
        raise BadPattern("Match expression name not found")
    name, value = next(iter(given.items()))
    operator = OPERATORS.get(name)
    if operator is None:
        raise BadPattern(f"Unrecognized match type {name}")
    read = operator(value)
    if len(given) > 1:
        raise BadPattern(_TOO_MANY if name in ("numeric", "anything-but") else _ONE_KEY)
    return read


_ONE_KEY = "Only one key allowed in match expression"
_TOO_MANY = "Too many elements in numeric expression"


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise BadPattern(f"{name} match pattern must be a string")
    return value


def _exactly(value: Any) -> Comparison:
    return Comparison(exact=frozenset({_text(value, "exact")}))


def _prefix(value: Any) -> Comparison:
    if isinstance(value, dict):
        start = _ignoring_case(value, "prefix").casefold()
        return Comparison(tests=(lambda held: isinstance(held, str) and held.casefold().startswith(start),))
    return Comparison(prefixes=frozenset({_text(value, "prefix")}))


def _suffix(value: Any) -> Comparison:
    if isinstance(value, dict):
        folded = _ignoring_case(value, "suffix").casefold()
        return Comparison(tests=(lambda held: isinstance(held, str) and held.casefold().endswith(folded),))
    end = _text(value, "suffix")
    return Comparison(tests=(lambda held: isinstance(held, str) and held.endswith(end),))


def _ignoring_case(given: Mapping[str, Any], name: str) -> str:
    """The text in `{"prefix": {"equals-ignore-case": TEXT}}`."""
    if not given:
        raise BadPattern(f"{name.capitalize()} expression name not found")
    inner, value = next(iter(given.items()))
    if inner != "equals-ignore-case":
        raise BadPattern(f"Unsupported {name} pattern: {inner}")
    if len(given) > 1:
        raise BadPattern(_ONE_KEY)
    return _text(value, "equals-ignore-case")


def _equals_ignore_case(value: Any) -> Comparison:
    folded = _text(value, "equals-ignore-case").casefold()
    return Comparison(tests=(lambda held: isinstance(held, str) and held.casefold() == folded,))


def _wildcard(value: Any) -> Comparison:
    fits = wildcard(_text(value, "wildcard"))
    return Comparison(tests=(lambda held: isinstance(held, str) and fits(held),))


def _exists(value: Any) -> Comparison:
    if not isinstance(value, bool):
        raise BadPattern("exists match pattern must be either true or false.")
    return Comparison(takes_any=value, takes_absent=not value)


def _cidr(value: Any) -> Comparison:
    # The name in this refusal is AWS's own slip.
    network = _network(_text(value, "prefix"))

    def test(held: Any) -> bool:
        try:
            return isinstance(held, str) and ipaddress.ip_address(held) in network
        except ValueError:
            return False

    return Comparison(tests=(test,))


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    address, *masks = text.split("/")
    if len(masks) != 1:
        raise BadPattern("Malformed CIDR, one '/' required")
    try:
        bits = int(masks[0])
    except ValueError:
        raise BadPattern("Malformed CIDR, mask bits must be an integer") from None
    if bits < 0:
        raise BadPattern("Malformed CIDR, mask bits must not be negative")
    try:
        host = ipaddress.ip_address(address)
    except ValueError:
        raise BadPattern(f"Malformed IP address: {address}") from None
    if bits >= host.max_prefixlen:
        raise BadPattern(f"IPv{host.version} mask bits must be < {host.max_prefixlen}")
    return ipaddress.ip_network(f"{address}/{bits}", strict=False)


# ---- numeric ----

_COMPARES: Mapping[str, Callable[[float, float], bool]] = {
    "=": lambda held, bound: held == bound,
    "<": lambda held, bound: held < bound,
    "<=": lambda held, bound: held <= bound,
    ">": lambda held, bound: held > bound,
    ">=": lambda held, bound: held >= bound,
}
NUMBER_MAX = 5e9
"""Numbers beyond it, on either side of zero, are not compared."""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numeric(given: Any) -> Comparison:
    if not isinstance(given, list):
        raise BadPattern("Value of numeric must be an array.")
    if not given or not isinstance(given[0], str):
        raise BadPattern(f"Invalid member in numeric match: {given[0] if given else ']'}")
    bounds = [_bound(given, 0)]
    if len(given) > 2:
        if given[0] not in (">", ">="):
            raise BadPattern(_TOO_MANY)
        bounds.append(_upper(given))
        if bounds[1][1] <= bounds[0][1]:
            raise BadPattern("Bottom must be less than top")
    tests = [(_COMPARES[name], bound) for name, bound in bounds]
    return Comparison(tests=(lambda held: _is_number(held) and all(fits(held, bound) for fits, bound in tests),))


def _upper(given: Sequence[Any]) -> tuple[str, float]:
    """The second half of a range."""
    if not isinstance(given[2], str):
        raise BadPattern(f"Bad value in numeric range: {given[2]}")
    if given[2] not in ("<", "<="):
        raise BadPattern(f"Bad numeric range operator: {given[2]}")
    found = _bound(given, 2)
    if len(given) > 4:
        raise BadPattern("Too many terms in numeric range expression")
    return found


def _bound(given: Sequence[Any], at: int) -> tuple[str, float]:
    name = given[at]
    if name not in _COMPARES:
        raise BadPattern(f"Unrecognized numeric range operator: {name}")
    value = given[at + 1] if at + 1 < len(given) else None
    if not _is_number(value):
        raise BadPattern(f"Value of {'equals' if name == '=' else name} must be numeric")
    return name, _comparable(value)


def _comparable(value: Any) -> Any:
    if not -NUMBER_MAX <= value <= NUMBER_MAX:
        raise BadPattern(f"Cannot compare number : {value}")
    return value


# ---- anything-but ----


def _anything_but(given: Any) -> Comparison:
    inner = _but_operator(given) if isinstance(given, dict) else _but_values(given)
    return Comparison(tests=(lambda held: not inner.takes(held),))


def _but_values(given: Any) -> Comparison:
    values = given if isinstance(given, list) else [given]
    kinds = {"number" if _is_number(each) else type(each).__name__ for each in values}
    if not isinstance(given, list) and not kinds <= {"str", "number"}:
        raise BadPattern("Value of anything-but must be an array or single string/number value.")
    if not kinds <= {"str", "number"}:
        raise BadPattern("Inside anything but list, start|null|boolean is not supported.")
    if len(kinds) != 1:
        raise BadPattern(
            "Inside anything but list, either all values are number or string, mixed type is not supported"
        )
    return Comparison(exact=frozenset(map(token, values)))


_BUT_REFUSALS = {
    "prefix": "prefix/suffix match pattern must be a string",
    "suffix": "prefix/suffix match pattern must be a string",
    "equals-ignore-case": ("Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."),
    "wildcard": "wildcard match pattern must be a string",
}


def _but_operator(given: Mapping[str, Any]) -> Comparison:
    """One operator over a text or a list of them."""
    if not given:
        raise BadPattern("Anything-But expression name not found")
    name, value = next(iter(given.items()))
    if name not in _BUT_REFUSALS:
        raise BadPattern(f"Unsupported anything-but pattern: {name}")
    if len(given) > 1:
        raise BadPattern(_TOO_MANY)
    texts = value if isinstance(value, list) else [value]
    if not texts or not all(isinstance(each, str) for each in texts):
        raise BadPattern(_BUT_REFUSALS[name])
    if not all(texts) and name in ("prefix", "suffix"):
        raise BadPattern("Null prefix/suffix not allowed")
    read = [OPERATORS[name](each) for each in texts]
    return Comparison(
        prefixes=frozenset().union(*(each.prefixes for each in read)),
        tests=tuple(test for each in read for test in each.tests),
    )


# ---- wildcard ----


def wildcard(pattern: str) -> Callable[[str], bool]:
    r"""The test that a text fits: `*` stands for anything, `\*` and `\\` for themselves. Its time grows with the text
    and the pattern, never with their product of choices."""
    first, *others = _literals(pattern)
    if not others:
        return lambda text: text == first
    *middle, last = others

    def fits(text: str) -> bool:
        if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
            return False
        at, end = len(first), len(text) - len(last)
        for part in middle:
            at = text.find(part, at, end)
            if at < 0:
                return False
            at += len(part)
        return True

    return fits


def _literals(pattern: str) -> list[str]:
    """What stands between the wildcards; positions in refusals count the quote before the text, in bytes."""
    parts, at = [""], 0
    while at < len(pattern):
        sign, following = pattern[at], pattern[at + 1 : at + 2]
        if sign == "*" and following == "*":
            raise BadPattern(f"Consecutive wildcard characters at pos {len(pattern[:at].encode()) + 1}")
        if sign == "\\" and following not in ("*", "\\"):
            raise BadPattern(f"Invalid escape character at pos {len(pattern[:at].encode()) + 1}")
        if sign == "*":
            parts.append("")
        elif sign == "\\":
            parts[-1] += following
            at += 1
        else:
            parts[-1] += sign
        at += 1
    return parts


OPERATORS: Mapping[str, Operator] = {
    "anything-but": _anything_but,
    "cidr": _cidr,
    "equals-ignore-case": _equals_ignore_case,
    "exactly": _exactly,
    "exists": _exists,
    "numeric": _numeric,
    "prefix": _prefix,
    "suffix": _suffix,
    "wildcard": _wildcard,
}
