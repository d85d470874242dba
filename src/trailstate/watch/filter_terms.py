"""Terms: words and phrases that a message must hold, may hold (`?`), or must not hold (`-`).

CloudWatch Logs user guide, "Match terms in unstructured log events". Case counts. Optional terms count only where every
term is optional: beside others they are passed over.
"""

import re
from collections.abc import Callable

from trailstate.watch.filter_text import MalformedPattern, Message, regex, unescaped

TERM = re.compile(r'(?P<sign>[-?]?)(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|%(?P<regex>(?:[^%\\]|\\.)*)%|(?P<word>[^\s"%]+))')

Holds = Callable[[str], bool]


def read_terms(text: str) -> Callable[[Message], bool]:
    """A test for messages; without any term every message passes."""
    required: list[Holds] = []
    optional: list[Holds] = []
    excluded: list[Holds] = []
    by_sign = {"": required, "?": optional, "-": excluded}
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        found = TERM.match(text, place)
        if found is None:
            raise MalformedPattern(f"expected a term, a quoted phrase or %an expression%; found {text[place:]!r}")
        by_sign[found["sign"]].append(_holds(found))
        place = found.end()
    return _test(required, optional, excluded)


def _holds(found: "re.Match[str]") -> Holds:
    if found["regex"] is not None:
        return regex(found["regex"])
    phrase = found["word"] if found["quoted"] is None else unescaped(found["quoted"])
    return lambda text: phrase in text


def _test(required: list[Holds], optional: list[Holds], excluded: list[Holds]) -> Callable[[Message], bool]:
    if optional and not required and not excluded:
        return lambda message: any(holds(message.text) for holds in optional)

    def test(message: Message) -> bool:
        text = message.text
        return all(holds(text) for holds in required) and not any(holds(text) for holds in excluded)

    return test
