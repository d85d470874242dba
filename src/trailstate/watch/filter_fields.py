"""Fields between spaces: a name for each, `...` for any number of them, and conditions on their text or number.

CloudWatch Logs user guide, "Match terms in space-delimited log events". What stands in brackets or quotation marks is
one field. Without `...` a message must have exactly as many fields as the pattern names.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trailstate.watch.filter_text import COMPARISONS, MalformedPattern, number, regex, unescaped, wildcard

FIELD = re.compile(r'\[([^\]]*)\]|"([^"]*)"|(\S+)')
PIECE = re.compile(
    r'\s*(?:(?P<op>&&|\|\||!=|<=|>=|=|<|>)|"(?P<quoted>(?:[^"\\]|\\.)*)"|%(?P<regex>(?:[^%\\]|\\.)*)%'
    r"|(?P<word>(?:[^\s,\]\"%=<>!&|]|!(?!=)|&(?!&)|\|(?!\|))+))\s*"
)
REGEXES_MAX = 2

Test = Callable[[str], bool]


def split(text: str) -> Sequence[str]:
    """The fields of a message."""
    return [first or second or third for first, second, third in FIELD.findall(text)]


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    test: Test | None


@dataclass(frozen=True, slots=True)
class Fields:
    """Fields before and after an ellipsis; `after` is None where there is none."""

    before: Sequence[Field]
    after: Sequence[Field] | None

    def placed(self, found: Sequence[str]) -> Sequence[tuple[Field, str]] | None:
        """Each field with its text; None when there are too few or too many."""
        after = self.after or ()
        needed = len(self.before) + len(after)
        if len(found) < needed or (self.after is None and len(found) != needed):
            return None
        last = found[len(found) - len(after) :]
        return [*zip(self.before, found, strict=False), *zip(after, last, strict=True)]

    def match(self, found: Sequence[str]) -> bool:
        placed = self.placed(found)
        return placed is not None and all(field.test is None or field.test(text) for field, text in placed)

    def named(self, found: Sequence[str]) -> dict[str, str]:
        return {field.name: text for field, text in self.placed(found) or ()}


def read_fields(text: str) -> Fields:
    """Read `[a, b = 1, ...]`."""
    if not text.endswith("]"):
        raise MalformedPattern(f"expected ']' at the end; found {text[-20:]!r}")
    sides: list[list[Field]] = [[]]
    regexes = 0
    for part in _parts(text[1:-1]):
        if part.strip() == "...":
            sides.append([])
            continue
        regexes += part.count("%") // 2
        sides[-1].append(_field(part))
    if len(sides) > 2:
        raise MalformedPattern("expected at most one '...'")
    if regexes > REGEXES_MAX:
        raise MalformedPattern(f"expected at most {REGEXES_MAX} expressions between %; found {regexes}")
    return Fields(sides[0], sides[1] if len(sides) == 2 else None)


def _parts(text: str) -> Sequence[str]:
    """The pattern between its commas, those in quotation marks and expressions aside."""
    found = re.findall(r'((?:[^,"%]|"(?:[^"\\]|\\.)*"|%(?:[^%\\]|\\.)*%)+)(?:,|$)', text)
    if ",".join(found) != text.rstrip(","):
        raise MalformedPattern(f"expected names between commas; found [{text}]")
    return found


def _field(part: str) -> Field:
    pieces = _pieces(part)
    name = pieces[0]["word"]
    if name is None:
        raise MalformedPattern(f"expected the name of a field; found {part.strip()!r}")
    if len(pieces) == 1:
        return Field(name, None)
    return Field(name, _conditions(name, pieces, part))


def _pieces(part: str) -> Sequence["re.Match[str]"]:
    found: list[re.Match[str]] = []
    place = 0
    while place < len(part):
        piece = PIECE.match(part, place)
        if piece is None:
            raise MalformedPattern(f"expected a condition; found {part[place:]!r}")
        found.append(piece)
        place = piece.end()
    if not found:
        raise MalformedPattern("expected the name of a field; found nothing")
    return found


def _conditions(name: str, pieces: Sequence["re.Match[str]"], part: str) -> Test:
    """`name op value` joined by && and ||, of which && binds first."""
    alternatives: list[list[Test]] = [[]]
    for first in range(0, len(pieces), 4):
        subject, sign, value, *rest = [*pieces[first : first + 4], None, None][:4]
        if subject is None or sign is None or value is None or subject["word"] != name or sign["op"] not in COMPARISONS:
            raise MalformedPattern(f"expected '{name} = value' and the like; found {part.strip()!r}")
        alternatives[-1].append(_comparison(sign["op"], value, part))
        joint = rest[0] if rest else None
        if joint is not None and joint["op"] == "||":
            alternatives.append([])
        elif joint is not None and joint["op"] != "&&":
            raise MalformedPattern(f"expected && or ||; found {part.strip()!r}")
    if not alternatives[-1] or (len(pieces) % 4 == 0):
        raise MalformedPattern(f"expected a condition at the end of {part.strip()!r}")
    return lambda text: any(all(test(text) for test in tests) for tests in alternatives)


def _comparison(sign: str, value: "re.Match[str]", part: str) -> Test:
    compare = COMPARISONS[sign]
    if sign in ("=", "!="):
        same = _same(value)
        return same if sign == "=" else lambda text: not same(text)
    wanted = number(value["word"] or "")
    if wanted is None:
        raise MalformedPattern(f"expected a number behind {sign}; found {part.strip()!r}")

    def compares(text: str) -> bool:
        found = number(text)
        return found is not None and compare(found, wanted)

    return compares


def _same(value: "re.Match[str]") -> Test:
    if value["regex"] is not None:
        return regex(value["regex"])
    if value["quoted"] is not None:
        return wildcard(unescaped(value["quoted"]))
    if value["word"] is None:
        raise MalformedPattern(f"expected a value; found {value.group().strip()!r}")
    wanted, same = number(value["word"]), wildcard(value["word"])
    if wanted is None:
        return same
    return lambda text: same(text) or number(text) == wanted
