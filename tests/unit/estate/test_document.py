"""Answers as XML: the same text as xmltodict's, and seldom by its hand."""

from typing import Any

import pytest
import xmltodict
from hypothesis import given
from hypothesis import strategies as st

from trailstate.estate.child.document import OddError, writer

NAMES = st.sampled_from(["a", "Name", "xsi:type", "@id", "@xmlns:xsi", "#text", "1st", "a b", "#comment", "", "<"])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["<&>\"'", "\n\t", b"bytes", (), ("x", "y")])
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)


def nobody(*_: Any, **__: Any) -> str:
    raise OddError


def outcome(unparse: Any, body: Any, **options: Any) -> object:
    try:
        return unparse(body, **options)
    except (ValueError, TypeError, AttributeError) as error:
        return type(error)


def test_writes_an_answer_itself() -> None:
    answer = {
        "GetUserResponse": {
            "@xmlns": "https://iam.amazonaws.com/doc/2010-05-08/",
            "GetUserResult": {"User": {"UserName": "a<b", "Tags": {"member": [{"Key": "k", "Value": ""}, None]}}},
            "Count": 2,
            "Done": True,
        }
    }
    for short in (True, False):
        options = {"full_document": True, "short_empty_elements": short, "pretty": False}
        assert writer(nobody)(answer, **options) == xmltodict.unparse(answer, **options)


@pytest.mark.parametrize("value", [b"bytes", ("x", "y"), [["within"]], {"#comment": "c"}])
def test_leaves_what_is_odd_to_xmltodict(value: object) -> None:
    with pytest.raises(OddError):
        writer(nobody)({"root": {"odd": value}})


@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=2), st.booleans(), st.booleans())
def test_writes_whatever_xmltodict_writes(body: dict[str, Any], full: bool, short: bool) -> None:
    options = {"full_document": full, "short_empty_elements": short}
    expected = outcome(xmltodict.unparse, body, **options)
    assert outcome(writer(xmltodict.unparse), body, **options) == expected
