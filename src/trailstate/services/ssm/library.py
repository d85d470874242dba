"""SSM documents as they are read: described, fetched, listed; the caller's own, those shared with it, and AWS's.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListDocuments.html
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from trailstate.remediation.document import read_content
from trailstate.remediation.library import DOCUMENT, OWNER, Library
from trailstate.services.operation import operation
from trailstate.services.paging import page
from trailstate.services.ssm.description import described, identified, version_listed
from trailstate.services.ssm.document import found, numbered
from trailstate.stores.interface import Store
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.wire.call import Call
from trailstate.wire.fault import faults

fault = faults("ssm")

PAGE_SIZE = 50


@operation("ssm")
def describe_document(
    call: Call,
    shelf: StagedShelf,
    library: Library,
    *,
    Name: str,
    DocumentVersion: str | None = None,
    VersionName: str | None = None,
) -> dict[str, Any]:
    """What a version of a document takes and is for, without its content."""
    document = found(call, shelf, library, Name)
    return {"Document": described(document, numbered(document, DocumentVersion, VersionName))}


@operation("ssm")
def get_document(
    call: Call,
    shelf: StagedShelf,
    library: Library,
    *,
    Name: str,
    VersionName: str | None = None,
    DocumentVersion: str | None = None,
    DocumentFormat: str | None = None,
) -> dict[str, Any]:
    """The content, in the format it was made in unless another is asked for."""
    document = found(call, shelf, library, Name)
    number = numbered(document, DocumentVersion, VersionName)
    version = document["versions"][number]
    wanted = DocumentFormat or version["DocumentFormat"]
    answer = {
        "Name": document["Name"],
        "CreatedDate": datetime.fromisoformat(version["CreatedDate"]),
        "DocumentVersion": number,
        "Status": "Active",
        "Content": _converted(version["Content"], version["DocumentFormat"], wanted),
        "DocumentType": document["DocumentType"],
        "DocumentFormat": wanted,
    }
    optional = {name: version[name] for name in ("VersionName", "DisplayName") if name in version}
    return answer | optional


def _converted(content: str, given: str, wanted: str) -> str:
    if given == wanted or wanted == "TEXT":
        return content
    value = read_content(content)
    if wanted == "JSON":
        return json.dumps(value, indent=2)
    import yaml

    return yaml.safe_dump(value, sort_keys=False)


@operation("ssm")
def list_document_versions(
    call: Call,
    shelf: StagedShelf,
    library: Library,
    tokens: PageTokens,
    *,
    Name: str,
    MaxResults: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """The versions, newest first."""
    document = found(call, shelf, library, Name)
    listed = [version_listed(document, each) for each in sorted(document["versions"], key=int, reverse=True)]
    question = ["versions", call.account, call.region, Name]
    shown, token = page(
        tokens, question, listed, limit=MaxResults or PAGE_SIZE, token=NextToken, refuse=fault.InvalidNextToken
    )
    return {"DocumentVersions": shown} | ({"NextToken": token} if token else {})


@operation("ssm")
def list_documents(
    call: Call,
    shelf: StagedShelf,
    library: Library,
    store: Store,
    tokens: PageTokens,
    *,
    DocumentFilterList: Sequence[Mapping[str, str]] | None = None,
    Filters: Sequence[Mapping[str, Any]] | None = None,
    MaxResults: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """The documents that pass every filter, by name."""
    wanted = [(each["key"], [each["value"]]) for each in DocumentFilterList or ()]
    wanted += [(each.get("Key") or "", list(each.get("Values") or ())) for each in Filters or ()]
    for key, _ in wanted:
        if key not in FILTERS and not key.startswith("tag:"):
            raise fault.InvalidFilterKey(f"The filter key '{key}' is not one of {', '.join(FILTERS)} or tag:KEY.")
    visible = [document for _, document in shelf.documents(call.account, call.region, DOCUMENT)]
    visible += _shared(store, call) + list(library.owned.values())
    chosen = [each for each in visible if all(_passes(each, key, values, call.account) for key, values in wanted)]
    listed = [identified(each, each["DefaultVersion"]) for each in sorted(chosen, key=lambda each: str(each["Name"]))]
    question = ["documents", call.account, call.region, wanted]
    shown, token = page(
        tokens, question, listed, limit=MaxResults or PAGE_SIZE, token=NextToken, refuse=fault.InvalidNextToken
    )
    return {"DocumentIdentifiers": shown} | ({"NextToken": token} if token else {})


def _shared(store: Store, call: Call) -> list[dict[str, Any]]:
    """What other accounts share with this one, by ARN."""
    return [
        document.value | {"Name": f"arn:aws:ssm:{key.region}:{key.account}:document/{key.name}"}
        for key, document in store.documents(None, call.region, DOCUMENT)
        if key.account != call.account and {"all", call.account} & set(document.value["shared"])
    ]


def _owner(document: Mapping[str, Any], account: str) -> list[str]:
    owner = document["Owner"]
    names = {account: ["Self", "Private"], OWNER: ["Amazon", "Public"]}
    return [owner, *names.get(owner, ["ThirdParty", "Public"])]


FILTERS: Mapping[str, Callable[[Mapping[str, Any], str, str], bool]] = {
    "Name": lambda document, value, _: str(document["Name"]).startswith(value),
    "Owner": lambda document, value, account: value in _owner(document, account),
    "DocumentType": lambda document, value, _: document["DocumentType"] == value,
    "TargetType": lambda document, value, _: document.get("TargetType") == value,
    "PlatformTypes": lambda _, value, __: value in {"Windows", "Linux", "MacOS"},
    "SearchKeyword": lambda document, value, _: value.lower() in str(document["Name"]).lower(),
}


def _passes(document: Mapping[str, Any], key: str, values: Sequence[str], account: str) -> bool:
    if key.startswith("tag:"):
        tags = {tag["Key"]: tag["Value"] for tag in document["Tags"]}
        return tags.get(key.removeprefix("tag:")) in values
    return any(FILTERS[key](document, value, account) for value in values)


@operation("ssm")
def describe_document_permission(
    call: Call,
    shelf: StagedShelf,
    library: Library,
    *,
    Name: str,
    PermissionType: str,
    MaxResults: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """With whom the caller's own document is shared."""
    document = found(call, shelf, library, Name)
    if document["Owner"] != call.account:
        raise fault.InvalidDocumentOperation(f"The document {Name} belongs to another account.")
    version = document.get("SharedDocumentVersion", "$DEFAULT")
    sharing = [{"AccountId": account, "SharedDocumentVersion": version} for account in document["shared"]]
    return {"AccountIds": document["shared"], "AccountSharingInfoList": sharing}
