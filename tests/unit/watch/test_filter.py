"""Filter patterns: the documented languages by example, and JSON conditions against a slow plain reading."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.watch.filter_reading import NAMES, Tree, holds, said

from trailstate.watch.filter import MalformedPattern, Message, pattern
from trailstate.watch.standards import CIS_FILTERS

ACCESS = '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'


@pytest.mark.parametrize(
    ("wanted", "message", "expected"),
    [
        ("", "anything", True),
        ("ERROR", "[ERROR 400] BAD REQUEST", True),
        ("error", "[ERROR 400] BAD REQUEST", False),
        ("ERROR ARGUMENTS", "[ERROR 419] MISSING ARGUMENTS", True),
        ("ERROR ARGUMENTS", "[ERROR 400] BAD REQUEST", False),
        ("?ERROR ?WARN", "[WARN] low", True),
        ("?ERROR ?WARN", "[INFO] fine", False),
        ("?ERROR request", "a request", True),
        ("ERROR -404", "ERROR 404", False),
        ("ERROR -404", "ERROR 500", True),
        ("-404", "fine", True),
        ('"INTERNAL SERVER"', "500 INTERNAL SERVER ERROR", True),
        ('"a \\"quoted\\" word"', 'a "quoted" word', True),
        ("%AUTHORI[SZ]ED%", "UNAUTHORIZED", True),
        ("%^AUTHORIZED%", "UNAUTHORIZED", False),
    ],
)
def test_terms(wanted: str, message: str, expected: bool) -> None:
    assert pattern(wanted).matches(Message(message)) is expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("[ip, server, username, timestamp, request, status_code, bytes]", True),
        ("[ip, server]", False),
        ("[ip, ..., bytes]", True),
        ("[..., bytes = 1534]", True),
        ("[ip, ..., request = *.html*, status_code = 4*, bytes > 1000]", True),
        ("[ip, ..., status_code = 404 || status_code = 410, bytes]", True),
        ("[ip, ..., bytes > 1000 && bytes < 1500]", False),
        ("[ip = %127\\.0\\.0\\.[1-9]%, ...]", True),
        ('[..., request = "GET*", status, bytes]', True),
        ("[..., username != frank, timestamp, request, status, bytes]", False),
    ],
)
def test_fields_between_spaces(wanted: str, expected: bool) -> None:
    assert pattern(wanted).matches(Message(ACCESS)) is expected


def test_fields_are_named_without_their_brackets() -> None:
    named = pattern("[ip, ..., timestamp, request, status, bytes]").named(Message(ACCESS))
    assert named["$timestamp"] == "10/Oct/2000:13:25:15 -0700"
    assert named["$request"] == "GET /index.html HTTP/1.0"


DOCUMENT = {
    "eventType": "UpdateTrail",
    "sourceIPAddress": "111.111.111.111",
    "arrayKey": ["value", "another value"],
    "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
    "SomeObject": None,
    "cluster.name": "c",
    "ThisFlag": True,
    "bandwidth": 75.5,
    "account": "111122223333",
}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ('{ $.eventType = "UpdateTrail" }', True),
        ("{ $.eventType = UpdateTrail }", True),
        ("{ $.eventType = Update* }", True),
        ("{ $.sourceIPAddress != 123.123.* }", True),
        ('{ $.arrayKey[0] = "value" }', True),
        ('{ $.arrayKey[*] = "another value" }', True),
        ("{ $.arrayKey = value }", False),
        ("{ $.objectList[1].id = 2 }", True),
        ("{ $.objectList[*].id > 2 }", False),
        ('{ $.["cluster.name"] = "c" }', True),
        ("{ $.SomeObject IS NULL }", True),
        ("{ $.SomeOtherObject NOT EXISTS }", True),
        ("{ $.SomeObject NOT EXISTS }", False),
        ("{ $.ThisFlag IS TRUE }", True),
        ("{ $.ThisFlag IS FALSE }", False),
        ("{ $.bandwidth > 75 }", True),
        ("{ $.bandwidth >= 7.55e1 && $.bandwidth < 76 }", True),
        ("{ $.account = 111122223333 }", True),
        ("{ $.eventType = %Trail$% }", True),
        ("{ $.missing != anything }", False),
        ("{ ($.eventType = A || $.eventType = UpdateTrail) && $.bandwidth > 1 }", True),
        ("{ $.eventType = A || $.eventType = UpdateTrail && $.bandwidth > 100 }", False),
    ],
)
def test_selectors_of_json(wanted: str, expected: bool) -> None:
    assert pattern(wanted).matches(Message(json.dumps(DOCUMENT))) is expected


def test_a_message_that_is_no_json_matches_no_selector() -> None:
    assert not pattern("{ $.a NOT EXISTS || $.a = 1 }").matches(Message("plain text { $.a"))


@pytest.mark.parametrize(
    "wanted",
    [
        "{ $.a = 1",
        "{ $.a = }",
        "{ $.a == 1 }",
        "{ a = 1 }",
        "{ }",
        "{ $.a = 1 } b",
        "{ $.a IS SOMETHING }",
        "{ $.a > text }",
        "{ $.a = 1 && }",
        "{ $.a = %(group)% }",
        "{ $.a = %[% }",
        "{ $.a = %a% || $.a = %b% || $.a = %c% }",
        "[a, b",
        "[a, ..., b, ..., c]",
        "[a = 1 && b = 2]",
        "[a = 1 &&]",
        '"open',
        "{" + "(" * 1000 + "}",
        "{ $.a = " + "x" * 1024 + " }",
    ],
)
def test_what_is_no_pattern_is_refused_with_a_sentence(wanted: str) -> None:
    with pytest.raises(MalformedPattern, match=r"expected|at most|may not|is not"):
        pattern(wanted)


def test_the_longest_patterns_stay_cheap_on_hostile_messages() -> None:
    wanted = pattern("{ $.a = " + "*x" * 500 + "* }")
    assert not wanted.matches(Message(json.dumps({"a": "x" * 499 + "y" * 100_000})))
    assert not pattern("%" + "a*" * 500 + "b%").matches(Message("a" * 100_000))


paths = st.lists(st.sampled_from([*NAMES, 0, 1, "*"]), min_size=1, max_size=3).map(tuple)
texts = st.text("ab*", min_size=1, max_size=3)
numbers = st.integers(-2, 2).map(str)
conditions: st.SearchStrategy[Tree] = st.one_of(
    st.tuples(st.sampled_from(["=", "!="]), paths, st.one_of(texts, texts.map(lambda text: f'"{text}"'), numbers)),
    st.tuples(st.sampled_from(["=", "!="]), paths, st.text("ab", min_size=1, max_size=2).map(lambda text: f"%{text}%")),
    st.tuples(st.sampled_from(["<", "<=", ">", ">="]), paths, numbers),
    st.tuples(st.just("state"), paths, st.sampled_from(["IS NULL", "IS TRUE", "IS FALSE", "NOT EXISTS"])),
)
trees = st.recursive(
    conditions, lambda inner: st.tuples(st.sampled_from(["&&", "||"]), st.lists(inner, min_size=1, max_size=3))
)
leaves = st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.text("ab", max_size=3))
documents = st.recursive(
    leaves, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner))
)


def limited(tree: Tree) -> int:
    """How many regular expressions a tree holds; a pattern may hold two."""
    if tree[0] in ("&&", "||"):
        return sum(limited(each) for each in tree[1])
    return int(str(tree[2]).startswith("%"))


@settings(max_examples=400, deadline=None)
@given(trees.filter(lambda tree: limited(tree) <= 2), st.dictionaries(st.sampled_from(NAMES), documents))
def test_conditions_decide_as_the_plain_reading_does(tree: Tree, document: dict[str, Any]) -> None:
    text = "{ " + said(tree) + " }"
    if len(text) > 1024:
        return
    assert pattern(text).matches(Message(json.dumps(document))) is holds(tree, document), text


def test_the_benchmark_filters_find_what_they_name_in_recorded_events() -> None:
    """Held against the members of the events themselves, which CloudTrail wrote."""
    samples = os.environ.get("TRAILSTATE_SAMPLES")
    if samples is None:
        pytest.skip("TRAILSTATE_SAMPLES names no directory of recorded events")
    files = sorted(Path(samples).rglob("records-*.jsonl.gz"))
    lines = [line for file in files for line in gzip.decompress(file.read_bytes()).decode().splitlines()]
    records = [each for line in lines if isinstance((each := json.loads(line)["record"]).get("userIdentity"), dict)]
    found = {each.control: 0 for each in CIS_FILTERS}
    for record in records:
        message = Message(json.dumps(record))
        for each in CIS_FILTERS:
            found[each.control] += pattern(each.pattern).matches(message)
    roots = [
        each
        for each in records
        if each["userIdentity"].get("type") == "Root"
        and "invokedBy" not in each["userIdentity"]
        and each.get("eventType") not in (None, "AwsServiceEvent")
    ]
    denied = [
        each
        for each in records
        if str(each.get("errorCode", "")).endswith("UnauthorizedOperation")
        or str(each.get("errorCode", "")).startswith("AccessDenied")
    ]
    trails = [
        each
        for each in records
        if each.get("eventName") in ("CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging")
    ]
    assert found["CloudWatch.1"] == len(roots) > 0
    assert found["CloudWatch.2"] == len(denied) > 0
    assert found["CloudWatch.5"] == len(trails)
