"""The rule of a composite alarm: states of other alarms joined by AND, OR and NOT.

CloudWatch API reference, PutCompositeAlarm, "AlarmRule". NOT binds before AND, AND before OR. An alarm that is not
there is in no state.
"""

import re
from collections.abc import Callable, Sequence

RULE_CHARACTERS_MAX = 10_240
CHILDREN_MAX = 100
DEPTH_MAX = 50

TOKEN = re.compile(
    r"\s*(?:(?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|'(?P<single>[^']*)'|(?P<bare>[^()\s\"']+))\s*\)"
    r"|(?P<word>AND|OR|NOT|TRUE|FALSE|\(|\)))\s*"
)

StateOf = Callable[[str], str | None]
Rule = Callable[[StateOf], bool]


class MalformedRule(ValueError):
    """No rule; the message says what was expected."""


class _Reading:
    def __init__(self, text: str) -> None:
        if len(text) > RULE_CHARACTERS_MAX:
            raise MalformedRule(f"an alarm rule has at most {RULE_CHARACTERS_MAX} characters; found {len(text)}")
        self.tokens: list[re.Match[str]] = []
        self.place = 0
        self.names: list[str] = []
        start = 0
        while start < len(text):
            token = TOKEN.match(text, start)
            if token is None:
                raise MalformedRule(
                    f"expected ALARM(…), OK(…), INSUFFICIENT_DATA(…), AND, OR or NOT; found {text[start:]!r}"
                )
            self.tokens.append(token)
            start = token.end()

    def word(self) -> str | None:
        return self.tokens[self.place]["word"] if self.place < len(self.tokens) else None

    def skips(self, word: str) -> bool:
        found = self.word() == word
        self.place += found
        return found


def read_rule(text: str) -> tuple[Rule, Sequence[str]]:
    """The rule, and the names or ARNs of the alarms that it looks at."""
    reading = _Reading(text)
    rule = _either(reading, 0)
    if reading.place < len(reading.tokens):
        raise MalformedRule(f"expected nothing more; found {reading.tokens[reading.place].group().strip()!r}")
    if len(set(reading.names)) > CHILDREN_MAX:
        raise MalformedRule(f"an alarm rule names at most {CHILDREN_MAX} alarms")
    return rule, reading.names


def _either(reading: _Reading, depth: int) -> Rule:
    parts = [_both(reading, depth)]
    while reading.skips("OR"):
        parts.append(_both(reading, depth))
    return lambda state_of: any(part(state_of) for part in parts)


def _both(reading: _Reading, depth: int) -> Rule:
    parts = [_single(reading, depth)]
    while reading.skips("AND"):
        parts.append(_single(reading, depth))
    return lambda state_of: all(part(state_of) for part in parts)


def _single(reading: _Reading, depth: int) -> Rule:
    if depth > DEPTH_MAX:
        raise MalformedRule(f"expected at most {DEPTH_MAX} parentheses or NOTs within one another")
    if reading.skips("NOT"):
        inner = _single(reading, depth + 1)
        return lambda state_of: not inner(state_of)
    if reading.skips("("):
        inner = _either(reading, depth + 1)
        if not reading.skips(")"):
            raise MalformedRule("expected ')'")
        return inner
    for word, value in (("TRUE", True), ("FALSE", False)):
        if reading.skips(word):
            return lambda _state_of, value=value: value  # type: ignore[misc]
    return _state(reading)


def _state(reading: _Reading) -> Rule:
    token = reading.tokens[reading.place] if reading.place < len(reading.tokens) else None
    if token is None or token["state"] is None:
        raise MalformedRule(f"expected the state of an alarm; found {token.group().strip() if token else 'the end'!r}")
    reading.place += 1
    quoted = token["quoted"]
    name = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else token["single"] or token["bare"]
    wanted = token["state"]
    name = name_of(name)
    reading.names.append(name)
    return lambda state_of: state_of(name) == wanted


def name_of(text: str) -> str:
    """The alarm's name in its ARN, or the name itself."""
    return text.split(":alarm:", 1)[1] if text.startswith("arn:") and ":alarm:" in text else text
