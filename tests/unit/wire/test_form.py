"""Query strings and form bodies: read as the standard library reads them, within bounds."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trailstate.wire.form import PAIRS_MAX, MalformedForm, pairs, parameters

PIECES = st.sampled_from(["a", "Action", "=", "&", "+", "%20", "%C3%BC", "%zz", "%", "ü", ";", " ", "%26", "%FF"])


@given(st.lists(PIECES, max_size=12).map("".join))
@example("a=1&&b&=c&a=2")
@example("a=b=c")
def test_they_are_read_as_the_standard_library_reads_them(text: str) -> None:
    try:
        expected = parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        with pytest.raises(MalformedForm, match="UTF-8"):
            pairs(text)
        return
    assert pairs(text) == expected


def test_more_pairs_than_anybody_needs_are_refused() -> None:
    assert len(pairs("&".join(["a=b"] * PAIRS_MAX))) == PAIRS_MAX
    with pytest.raises(MalformedForm, match=str(PAIRS_MAX)):
        pairs("&".join(["a=b"] * (PAIRS_MAX + 1)))


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(MalformedForm, match="'Name' is given more than once"):
        parameters("Action=x&Name=1", b"Name=2")
