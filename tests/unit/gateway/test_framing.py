"""The verdict on a connection's bytes depends on the bytes alone."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.clients.test_framing import REFUSED, SERVED

from trailstate.gateway.framing import Framing, Phase, Refused
from trailstate.gateway.limits import Limits

CASES = {name: case for name, case in {**SERVED, **REFUSED}.items() if len(case) < 2000}


Request = tuple[str, str, list[tuple[str, str]], bytes]


def verdict(packets: list[bytes]) -> tuple[list[Request], str]:
    """The whole requests, and why the rest was refused, if it was."""
    framing = Framing(Limits())
    whole: list[Request] = []
    body = b""
    try:
        for packet in packets:
            body += framing.accept(packet)
            while framing.phase is Phase.COMPLETE:
                assert framing.head is not None
                whole.append((framing.head.method, framing.head.target, framing.head.headers, body))
                framing.next_request()
                body = framing.accept(b"")
    except Refused as refusal:
        return whole, refusal.code
    return whole, ""


@given(st.sampled_from(sorted(CASES)), st.sampled_from(sorted(SERVED)), st.lists(st.integers(0, 400), max_size=12))
def test_splitting_the_bytes_anywhere_gives_the_same_verdict(name: str, next_name: str, cuts: list[int]) -> None:
    sent = CASES[name] + CASES.get(next_name, b"")
    places = [0, *sorted(cut for cut in cuts if cut < len(sent)), len(sent)]

    split = verdict([sent[start:end] for start, end in pairwise(places)])

    assert split == verdict([sent])


@given(st.binary(max_size=300), st.integers(0, 300))
def test_junk_is_judged_the_same_in_two_packets(junk: bytes, cut: int) -> None:
    sent = b"GET / HTTP/1.1\r\nHost: h\r\n" + junk
    assert verdict([sent[:cut], sent[cut:]]) == verdict([sent])


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("bare LF after a header", "BareLineFeed"),
        ("folded header, tab", "FoldedHeader"),
        ("space before colon", "SpaceBeforeColon"),
        ("NUL in a value", "ControlCharacter"),
        ("two Hosts", "DuplicateHeader"),
        ("no Host", "MissingHost"),
        ("length with plus", "MalformedContentLength"),
        ("length and chunked", "AmbiguousLength"),
        ("xchunked", "UnsupportedTransferEncoding"),
        ("trailer", "MalformedChunk"),
        ("absolute form", "MalformedTarget"),
        ("TRACE", "MethodNotAllowed"),
        ("HTTP/2 preface", "UnsupportedVersion"),
        ("64 KiB and no end", "HeadersTooLarge"),
        ("101 header lines", "TooManyHeaders"),
    ],
)
def test_a_refusal_names_its_reason(case: str, code: str) -> None:
    assert verdict([REFUSED[case]]) == ([], code)


def test_a_header_block_of_exactly_the_limit_is_accepted() -> None:
    start, end = b"GET / HTTP/1.1\r\nHost: h\r\nX-A: ", b"\r\n\r\n"
    value = "a" * (64 * 1024 - len(start) - len(end))
    block = start + value.encode() + end

    assert verdict([block]) == ([("GET", "/", [("host", "h"), ("x-a", value)], b"")], "")
    assert verdict([block.replace(b"aa", b"aaa", 1)]) == ([], "HeadersTooLarge")


@pytest.mark.parametrize("name", SERVED)
def test_a_head_in_one_piece_is_read_as_line_by_line(name: str) -> None:
    sent = SERVED[name]
    (request,), _ = verdict([sent])
    assert verdict([sent[:1], sent[1:]]) == ([request], "")


def test_what_the_body_is_does_not_depend_on_how_it_was_sent() -> None:
    bodies = {name: verdict([SERVED[name]])[0][0][3] for name in SERVED}
    assert bodies["body by length"] == bodies["chunked"] == b"abc"
    assert bodies["chunked, hexadecimal size"] == b"0123456789"
    assert bodies["plain GET"] == bodies["chunked and empty"] == b""
