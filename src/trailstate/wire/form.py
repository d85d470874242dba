"""Query strings and form bodies as pairs (the URL standard's application/x-www-form-urlencoded), within bounds."""

from urllib.parse import parse_qsl

PAIRS_MAX = 10_000


class MalformedForm(ValueError):
    """Pairs that cannot be read, or too many of them."""


def pairs(text: str) -> list[tuple[str, str]]:
    """The pairs in the order sent. A name without `=` has an empty value."""
    if not text:
        return []
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=PAIRS_MAX)
    except UnicodeDecodeError:
        raise MalformedForm("The parameters are not percent-encoded UTF-8.") from None
    except ValueError:
        raise MalformedForm(f"The request has more than {PAIRS_MAX} parameters.") from None


def parameters(query: str, body: bytes) -> dict[str, str]:
    """The parameters of a query request, from its query string and its form body.

    A name given twice is refused: whoever reads the request after us might believe the other value.
    """
    try:
        found = pairs(query) + pairs(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise MalformedForm("The body is not UTF-8.") from None
    named = dict(found)
    if len(named) != len(found):
        raise MalformedForm(f"The parameter '{_repeated(found)}' is given more than once.")
    return named


def _repeated(found: list[tuple[str, str]]) -> str:
    seen: set[str] = set()
    for name, _ in found:
        if name in seen:
            return name
        seen.add(name)
    raise AssertionError("called only when a name is repeated")
