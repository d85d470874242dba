"""Query strings and form bodies as pairs (the URL standard's application/x-www-form-urlencoded), within bounds."""

from urllib.parse import unquote_plus

PAIRS_MAX = 10_000


class MalformedForm(ValueError):
    """Pairs that cannot be read, or too many of them."""


def pairs(text: str) -> list[tuple[str, str]]:
    """The pairs in the order sent. A name without `=` has an empty value."""
    if not text:
        return []
    parts = text.split("&")
    if len(parts) > PAIRS_MAX:
        raise MalformedForm(f"The request has more than {PAIRS_MAX} parameters.")
    try:
        return [(_plain(name), _plain(value)) for name, _, value in (each.partition("=") for each in parts if each)]
    except UnicodeDecodeError:
        raise MalformedForm("The parameters are not percent-encoded UTF-8.") from None


def _plain(text: str) -> str:
    """What a name or value stands for; most stand for themselves."""
    return unquote_plus(text, errors="strict") if "%" in text or "+" in text else text


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
