"""Workgroups: where the answers of a group's queries go, and whether it may ask at all (Athena API reference)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from trailstate.services.athena.listing import listed, refused
from trailstate.services.operation import operation
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.wire.call import Call
from trailstate.wire.fault import faults

fault = faults("athena")

KIND = "lake.workgroup"
PRIMARY = "primary"
SHORT = ("Name", "State", "Description", "CreationTime")
DEFAULTS = {
    "EnforceWorkGroupConfiguration": False,
    "PublishCloudWatchMetricsEnabled": False,
    "RequesterPaysEnabled": False,
    "EngineVersion": {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"},
}
REMOVALS = {
    "RemoveOutputLocation": "OutputLocation",
    "RemoveEncryptionConfiguration": "EncryptionConfiguration",
    "RemoveExpectedBucketOwner": "ExpectedBucketOwner",
    "RemoveAclConfiguration": "AclConfiguration",
}


def found_workgroup(call: Call, shelf: StagedShelf, name: str) -> dict[str, Any]:
    """The workgroup of that name; the primary one is always there."""
    document = shelf.get(_key(call, name))
    if document is None and name == PRIMARY:
        return {"Name": PRIMARY, "State": "ENABLED", "Description": "", "Configuration": DEFAULTS, "Tags": []}
    if document is None:
        raise refused(f"WorkGroup {name} is not found.")
    return document


@operation("athena")
def create_work_group(
    call: Call,
    shelf: StagedShelf,
    *,
    Name: str,
    Configuration: Mapping[str, Any] | None = None,
    Description: str | None = None,
    Tags: Sequence[Mapping[str, str]] | None = None,
) -> dict[str, Any]:
    """Make a workgroup."""
    if Name == PRIMARY or shelf.get(_key(call, Name)) is not None:
        raise refused(f"WorkGroup {Name} is already created")
    document = {
        "Name": Name,
        "State": "ENABLED",
        "Description": Description or "",
        "Configuration": DEFAULTS | {"EnforceWorkGroupConfiguration": True} | dict(Configuration or {}),
        "CreationTime": call.now.isoformat(),
        "Tags": [dict(each) for each in Tags or ()],
    }
    shelf.put(_key(call, Name), document)
    return {}


@operation("athena")
def get_work_group(call: Call, shelf: StagedShelf, *, WorkGroup: str) -> dict[str, Any]:
    """One workgroup whole."""
    return {"WorkGroup": _told(found_workgroup(call, shelf, WorkGroup))}


@operation("athena")
def list_work_groups(
    call: Call, shelf: StagedShelf, tokens: PageTokens, *, NextToken: str | None = None, MaxResults: int | None = None
) -> dict[str, Any]:
    """Every workgroup in short, by name."""
    made = {key.name: each for key, each in shelf.documents(call.account, call.region, KIND)}
    found = [(made | {PRIMARY: found_workgroup(call, shelf, PRIMARY)})[name] for name in sorted({*made, PRIMARY})]
    return listed(call, tokens, "WorkGroups", ["workgroups"], found, limit=MaxResults, token=NextToken, shape=_short)


def _short(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in _told(document).items() if name in SHORT}


@operation("athena")
def update_work_group(
    call: Call,
    shelf: StagedShelf,
    *,
    WorkGroup: str,
    Description: str | None = None,
    ConfigurationUpdates: Mapping[str, Any] | None = None,
    State: str | None = None,
) -> dict[str, Any]:
    """Change a workgroup; what is not named stays."""
    before = found_workgroup(call, shelf, WorkGroup)
    settings = dict(before["Configuration"])
    for name, value in (ConfigurationUpdates or {}).items():
        if name == "ResultConfigurationUpdates":
            settings["ResultConfiguration"] = _results(settings.get("ResultConfiguration") or {}, value)
        elif name != "RemoveBytesScannedCutoffPerQuery":
            settings[name] = value
        elif value:
            settings.pop("BytesScannedCutoffPerQuery", None)
    after = before | {"Configuration": settings}
    after |= {"Description": Description} if Description is not None else {}
    after |= {"State": State} if State is not None else {}
    shelf.put(_key(call, WorkGroup), after)
    return {}


def _results(before: Mapping[str, Any], updates: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in updates.items() if name not in REMOVALS}
    gone = {REMOVALS[name] for name, value in updates.items() if name in REMOVALS and value}
    return {name: value for name, value in {**before, **kept}.items() if name not in gone}


@operation("athena")
def delete_work_group(
    call: Call, shelf: StagedShelf, *, WorkGroup: str, RecursiveDeleteOption: bool | None = None
) -> dict[str, Any]:
    """Remove a workgroup; what it asked stays on record."""
    if WorkGroup == PRIMARY:
        raise refused("primary WorkGroup could not be deleted")
    found_workgroup(call, shelf, WorkGroup)
    shelf.delete(_key(call, WorkGroup))
    return {}


@operation("athena")
def list_tags_for_resource(
    call: Call, shelf: StagedShelf, *, ResourceARN: str, NextToken: str | None = None, MaxResults: int | None = None
) -> dict[str, Any]:
    """A workgroup's tags."""
    return {"Tags": _tagged(call, shelf, ResourceARN).get("Tags", [])}


@operation("athena")
def tag_resource(
    call: Call, shelf: StagedShelf, *, ResourceARN: str, Tags: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """Add or replace a workgroup's tags."""
    document = _tagged(call, shelf, ResourceARN)
    tags = {each["Key"]: dict(each) for each in (*document.get("Tags", ()), *Tags)}
    shelf.put(_key(call, document["Name"]), document | {"Tags": list(tags.values())})
    return {}


@operation("athena")
def untag_resource(call: Call, shelf: StagedShelf, *, ResourceARN: str, TagKeys: Sequence[str]) -> dict[str, Any]:
    """Take tags from a workgroup."""
    document = _tagged(call, shelf, ResourceARN)
    kept = [each for each in document.get("Tags", ()) if each["Key"] not in TagKeys]
    shelf.put(_key(call, document["Name"]), document | {"Tags": kept})
    return {}


def _tagged(call: Call, shelf: StagedShelf, arn: str) -> dict[str, Any]:
    prefix = f"arn:aws:athena:{call.region}:{call.account}:workgroup/"
    if not arn.startswith(prefix):
        raise fault.ResourceNotFoundException(
            f"Expected the ARN of a workgroup ({prefix}…); found {arn}.", ResourceName=arn
        )
    return found_workgroup(call, shelf, arn.removeprefix(prefix))


def _told(document: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in document.items() if name != "Tags"}
    if "CreationTime" in shown:
        shown["CreationTime"] = datetime.fromisoformat(shown["CreationTime"])
    return shown


def _key(call: Call, name: str) -> ShelfKey:
    return ShelfKey(call.account, call.region, KIND, name)
