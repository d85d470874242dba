"""The models' patterns, written for Java, as RE2 runs them: in linear time, whatever text a caller sends.

https://github.com/google/re2/wiki/Syntax
"""

import re
from functools import cache
from typing import Any

import re2


def is_whole(text: str) -> bool:
    """Whether the text can be written as UTF-8: half surrogates cannot, and match no pattern."""
    return text.isascii() or not _HALVES.search(text)


_HALVES = re.compile("[\ud800-\udfff]")
_JAVA_PAIR = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_JAVA_UNIT = re.compile(r"\\u([0-9a-fA-F]{4})")


def _in_re2(pattern: str) -> str:
    r"""A Java pattern in RE2's spelling: `\u0020` is `\x{20}`, two surrogates are one character."""
    whole = _JAVA_PAIR.sub(lambda found: rf"\x{{{_joined(found[1], found[2]):x}}}", pattern)
    return _JAVA_UNIT.sub(lambda found: rf"\x{{{found[1]}}}", whole)


def _joined(high: str, low: str) -> int:
    return 0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00


@cache
def compiled_pattern(pattern: str) -> Any:
    """The pattern as RE2 runs it, in linear time; None where RE2 has no such construct (look-around, long repeats)."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(_in_re2(pattern), options)
    except re2.error:
        return None
