"""The grammar of advanced queries, by recursive descent, with its refusals.

query      = SELECT (`*` | term, ...) [WHERE any] [GROUP BY property, ...] [ORDER BY term [ASC | DESC], ...]
any        = all {OR all}            all  = one {AND one}
one        = NOT one | `(` any `)` | property test
test       = (`=` | `!=` | `<` | `>` | `<=` | `>=`) value | [NOT] IN `(` value, ... `)`
           | [NOT] BETWEEN value AND value | [NOT] LIKE text
term       = property | (AVG | COUNT | MAX | MIN | SUM) `(` (property | `*`) `)`
"""

from collections.abc import Callable
from typing import Any, TypeVar

from trailstate.configuration.query.hold import hold, pattern
from trailstate.configuration.query.lex import END, NAME, NUMBER, TEXT, InvalidExpression, Word, words
from trailstate.configuration.query.tree import (
    Aggregate,
    And,
    Between,
    Compare,
    Condition,
    Not,
    OneOf,
    Or,
    Order,
    Property,
    Query,
    Term,
    Value,
)

FUNCTIONS = ("AVG", "COUNT", "MAX", "MIN", "SUM")
UNSUPPORTED = ("ALL", "AS", "CASE", "DISTINCT", "FROM", "HAVING", "JOIN", "LIMIT", "NULL", "UNION")
RESERVED = (
    *("SELECT", "WHERE", "GROUP", "ORDER", "BY", "ASC", "DESC", "AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "IS"),
    *UNSUPPORTED,
)
COMPARISONS = ("=", "!=", "<", ">", "<=", ">=")
BOOLEANS = {"TRUE": True, "FALSE": False}
DEPTH_MAX = 50
"""How deep parentheses and NOT may stand in one another."""

Thing = TypeVar("Thing")


def parse(expression: str) -> Query:
    """The query that the text says; InvalidExpression when it says none, or one that is not supported."""
    query = _Parser(words(expression)).query()
    hold(query)
    return query


class _Parser:
    """Goes through the words, one after the other."""

    def __init__(self, found: list[Word]) -> None:
        self._words = found
        self._next = 0
        self._depth = 0

    def query(self) -> Query:
        self._expect("SELECT")
        select = () if self._takes_sign("*") else tuple(self._list(self._term))
        where = self._any() if self._takes("WHERE") else None
        group = tuple(self._list(self._property)) if self._takes("GROUP", "BY") else ()
        order = tuple(self._list(self._order)) if self._takes("ORDER", "BY") else ()
        if self._word.kind != END:
            raise self._error("the end of the query")
        return Query(select, where, group, order)

    # ---- conditions ----

    def _any(self) -> Condition:
        found = [self._all()]
        while self._takes("OR"):
            found.append(self._all())
        return found[0] if len(found) == 1 else Or(tuple(found))

    def _all(self) -> Condition:
        found = [self._one()]
        while self._takes("AND"):
            found.append(self._one())
        return found[0] if len(found) == 1 else And(tuple(found))

    def _one(self) -> Condition:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise InvalidExpression(f"The conditions stand deeper than {DEPTH_MAX} levels in one another.")
        found = self._nested()
        self._depth -= 1
        return found

    def _nested(self) -> Condition:
        if self._takes("NOT"):
            return Not(self._one())
        if self._takes_sign("("):
            found = self._any()
            self._expect_sign(")")
            return found
        return self._test(self._property())

    def _test(self, tested: Property) -> Condition:
        word = self._word
        if word.text in COMPARISONS and word.kind not in (NAME, TEXT):
            self._next += 1
            if word.text == "!=":
                return Not(Compare(tested, "=", self._value()))
            return Compare(tested, word.text, self._value())
        negated = self._takes("NOT")
        made = self._named_test(tested)
        return Not(made) if negated else made

    def _named_test(self, tested: Property) -> Condition:
        if self._takes("IN"):
            self._expect_sign("(")
            values = tuple(self._list(self._value))
            self._expect_sign(")")
            return OneOf(tested, values)
        if self._takes("BETWEEN"):
            low = self._value()
            self._expect("AND")
            return Between(tested, low, self._value())
        if self._takes("LIKE"):
            return pattern(tested, self._text())
        raise self._error("=, !=, <, >, <=, >=, IN, BETWEEN or LIKE")

    # ---- terms and values ----

    def _term(self) -> Term:
        function = self._word.keyword
        if function in FUNCTIONS and self._words[self._next + 1].text == "(":
            self._next += 2
            argument = None if self._takes_sign("*") else self._argument(function)
            if argument is None and function != "COUNT":
                raise InvalidExpression(f"{function} takes a property; only COUNT takes *.")
            self._expect_sign(")")
            return Aggregate(function, argument)
        return self._property()

    def _argument(self, function: str) -> Property:
        if self._word.keyword in FUNCTIONS and self._words[self._next + 1].text == "(":
            raise InvalidExpression(f"{function} takes a property, and no other function as its argument.")
        found = self._property()
        if self._word.text == ",":
            raise InvalidExpression(f"{function} takes one property.")
        return found

    def _order(self) -> Order:
        term = self._term()
        if self._takes("DESC"):
            return Order(term, descends=True)
        self._takes("ASC")
        return Order(term, descends=False)

    def _property(self) -> Property:
        word = self._word
        if word.kind != NAME or word.keyword in RESERVED:
            raise self._error("a property")
        self._next += 1
        return Property(tuple(word.text.split(".")))

    def _value(self) -> Value:
        word = self._word
        if word.kind == TEXT:
            self._next += 1
            return word.text
        if word.kind == NUMBER:
            self._next += 1
            return float(word.text) if "." in word.text else int(word.text)
        if word.keyword in BOOLEANS:
            self._next += 1
            return BOOLEANS[word.keyword]
        raise self._error("a text in single quotes, a number, true or false")

    def _text(self) -> str:
        if self._word.kind != TEXT:
            raise self._error("a text in single quotes")
        self._next += 1
        return self._words[self._next - 1].text

    # ---- words ----

    @property
    def _word(self) -> Word:
        return self._words[self._next]

    def _list(self, one: Callable[[], Thing]) -> list[Thing]:
        found = [one()]
        while self._takes_sign(","):
            found.append(one())
        return found

    def _takes(self, *keywords: str) -> bool:
        """Whether these come next; then they are passed."""
        if self._word.keyword != keywords[0]:
            return False
        self._next += 1
        for each in keywords[1:]:
            self._expect(each)
        return True

    def _takes_sign(self, sign: str) -> bool:
        if self._word.kind == TEXT or self._word.text != sign:
            return False
        self._next += 1
        return True

    def _expect(self, keyword: str) -> None:
        if not self._takes(keyword):
            raise self._error(keyword)

    def _expect_sign(self, sign: str) -> None:
        if not self._takes_sign(sign):
            raise self._error(f"'{sign}'")

    def _error(self, wanted: str) -> InvalidExpression:
        word: Any = self._word
        why = f"; {word.keyword} is not supported" if word.keyword in UNSUPPORTED else ""
        return InvalidExpression(
            f"syntax error at line {word.line}, column {word.column}: expected {wanted}, found {word.shown}{why}"
        )
