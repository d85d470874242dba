"""SSM documents: created, changed, shared and deleted. Automation documents are held against schema 0.3 before they are
kept; documents of other types are kept as they are, because nothing here runs them.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.remediation.action import ACTIONS
from trailstate.remediation.document import BadDocument, BadSchemaVersion, automation, read_content
from trailstate.remediation.library import DOCUMENT, Library, NoDocument, NoVersion, version_of
from trailstate.services.operation import operation
from trailstate.services.ssm.description import described
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.wire.call import Call
from trailstate.wire.fault import Fault, faults
from trailstate.wire.spelling import NOT_SUPPORTED, validation_error

fault = faults("ssm")

CONTENT_BYTES_MAX = 65_536
VERSIONS_MAX = 1000
SHARED_MAX = 1000
RESERVED = ("aws", "amazon", "amzn")


@operation("ssm")
def create_document(
    call: Call,
    shelf: StagedShelf,
    library: Library,
    *,
    Content: str,
    Name: str,
    Requires: Sequence[Mapping[str, Any]] | None = None,
    Attachments: Sequence[Mapping[str, Any]] | None = None,
    DisplayName: str | None = None,
    VersionName: str | None = None,
    DocumentType: str = "Command",
    DocumentFormat: str = "JSON",
    TargetType: str | None = None,
    Tags: Sequence[Mapping[str, str]] | None = None,
    CloudProviders: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Keep a new document; its first version is the default one."""
    if Attachments or Requires or CloudProviders:
        raise fault.InvalidDocumentContent(f"A document with Attachments, Requires or CloudProviders {NOT_SUPPORTED}.")
    key = ShelfKey(call.account, call.region, DOCUMENT, Name)
    if Name.lower().startswith(RESERVED):
        message = f"The name '{Name}' is reserved: it must not begin with {', '.join(RESERVED)}."
        raise validation_error("ssm", call.protocol, message)
    if shelf.get(key) is not None or Name in library.owned:
        raise fault.DocumentAlreadyExists(f"Document with same name {Name} already exists")
    content = checked(Content, DocumentType)
    first = _version(call, Content, DocumentFormat, VersionName, DisplayName)
    document: dict[str, Any] = {
        "Name": Name,
        "DocumentType": DocumentType,
        "Owner": call.account,
        "TargetType": TargetType,
        "DefaultVersion": "1",
        "LatestVersion": "1",
        "versions": {"1": first},
        "shared": [],
        "Tags": [dict(tag) for tag in Tags or ()],
        "Description": _description(content),
    }
    shelf.put(key, document)
    return {"DocumentDescription": described(document, "1")}


@operation("ssm")
def update_document(
    call: Call,
    shelf: StagedShelf,
    *,
    Content: str,
    Name: str,
    Attachments: Sequence[Mapping[str, Any]] | None = None,
    DisplayName: str | None = None,
    VersionName: str | None = None,
    DocumentVersion: str | None = None,
    DocumentFormat: str = "JSON",
    TargetType: str | None = None,
    CloudProviders: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Keep a new version, made from the newest one; the default one stays."""
    if Attachments or CloudProviders:
        raise fault.InvalidDocumentContent(f"A document with Attachments or CloudProviders {NOT_SUPPORTED}.")
    document = own(call, shelf, Name)
    if DocumentVersion not in (None, "$LATEST", document["LatestVersion"]):
        raise fault.InvalidDocumentVersion("The document version is not valid: only the latest one can be updated.")
    content = checked(Content, document["DocumentType"])
    _refuse_repetition(document, Content, VersionName)
    number = str(int(document["LatestVersion"]) + 1)
    added = _version(call, Content, DocumentFormat, VersionName, DisplayName)
    document |= {
        "LatestVersion": number,
        "versions": {**document["versions"], number: added},
        "Description": _description(content),
        "TargetType": TargetType or document["TargetType"],
    }
    _keep(call, shelf, document)
    return {"DocumentDescription": described(document, number)}


@operation("ssm")
def update_document_default_version(
    call: Call, shelf: StagedShelf, *, Name: str, DocumentVersion: str
) -> dict[str, Any]:
    """From now on the version is meant where none is named."""
    document = own(call, shelf, Name)
    number = numbered(document, DocumentVersion)
    document["DefaultVersion"] = number
    _keep(call, shelf, document)
    chosen = {"Name": Name, "DefaultVersion": number}
    named = document["versions"][number].get("VersionName")
    return {"Description": chosen | ({"DefaultVersionName": named} if named else {})}


@operation("ssm")
def delete_document(
    call: Call,
    shelf: StagedShelf,
    *,
    Name: str,
    DocumentVersion: str | None = None,
    VersionName: str | None = None,
    Force: bool | None = None,
) -> dict[str, Any]:
    """The whole document, or one version of it that is not the default one."""
    document = own(call, shelf, Name)
    if document["shared"]:
        raise fault.InvalidDocumentOperation(f"The document {Name} is shared; stop sharing it, then delete it.")
    if DocumentVersion is None and VersionName is None:
        shelf.delete(ShelfKey(call.account, call.region, DOCUMENT, Name))
        return {}
    number = numbered(document, DocumentVersion, VersionName)
    if number == document["DefaultVersion"]:
        raise fault.InvalidDocumentOperation(f"Version {number} is the default version, which cannot be deleted.")
    left = {each: value for each, value in document["versions"].items() if each != number}
    document |= {"versions": left, "LatestVersion": max(left, key=int)}
    _keep(call, shelf, document)
    return {}


@operation("ssm")
def modify_document_permission(
    call: Call,
    shelf: StagedShelf,
    *,
    Name: str,
    PermissionType: str,
    AccountIdsToAdd: Sequence[str] | None = None,
    AccountIdsToRemove: Sequence[str] | None = None,
    SharedDocumentVersion: str | None = None,
) -> dict[str, Any]:
    """Share with accounts, or with `all`; or stop sharing."""
    document = own(call, shelf, Name)
    kept = [account for account in document["shared"] if account not in (AccountIdsToRemove or ())]
    shared = list(dict.fromkeys([*kept, *(AccountIdsToAdd or ())]))
    if len(shared) > SHARED_MAX:
        raise fault.DocumentPermissionLimit(f"A document is shared with at most {SHARED_MAX} accounts.")
    document |= {"shared": shared, "SharedDocumentVersion": SharedDocumentVersion or "$DEFAULT"}
    _keep(call, shelf, document)
    return {}


def own(call: Call, shelf: StagedShelf, name: str) -> dict[str, Any]:
    """The caller's own document, to be changed."""
    document = shelf.get(ShelfKey(call.account, call.region, DOCUMENT, name))
    if document is None:
        raise fault.InvalidDocument(f"Document with name {name} does not exist.")
    return dict(document)


def found(call: Call, shelf: StagedShelf, library: Library, name: str) -> dict[str, Any]:
    """A document that the caller may see."""
    try:
        return library.find(shelf.get, call.account, call.region, name)
    except NoDocument as error:
        raise fault.InvalidDocument(str(error.args[0])) from error


def numbered(document: Mapping[str, Any], version: str | None, version_name: str | None = None) -> str:
    try:
        return version_of(document, version, version_name)
    except NoVersion as error:
        raise fault.InvalidDocumentVersion(str(error.args[0])) from error


def checked(text: str, document_type: str) -> dict[str, Any]:
    """The content of a document of that type; AWS's fault for what is none."""
    if len(text.encode()) > CONTENT_BYTES_MAX:
        raise fault.MaxDocumentSizeExceeded(f"The size limit of a document is {CONTENT_BYTES_MAX // 1024} KB.")
    try:
        content = read_content(text)
        if document_type == "Automation":
            automation(content, ACTIONS)
    except BadSchemaVersion as error:
        raise fault.InvalidDocumentSchemaVersion(_sentence(error)) from error
    except BadDocument as error:
        raise fault.InvalidDocumentContent(_sentence(error)) from error
    return content


def _sentence(error: BadDocument) -> str:
    text = str(error)
    return f"{text[0].upper()}{text[1:]}."


def _description(content: Mapping[str, Any]) -> str:
    return str(content.get("description") or "")


def _version(
    call: Call, content: str, document_format: str, version_name: str | None, display_name: str | None
) -> dict[str, Any]:
    made = {
        "Content": content,
        "DocumentFormat": document_format,
        "CreatedDate": call.now.isoformat(),
        "Hash": hashlib.sha256(content.encode()).hexdigest(),
        "VersionName": version_name,
        "DisplayName": display_name,
    }
    return {name: value for name, value in made.items() if value is not None}


def _refuse_repetition(document: Mapping[str, Any], content: str, version_name: str | None) -> None:
    versions: Mapping[str, Mapping[str, Any]] = document["versions"]
    if len(versions) >= VERSIONS_MAX:
        raise _limit()
    if versions[document["LatestVersion"]]["Content"] == content:
        raise fault.DuplicateDocumentContent(
            "The content of the association document matches another document. Change the content and try again."
        )
    if version_name is not None and any(each.get("VersionName") == version_name for each in versions.values()):
        raise fault.DuplicateDocumentVersionName(f"The version name {version_name} is used already.")


def _limit() -> Fault:
    return fault.DocumentVersionLimitExceeded(f"A document has at most {VERSIONS_MAX} versions.")


def _keep(call: Call, shelf: StagedShelf, document: dict[str, Any]) -> None:
    shelf.put(ShelfKey(call.account, call.region, DOCUMENT, document["Name"]), document)
