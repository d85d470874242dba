"""A Lambda function as it stands on the Shelf, and the names by which it is called.

The document (kind `lambda.function`) holds the configuration of `$LATEST` and of every published version in AWS's
spelling, the keys of their code, aliases, tags, resource policies by qualifier, and reserved concurrency.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trailstate.stores.interface import ShelfKey

FUNCTION = "lambda.function"
LATEST = "$LATEST"
NAME = re.compile(
    r"(?:arn:aws[\w-]*:lambda:)?(?:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[A-Za-z0-9_-]{1,64})(?::(?P<qualifier>\$LATEST|[A-Za-z0-9_-]+))?"
)


class BadName(ValueError):
    """The text names no function."""


class NoQualifier(LookupError):
    """The function has no such version or alias."""


@dataclass(frozen=True, slots=True)
class Named:
    """What a `FunctionName` means: a name, a partial or whole ARN, perhaps with a version or alias."""

    account: str
    region: str
    name: str
    qualifier: str | None

    @property
    def key(self) -> ShelfKey:
        return ShelfKey(self.account, self.region, FUNCTION, self.name)

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"


def named(text: str, account: str, region: str, qualifier: str | None = None) -> Named:
    """The function that a text names for a caller of that account and region; BadName."""
    matched = NAME.fullmatch(text)
    if matched is None:
        raise BadName(f"'{text}' names no function")
    return Named(
        matched["account"] or account, matched["region"] or region, matched["name"], qualifier or matched["qualifier"]
    )


def version_of(function: Mapping[str, Any], qualifier: str | None) -> str:
    """The version a qualifier means: itself, or the one its alias points to; NoQualifier."""
    if qualifier in (None, LATEST):
        return LATEST
    alias = function["aliases"].get(qualifier)
    version = str(qualifier if alias is None else alias["FunctionVersion"])
    if version != LATEST and version not in function["versions"]:
        raise NoQualifier(f"no version or alias '{qualifier}'")
    return version


def at_version(function: Mapping[str, Any], version: str) -> Mapping[str, Any]:
    """`config` and `code` of a version."""
    found: Mapping[str, Any] = function if version == LATEST else function["versions"][version]
    return found
