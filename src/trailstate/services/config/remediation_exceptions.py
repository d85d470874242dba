"""Resources that are kept from automatic repair, until a time or for good.

https://docs.aws.amazon.com/config/latest/APIReference/API_PutRemediationExceptions.html
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from trailstate.remediation.place import EXCEPTION, Place, exception
from trailstate.services.config.paged import paged
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.wire.call import Call
from trailstate.wire.fault import faults

fault = faults("config")

PAGE_SIZE = 100


@operation("config")
def put_remediation_exceptions(
    call: Call,
    shelf: StagedShelf,
    *,
    ConfigRuleName: str,
    ResourceKeys: Sequence[Mapping[str, str]],
    Message: str | None = None,
    ExpirationTime: datetime | None = None,
) -> dict[str, Any]:
    """Keep the resources from automatic repair."""
    if ExpirationTime is not None and ExpirationTime <= call.now:
        raise fault.InvalidParameterValueException("The expiration time of an exception lies in the future.")
    for place in _excepted(call, ConfigRuleName, ResourceKeys):
        shelf.put(place.exception, exception(place, Message, ExpirationTime))
    return {"FailedBatches": []}


@operation("config")
def describe_remediation_exceptions(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    ConfigRuleName: str,
    ResourceKeys: Sequence[Mapping[str, str]] | None = None,
    Limit: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """The exceptions that have not ended."""
    keys = _excepted(call, ConfigRuleName, ResourceKeys or ())
    wanted = {(place.resource_type, place.resource_id) for place in keys}
    found = []
    for _, each in shelf.documents(call.account, call.region, EXCEPTION):
        ends = datetime.fromisoformat(each["ExpirationTime"]) if "ExpirationTime" in each else None
        is_asked_for = not wanted or (each["ResourceType"], each["ResourceId"]) in wanted
        if each["ConfigRuleName"] == ConfigRuleName and is_asked_for and (ends is None or ends > call.now):
            found.append(each | ({} if ends is None else {"ExpirationTime": ends}))
    return paged(call, tokens, "RemediationExceptions", found, limit=Limit or PAGE_SIZE, token=NextToken)


@operation("config")
def delete_remediation_exceptions(
    call: Call, shelf: StagedShelf, *, ConfigRuleName: str, ResourceKeys: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """Those that are there; the others come back as failed, and all of them are a fault."""
    missing = []
    for place in _excepted(call, ConfigRuleName, ResourceKeys):
        if shelf.get(place.exception) is None:
            missing.append({"ResourceType": place.resource_type, "ResourceId": place.resource_id})
        else:
            shelf.delete(place.exception)
    if len(missing) == len(ResourceKeys):
        raise fault.NoSuchRemediationExceptionException(f"The rule {ConfigRuleName} has no such remediation exception.")
    return {"FailedBatches": [{"FailureMessage": "No such exception.", "FailedItems": missing}] if missing else []}


def _excepted(call: Call, rule: str, keys: Sequence[Mapping[str, str]]) -> list[Place]:
    """The resources of the keys. The model requires neither half of a key, but without one it names nothing."""
    for key in keys:
        if key.get("ResourceType") is None or key.get("ResourceId") is None:
            raise fault.InvalidParameterValueException(
                "A resource key of an exception has a ResourceType and a ResourceId; "
                f"one of the request has {' and '.join(sorted(key)) or 'neither'}."
            )
    return [Place(call.account, call.region, rule, key["ResourceType"], key["ResourceId"]) for key in keys]
