"""Hostile SQL never gets past the gate, and what passes cannot take more than its bounds."""

import contextlib
from collections.abc import Iterator

import pytest
from tests.unit.lake.hostile_sql import statements
from tests.unit.lake.test_engine import Lake as Engined

from trailstate.lake.engine import Bounds, QueryFailed
from trailstate.lake.gate import Refused, TableName, admit, parsed

BUILT_IN = (TableName("", "cloudtrail"), TableName("default", "cloudtrail"))
HOSTILE = tuple(statements("/etc/passwd", "http://127.0.0.1:9"))


def test_there_are_enough_of_them() -> None:
    assert len(set(HOSTILE)) >= 200


def test_none_of_them_is_let_through() -> None:
    let_through = []
    for text in HOSTILE:
        try:
            admit(parsed(text), BUILT_IN.__contains__)
        except Refused:
            continue
        let_through.append(text)
    assert let_through == []


GREEDY = (
    "SELECT lpad('x', 2000000000, 'y')",
    "SELECT count(*) FROM logs a, logs b, UNNEST(sequence(1, 100000)) t(n), UNNEST(sequence(1, 100000)) u(m)",
    "SELECT array_agg(n) FROM UNNEST(sequence(1, 500000000)) t(n)",
    "SELECT levenshtein_distance(lpad('x', 200000, 'y'), lpad('y', 200000, 'x'))",
    "SELECT cardinality(transform(sequence(1, 100000000), x -> lpad('a', 1000, 'b')))",
    "SELECT regexp_like(lpad('a', 1000000, 'a'), '(a|aa)+$')",
    "SELECT " + " UNION ALL SELECT ".join(["max(requestparameters) FROM logs"] * 300),
    "SELECT " + "+".join(["1"] * 5000),
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engined]:
    made = Engined(tmp_path_factory.mktemp("lake"))
    yield made
    made.engine.close()


@pytest.mark.parametrize("text", GREEDY, ids=range(len(GREEDY)))
def test_what_wants_too_much_is_answered_or_ended_and_the_next_question_is_served(engine: Engined, text: str) -> None:
    with contextlib.suppress(QueryFailed, Refused):
        engine.ask(text, bounds=Bounds(seconds=3.0, memory_mib=256))
    assert engine.ask("SELECT count(*) n FROM logs") == [{"n": 3}]
