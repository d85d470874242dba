"""How a document is described in answers: whole, as an entry of a list, or as one of its versions."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from trailstate.remediation.document import read_content

PLATFORMS = ["Windows", "Linux", "MacOS"]


def described(document: Mapping[str, Any], number: str) -> dict[str, Any]:
    """A `DocumentDescription` of one version."""
    version = document["versions"][number]
    content = read_content(version["Content"])
    return identified(document, number) | _given(
        {
            "Hash": version.get("Hash"),
            "HashType": "Sha256" if "Hash" in version else None,
            "Status": "Active",
            "Description": document["Description"] or None,
            "Parameters": [_parameter(name, each) for name, each in (content.get("parameters") or {}).items()],
            "LatestVersion": document["LatestVersion"],
            "DefaultVersion": document["DefaultVersion"],
        }
    )


def identified(document: Mapping[str, Any], number: str) -> dict[str, Any]:
    """A `DocumentIdentifier`."""
    version = document["versions"][number]
    content = read_content(version["Content"])
    return _given(
        {
            "Name": document["Name"],
            "CreatedDate": datetime.fromisoformat(version["CreatedDate"]),
            "DisplayName": version.get("DisplayName"),
            "Owner": document["Owner"],
            "VersionName": version.get("VersionName"),
            "PlatformTypes": PLATFORMS,
            "DocumentVersion": number,
            "DocumentType": document["DocumentType"],
            "SchemaVersion": str(content.get("schemaVersion") or "1.0"),
            "DocumentFormat": version["DocumentFormat"],
            "TargetType": document.get("TargetType"),
            "Tags": document["Tags"],
        }
    )


def version_listed(document: Mapping[str, Any], number: str) -> dict[str, Any]:
    """A `DocumentVersionInfo`."""
    version = document["versions"][number]
    return _given(
        {
            "Name": document["Name"],
            "DisplayName": version.get("DisplayName"),
            "DocumentVersion": number,
            "VersionName": version.get("VersionName"),
            "CreatedDate": datetime.fromisoformat(version["CreatedDate"]),
            "IsDefaultVersion": number == document["DefaultVersion"],
            "DocumentFormat": version["DocumentFormat"],
            "Status": "Active",
        }
    )


def _parameter(name: str, declaration: Any) -> dict[str, Any]:
    given = declaration if isinstance(declaration, Mapping) else {}
    default = given.get("default")
    text = default if isinstance(default, str) or default is None else json.dumps(default)
    shown = {"Name": name, "Type": given.get("type"), "Description": given.get("description"), "DefaultValue": text}
    return _given(shown)


def _given(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
