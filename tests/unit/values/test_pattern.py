"""Event patterns: what each operator takes, refusals in AWS's words, and one index that says the same as each."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailstate.values.pattern import BadPattern, read_pattern
from trailstate.values.pattern_index import PatternIndex

TAKES = [
    (["a", "b"], "a", "c"),
    ([1], 1.0, "1"),
    ([300], 3.0e2, 301),
    ([True], True, 1),
    ([1], 1, True),
    ([None], None, False),
    ([""], "", None),
    ([{"exactly": "a"}], "a", "b"),
    ([{"prefix": "ab"}], "abc", "cab"),
    ([{"prefix": {"equals-ignore-case": "AB"}}], "abc", "bab"),
    ([{"suffix": "bc"}], "abc", "abcd"),
    ([{"suffix": {"equals-ignore-case": "BC"}}], "abc", "bcd"),
    ([{"equals-ignore-case": "AbC"}], "aBc", "abcd"),
    ([{"anything-but": "a"}], "b", "a"),
    ([{"anything-but": ["a", "b"]}], 5, "a"),
    ([{"anything-but": [1, 2]}], 3, 2),
    ([{"anything-but": {"prefix": "a"}}], "ba", "ab"),
    ([{"anything-but": {"prefix": ["a", "b"]}}], "c", "bx"),
    ([{"anything-but": {"suffix": "a"}}], "ab", "ba"),
    ([{"anything-but": {"equals-ignore-case": ["A", "B"]}}], "c", "b"),
    ([{"anything-but": {"wildcard": "*.png"}}], "a.jpg", "a.png"),
    ([{"numeric": ["=", 5]}], 5.0, 6),
    ([{"numeric": [">", 0, "<=", 5]}], 5, 0),
    ([{"numeric": [">=", 0, "<", 5]}], 0, 5),
    ([{"numeric": ["<", -1.5]}], -2, "-2"),
    ([{"numeric": ["<=", 10]}], 10, True),
    ([{"exists": True}], None, []),
    ([{"exists": True}], "x", {"below": 1}),
    ([{"exists": False}], {"below": 1}, "x"),
    ([{"exists": False}], [], None),
    ([{"cidr": "10.0.0.0/24"}], "10.0.0.255", "10.0.1.0"),
    ([{"cidr": "2001:db8::/32"}], "2001:db8::1", "10.0.0.1"),
    ([{"cidr": "10.0.0.0/8"}], "10.1.1.1", "not an address"),
    ([{"wildcard": "a*b*c"}], "axbxc", "axb"),
    ([{"wildcard": "*ab"}], "aab", "abb"),
    ([{"wildcard": "a\\*b"}], "a*b", "axb"),
    ([{"wildcard": "*"}], "", 1),
    (["a"], ["x", ["a"]], ["x"]),
    ([{"anything-but": ["a"]}], ["a", "b"], ["a"]),
]

REFUSED = {
    "[]": "Filter is not an object",
    "{}": "Empty objects are not allowed",
    '{"a": {}}': "Empty objects are not allowed",
    '{"a": []}': "Empty arrays are not allowed",
    '{"a": 1}': '"a" must be an object or an array',
    '{"a": [[1]]}': "Match value must be String, number, true, false, or null",
    '{"a": [{}]}': "Match expression name not found",
    '{"a": [{"like": 1}]}': "Unrecognized match type like",
    '{"a": [{"prefix": 1}]}': "prefix match pattern must be a string",
    '{"a": [{"suffix": 1}]}': "suffix match pattern must be a string",
    '{"a": [{"prefix": "a", "suffix": "b"}]}': "Only one key allowed in match expression",
    '{"a": [{"prefix": {"suffix": "b"}}]}': "Unsupported prefix pattern: suffix",
    '{"a": [{"equals-ignore-case": 1}]}': "equals-ignore-case match pattern must be a string",
    '{"a": [{"wildcard": 1}]}': "wildcard match pattern must be a string",
    '{"a": [{"wildcard": "a**"}]}': "Consecutive wildcard characters at pos 2",
    '{"a": [{"wildcard": "a\\\\x"}]}': "Invalid escape character at pos 2",
    '{"a": [{"exists": 1}]}': "exists match pattern must be either true or false.",
    '{"a": [{"cidr": "10.0.0.0"}]}': "Malformed CIDR, one '/' required",
    '{"a": [{"cidr": "10.0.0.0/x"}]}': "Malformed CIDR, mask bits must be an integer",
    '{"a": [{"cidr": "10.0.0.0/-1"}]}': "Malformed CIDR, mask bits must not be negative",
    '{"a": [{"cidr": "10.0.0.0/32"}]}': "IPv4 mask bits must be < 32",
    '{"a": [{"numeric": 1}]}': "Value of numeric must be an array.",
    '{"a": [{"numeric": [1]}]}': "Invalid member in numeric match: 1",
    '{"a": [{"numeric": ["!", 1]}]}': "Unrecognized numeric range operator: !",
    '{"a": [{"numeric": ["=", "1"]}]}': "Value of equals must be numeric",
    '{"a": [{"numeric": [">", "1"]}]}': "Value of > must be numeric",
    '{"a": [{"numeric": ["<", 1, ">", 0]}]}': "Too many elements in numeric expression",
    '{"a": [{"numeric": [">", 1, ">", 0]}]}': "Bad numeric range operator: >",
    '{"a": [{"numeric": [">", 1, 5, 0]}]}': "Bad value in numeric range: 5",
    '{"a": [{"numeric": [">", 5, "<", 1]}]}': "Bottom must be less than top",
    '{"a": [{"numeric": [">", 1, "<", 5, "x"]}]}': "Too many terms in numeric range expression",
    '{"a": [{"anything-but": true}]}': "Value of anything-but must be an array or single string/number value.",
    '{"a": [{"anything-but": [true]}]}': "Inside anything but list, start|null|boolean is not supported.",
    '{"a": [{"anything-but": ["a", 1]}]}': (
        "Inside anything but list, either all values are number or string, mixed type is not supported"
    ),
    '{"a": [{"anything-but": {"like": "a"}}]}': "Unsupported anything-but pattern: like",
    '{"a": [{"anything-but": {"prefix": ""}}]}': "Null prefix/suffix not allowed",
    '{"a": [{"anything-but": {"suffix": 1}}]}': "prefix/suffix match pattern must be a string",
}


@pytest.mark.parametrize(("alternatives", "fits", "does_not"), TAKES)
def test_each_operator_takes_what_it_should(alternatives: Any, fits: Any, does_not: Any) -> None:
    text = json.dumps({"a": alternatives})
    for value, expected in ((fits, True), (does_not, False)):
        event = {"a": value, "b": 1}
        assert read_pattern(text).matches(event) is expected
        assert bool(PatternIndex([("it", read_pattern(text))]).match(json.dumps(event).encode())) is expected


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused_is_refused_in_awss_words(text: str) -> None:
    with pytest.raises(BadPattern) as refused:
        read_pattern(text)
    assert str(refused.value) == REFUSED[text]


def test_fields_of_one_object_in_a_list_must_be_met_together() -> None:
    pattern = read_pattern('{"a": {"b": ["1"], "c": ["2"]}}')
    assert not pattern.matches({"a": [{"b": "1", "c": "3"}, {"b": "4", "c": "2"}]})
    assert pattern.matches({"a": [{"b": "1", "c": "3"}, {"b": "1", "c": "2"}]})


def test_or_is_met_by_any_of_its_alternatives() -> None:
    pattern = read_pattern('{"s": ["x"], "$or": [{"a": ["1"]}, {"b": {"c": [{"prefix": "2"}]}}]}')
    assert pattern.matches({"s": "x", "a": "1"})
    assert pattern.matches({"s": "x", "b": {"c": "23"}})
    assert not pattern.matches({"s": "x", "a": "2", "b": {"c": "1"}})
    assert not pattern.matches({"s": "y", "a": "1"})


def test_or_with_operators_is_a_field_of_that_name() -> None:
    pattern = read_pattern('{"$or": [{"prefix": "a"}, {"prefix": "b"}]}')
    assert pattern.matches({"$or": "bc"})


def test_an_exploding_wildcard_takes_no_time() -> None:
    pattern = read_pattern(json.dumps({"a": [{"wildcard": "*a" * 1000}]}))
    assert not pattern.matches({"a": "a" * 900 + "b" * 100_000})


def test_lists_within_lists_are_looked_through_however_deep() -> None:
    deep: Any = ["y"]
    for _ in range(5000):
        deep = ["x", deep]
    assert read_pattern('{"a": ["y"]}').matches({"a": deep})
    assert not read_pattern('{"a": {"b": ["y"]}}').matches({"a": deep})


# ---- the index says what each pattern says by itself ----

TEXTS = st.sampled_from(["", "a", "ab", "abc", "b", "ba", "10.0.0.1", "x" * 40])
SCALARS = st.one_of(TEXTS, st.integers(-3, 3), st.booleans(), st.none(), st.sampled_from([1.5, 2.0]))
NAMES = st.sampled_from(["a", "b", "c", "$or"])
OPERATORS = st.one_of(
    st.builds(lambda text: {"prefix": text}, TEXTS),
    st.builds(lambda text: {"suffix": text}, TEXTS),
    st.builds(lambda text: {"equals-ignore-case": text}, TEXTS),
    st.builds(lambda text: {"anything-but": text}, TEXTS),
    st.builds(lambda number: {"anything-but": [number]}, st.integers(-3, 3)),
    st.builds(lambda number: {"numeric": [">", number]}, st.integers(-3, 3)),
    st.builds(lambda truth: {"exists": truth}, st.booleans()),
    st.just({"cidr": "10.0.0.0/24"}),
    st.builds(lambda text: {"wildcard": f"{text}*"}, TEXTS),
)
LEAVES = st.lists(st.one_of(SCALARS, OPERATORS), min_size=1, max_size=3)
PATTERNS = st.recursive(
    st.dictionaries(NAMES, LEAVES, min_size=1, max_size=3),
    lambda below: st.one_of(
        st.dictionaries(NAMES, st.one_of(LEAVES, below), min_size=1, max_size=3),
        st.builds(lambda one, two: {"$or": [one, two]}, below, below),
    ),
    max_leaves=6,
)
VALUES = st.recursive(
    SCALARS,
    lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(NAMES, below, max_size=3)),
    max_leaves=8,
)
EVENTS = st.dictionaries(NAMES, VALUES, max_size=4)


@settings(max_examples=150, deadline=None)
@given(st.lists(PATTERNS, min_size=1, max_size=8), st.lists(EVENTS, min_size=1, max_size=4))
def test_the_index_agrees_with_each_pattern(patterns: list[Any], events: list[Any]) -> None:
    read = [read_pattern(json.dumps(each)) for each in patterns]
    index = PatternIndex(list(enumerate(read)))
    for event in events:
        plain = [number for number, pattern in enumerate(read) if pattern.matches(event)]
        assert sorted(index.match(json.dumps(event).encode())) == plain
