"""The postings of a segment: the same rows in the same order as somebody finds who looks at every row."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailstate.lake.postings import PART_ROWS_MAX, Hit, NotAnIndex, Part, Postings, Wanted, written

SCOPES = 3
Row = tuple[int, int, tuple[int, ...]]
"""Time, id and keys."""

rows_of_a_day = st.lists(
    st.tuples(
        st.integers(0, 200_000),
        st.integers(0, 40),
        st.lists(st.integers(0, 12), max_size=5, unique=True).map(tuple),
    ),
    max_size=60,
).map(lambda rows: sorted(rows, key=lambda row: row[0]))


def index_of(rows: Sequence[Row]) -> Postings:
    parts: list[Part] = []
    for number, (time, id_, keys) in enumerate(rows):
        if not parts or not parts[-1].has_room(time):
            parts.append(Part(number, time))
        parts[-1].add(time, id_, number % SCOPES, keys, is_listed=True)
    return Postings(written(parts, [("111122223333", str(number)) for number in range(SCOPES)]))


def plain(rows: Sequence[Row], wanted: Wanted, scopes: set[int], first: int, last: int) -> list[Hit]:
    return sorted(
        (
            Hit(time, id_, number)
            for number, (time, id_, keys) in enumerate(rows)
            if set(wanted.keys) <= set(keys)
            and all(id_ == each for each in wanted.ids)
            and (number % SCOPES in scopes or not wanted.keys)
            and first <= time <= last
        ),
        reverse=True,
    )


@settings(max_examples=150, deadline=None)
@given(
    rows=rows_of_a_day,
    wanted=st.builds(
        Wanted,
        st.lists(st.integers(0, 12), max_size=3, unique=True).map(tuple),
        st.lists(st.integers(0, 40), max_size=1).map(tuple),
    ).filter(lambda wanted: wanted.keys or wanted.ids),
    scopes=st.sets(st.integers(0, 2)),
    span=st.tuples(st.integers(-5, 200_005), st.integers(-5, 200_005)).map(sorted),
)
def test_an_index_finds_what_a_scan_finds(rows: list[Row], wanted: Wanted, scopes: set[int], span: list[int]) -> None:
    assert list(index_of(rows).newest(wanted, scopes, *span)) == plain(rows, wanted, scopes, *span)


def test_more_rows_than_a_part_holds_are_one_index() -> None:
    rows = [(number // 2, number, (number % 3,)) for number in range(PART_ROWS_MAX + 10)]

    found = list(index_of(rows).newest(Wanted((1,)), range(SCOPES), 0, 1 << 40))
    assert found == plain(rows, Wanted((1,)), {0, 1, 2}, 0, 1 << 40)


@pytest.mark.parametrize("damage", [lambda body: body[:-1], lambda body: b"x" + body[1:], lambda body: body[:0]])
def test_what_is_no_index_says_so(damage: object) -> None:
    body = written([Part(0, 0, [1], [1], {(5, 0): [0]}, [0])], [])

    with pytest.raises(NotAnIndex):
        Postings(damage(body))  # type: ignore[operator]
