"""The words of an advanced query, each with its place in the text."""

import re
from dataclasses import dataclass


class InvalidExpression(Exception):
    """The query is not one; the message says where and why."""


NAME, TEXT, NUMBER, SIGN, END = "name", "text", "number", "sign", "end"

_WORD = re.compile(
    r"\s*(?:"
    r"(?P<name>[A-Za-z_][\w-]*(?:\.[\w-]+)*)"
    r"|(?P<text>'(?:[^']|'')*')"
    r"|(?P<number>[-+]?\d+(?:\.\d+)?(?![\w.]))"
    r"|(?P<sign>!=|<=|>=|[=<>(),*])"
    r"|(?P<end>\Z))"
)


@dataclass(frozen=True, slots=True)
class Word:
    kind: str
    text: str
    """As it was written; of a text, what stands between its quotes."""
    line: int
    column: int

    @property
    def keyword(self) -> str:
        """In upper case, if it can be a keyword."""
        return self.text.upper() if self.kind == NAME else ""

    @property
    def shown(self) -> str:
        return "the end of the query" if self.kind == END else f"'{self.text}'"


def words(expression: str) -> list[Word]:
    """The words in order; the last is an END."""
    found: list[Word] = []
    position = 0
    while not found or found[-1].kind != END:
        match = _WORD.match(expression, position)
        if match is None:
            position += len(expression[position:]) - len(expression[position:].lstrip())
            line, column = _place(expression, position)
            raise InvalidExpression(
                f"syntax error at line {line}, column {column}: found {expression[position]!r}, which begins no word of"
                " the language"
            )
        kind = str(match.lastgroup)
        text = match[kind]
        line, column = _place(expression, match.start(kind))
        found.append(Word(kind, text[1:-1].replace("''", "'") if kind == TEXT else text, line, column))
        position = match.end()
    return found


def _place(expression: str, position: int) -> tuple[int, int]:
    before = expression[:position]
    return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1
