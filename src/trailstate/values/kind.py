"""What a value that somebody writes must be: in words, and as what reads it from text or from TOML's own types."""

import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value must be: a phrase that completes "must be …", and a parser that raises ValueError for anything else.

    Parsers take text (flags, variables) as well as TOML's own types.
    """

    expects: str
    parse: Callable[[object], object]


def whole_number(low: int, high: int) -> Kind:
    """Both bounds included."""

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ValueError
        number = int(value)
        if not low <= number <= high:
            raise ValueError
        return number

    return Kind(f"a whole number from {low} to {high}", parse)


def seconds(high: float) -> Kind:
    """Fractions too."""

    def parse(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError
        number = float(value)
        if not 0 < number <= high:
            raise ValueError
        return number

    return Kind(f"a number of seconds above 0 and at most {high:g}", parse)


def one_of(*words: str) -> Kind:
    """Exactly one of the words."""

    def parse(value: object) -> str:
        if value not in words:
            raise ValueError
        return str(value)

    return Kind("one of " + ", ".join(words), parse)


def matching(expects: str, pattern: str) -> Kind:
    """A text that matches the pattern whole; `expects` says it in words."""

    def parse(value: object) -> str:
        if not isinstance(value, str) or re.fullmatch(pattern, value) is None:
            raise ValueError
        return value

    return Kind(expects, parse)


SWITCH_WORDS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def _parse_switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    try:
        return SWITCH_WORDS[str(value).lower()]
    except KeyError:
        raise ValueError from None


def _parse_directory(value: object) -> Path:
    if not isinstance(value, str | Path) or not str(value):
        raise ValueError
    return Path(value)


def _parse_accounts(value: object) -> tuple[str, ...]:
    listed = value.split(",") if isinstance(value, str) else value
    if not isinstance(listed, Iterable):
        raise ValueError
    accounts = tuple(dict.fromkeys(str(account).strip() for account in listed))
    if not accounts or not all(re.fullmatch(r"[0-9]{12}", account) for account in accounts):
        raise ValueError
    return accounts


def _parse_any_accounts(value: object) -> tuple[str, ...]:
    return () if value in ("", ()) or value == [] else _parse_accounts(value)


def _parse_networks(value: object) -> tuple[str, ...]:
    listed = value.split(",") if isinstance(value, str) else value
    if not isinstance(listed, Iterable):
        raise ValueError
    named = [str(each).strip() for each in listed]
    return tuple(str(ipaddress.ip_network(each, strict=False)) for each in named if each)


def _parse_instant(value: object) -> datetime | None:
    if value == "":
        return None
    instant = value if isinstance(value, datetime) else datetime.fromisoformat(cast("str", value))
    if instant.tzinfo is None:
        raise ValueError
    return instant.astimezone(UTC)


SWITCH = Kind("true or false", _parse_switch)
DIRECTORY = Kind("a directory", _parse_directory)
ACCOUNTS = Kind("one or more account numbers of 12 digits", _parse_accounts)
ANY_ACCOUNTS = Kind("account numbers of 12 digits, or nothing", _parse_any_accounts)
INSTANT = Kind("a time with its offset, such as 2026-01-15T09:30:00Z", _parse_instant)
HOST = matching("a host name or an IP address", r"[A-Za-z0-9.:_-]+")
REGION = matching("a region, such as eu-central-1", r"[a-z]{2,}(-[a-z]+)+-[0-9]+")
NETWORKS = Kind("networks such as 10.0.0.0/8, or nothing", _parse_networks)
MAIL_HOST = matching("a host name or an IP address, or nothing", r"[A-Za-z0-9.:_-]*")
LINE = matching("a text of one line", r"[^\r\n]*")
ADDRESS = matching("an e-mail address", r"[^\s@<>,;]+@[^\s@<>,;]+")
