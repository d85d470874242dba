"""The documents that AWS owns, and where a document of any owner is found by name, ARN and version.

A document on the Shelf (kind `ssm.document`) holds its versions by number; the newest is `LatestVersion`, the one that
is meant when none is named `DefaultVersion`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trailstate.remediation.document import read_content
from trailstate.stores.interface import ShelfKey

DOCUMENT = "ssm.document"
OWNER = "Amazon"
OWNED_CREATED = "2021-05-01T00:00:00+00:00"
ARN = re.compile(r"arn:aws[\w-]*:ssm:([a-z0-9-]*):(\d{12})?:document/([A-Za-z0-9_.-]{3,128})")

Get = Callable[[ShelfKey], dict[str, Any] | None]


class NoDocument(LookupError):
    """There is no such document, or it is not shared with the caller."""


class NoVersion(LookupError):
    """The document has no such version."""


@dataclass(frozen=True, slots=True)
class Library:
    """AWS's own documents by name, in the form in which others stand on the Shelf."""

    owned: Mapping[str, dict[str, Any]]

    def find(self, get: Get, account: str, region: str, name: str) -> dict[str, Any]:
        """The document of that name or ARN, as the account may see it; NoDocument."""
        matched = ARN.fullmatch(name)
        owner, bare = (account, name) if matched is None else (matched.group(2) or "", matched.group(3))
        if bare in self.owned and owner in {"", account}:
            return self.owned[bare]
        document = get(ShelfKey(owner, region, DOCUMENT, bare))
        if document is None or not _is_visible(document, owner, account):
            raise NoDocument(f"Document with name {name} does not exist.")
        return document


def _is_visible(document: Mapping[str, Any], owner: str, account: str) -> bool:
    shared = document["shared"]
    return owner == account or account in shared or "all" in shared


def library(texts: Mapping[str, str]) -> Library:
    """The library of AWS's documents from their texts by name."""
    return Library({name: _owned(name, text) for name, text in texts.items()})


def _owned(name: str, text: str) -> dict[str, Any]:
    version = {"Content": text, "DocumentFormat": "YAML", "CreatedDate": OWNED_CREATED}
    return {
        "Name": name,
        "DocumentType": "Automation",
        "Owner": OWNER,
        "DefaultVersion": "1",
        "LatestVersion": "1",
        "versions": {"1": version},
        "shared": ["all"],
        "Tags": [],
        "Description": str(read_content(text).get("description") or ""),
    }


def version_of(document: Mapping[str, Any], version: str | None = None, version_name: str | None = None) -> str:
    """The number of the version that is meant; NoVersion."""
    versions: Mapping[str, Mapping[str, Any]] = document["versions"]
    if version_name is not None:
        for number, each in versions.items():
            if each.get("VersionName") == version_name:
                return number
        raise NoVersion(f"The document {document['Name']} has no version named '{version_name}'.")
    wanted = {None: "DefaultVersion", "$DEFAULT": "DefaultVersion", "$LATEST": "LatestVersion"}.get(version)
    number = str(version if wanted is None else document[wanted])
    if number not in versions:
        raise NoVersion(f"The document {document['Name']} has no version '{version}'.")
    return number
