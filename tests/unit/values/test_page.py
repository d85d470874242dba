"""A page token opens for its own question and key, and for nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailstate.values.page import InvalidToken, PageTokens

TOKENS = PageTokens(b"a key of this directory")
QUESTION = {"operation": "LookupEvents", "account": "111122223333", "attributes": [["EventName", "RunInstances"]]}

numbers = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=8)


@given(place=numbers)
def test_a_token_gives_back_the_place_it_was_made_of(place: list[int]) -> None:
    assert TOKENS.open(QUESTION, TOKENS.seal(QUESTION, place)) == tuple(place)


def test_another_question_does_not_open_it() -> None:
    token = TOKENS.seal(QUESTION, (7, 8))

    with pytest.raises(InvalidToken):
        TOKENS.open(QUESTION | {"account": "444455556666"}, token)


def test_another_key_does_not_open_it() -> None:
    token = TOKENS.seal(QUESTION, (7, 8))

    with pytest.raises(InvalidToken):
        PageTokens(b"another directory").open(QUESTION, token)


@given(place=numbers, at=st.integers(0, 200), character=st.characters(codec="utf-8"))
def test_no_character_of_a_token_can_be_changed(place: list[int], at: int, character: str) -> None:
    token = TOKENS.seal(QUESTION, place)
    at %= len(token)
    changed = token[:at] + character + token[at + 1 :]

    if changed != token:
        with pytest.raises(InvalidToken):
            TOKENS.open(QUESTION, changed)


@given(text=st.text(max_size=300))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidToken):
        TOKENS.open(QUESTION, text)
