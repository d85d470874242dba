"""CreateTrail, UpdateTrail and DeleteTrail, as their API reference pages describe them."""

from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.services.cloudtrail.destination import Destinations
from trailstate.services.cloudtrail.found import (
    fault,
    find_changeable,
    save_trail,
    trails_here,
)
from trailstate.services.cloudtrail.naming import check_destination_names, check_name, trail_arn
from trailstate.services.cloudtrail.tags import drop_tags, put_new_tags
from trailstate.services.operation import operation
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.trail.organization import Organization, Organizations
from trailstate.trail.status import status_key
from trailstate.trail.trails import DEFAULT_SELECTORS, TRAIL, trail_key
from trailstate.wire.call import Call, Door

TRAILS_PER_REGION_MAX = 5

CHANGED = (
    *("Name", "S3BucketName", "S3KeyPrefix", "SnsTopicName", "SnsTopicARN", "IncludeGlobalServiceEvents"),
    *("IsMultiRegionTrail", "TrailARN", "LogFileValidationEnabled", "CloudWatchLogsLogGroupArn"),
    *("CloudWatchLogsRoleArn", "KmsKeyId", "IsOrganizationTrail", "RecursiveLogging"),
)
"""The members that CreateTrail and UpdateTrail answer."""

RENAMED = {"EnableLogFileValidation": "LogFileValidationEnabled"}
DEFAULTS = {
    "IncludeGlobalServiceEvents": True,
    "IsMultiRegionTrail": False,
    "LogFileValidationEnabled": False,
    "IsOrganizationTrail": False,
    "RecursiveLogging": True,
}


@operation("cloudtrail")
def create_trail(
    call: Call,
    shelf: StagedShelf,
    door: Door,
    organizations: Organizations,
    *,
    Name: str,
    S3BucketName: str,
    S3KeyPrefix: str | None = None,
    SnsTopicName: str | None = None,
    IncludeGlobalServiceEvents: bool | None = None,
    IsMultiRegionTrail: bool | None = None,
    EnableLogFileValidation: bool | None = None,
    CloudWatchLogsLogGroupArn: str | None = None,
    CloudWatchLogsRoleArn: str | None = None,
    KmsKeyId: str | None = None,
    IsOrganizationTrail: bool | None = None,
    TagsList: Sequence[Mapping[str, str]] | None = None,
    RecursiveLogging: bool | None = None,
) -> dict[str, Any]:
    """A new trail, whose home is the call's region. It logs from StartLogging on."""
    check_name(Name)
    organization = _organization(call, organizations) if IsOrganizationTrail else None
    key = trail_key(organization.management_account if organization else call.account, call.region, Name)
    fresh: dict[str, Any] = {
        "HomeRegion": call.region,
        "HasCustomEventSelectors": False,
        "HasInsightSelectors": False,
        "EventSelectors": [dict(each) for each in DEFAULT_SELECTORS],
        "IsLogging": False,
        "Generation": 0,
        "Creation": call.event_id,
        "TrailARN": trail_arn(key.account, key.region, key.name),
    }
    document = _asked(fresh | DEFAULTS, call.parameters)
    if shelf.get(key) is not None:
        raise fault.TrailAlreadyExistsException(f"Trail {key.name} already exists for customer: {call.account}")
    _check_room(call, shelf, organizations, key, document)
    document = _checked(call, door, key, _in_organization(document, organization), document)
    put_new_tags(shelf, document["TrailARN"], TagsList or ())
    save_trail(call, shelf, key, document)
    return changed(document)


@operation("cloudtrail")
def update_trail(
    call: Call,
    shelf: StagedShelf,
    door: Door,
    organizations: Organizations,
    *,
    Name: str,
    S3BucketName: str | None = None,
    S3KeyPrefix: str | None = None,
    SnsTopicName: str | None = None,
    IncludeGlobalServiceEvents: bool | None = None,
    IsMultiRegionTrail: bool | None = None,
    EnableLogFileValidation: bool | None = None,
    CloudWatchLogsLogGroupArn: str | None = None,
    CloudWatchLogsRoleArn: str | None = None,
    KmsKeyId: str | None = None,
    IsOrganizationTrail: bool | None = None,
    RecursiveLogging: bool | None = None,
) -> dict[str, Any]:
    """The members given replace the trail's; an empty text takes one away."""
    key, before = find_changeable(call, shelf, organizations, Name)
    after = _asked(before, {name: value for name, value in call.parameters.items() if name != "Name"})
    organization = _organization(call, organizations) if after["IsOrganizationTrail"] else None
    if organization is not None and organization.management_account != key.account:
        raise fault.NotOrganizationMasterAccountException(
            f"Only a trail of the management account {organization.management_account} can become one of the"
            " organization."
        )
    if after["IsMultiRegionTrail"] and not before["IsMultiRegionTrail"]:
        _check_room(call, shelf, organizations, key, after)
    after = _checked(call, door, key, _in_organization(after, organization), call.parameters)
    save_trail(call, shelf, key, after)
    return changed(after)


@operation("cloudtrail")
def delete_trail(call: Call, shelf: StagedShelf, organizations: Organizations, *, Name: str) -> dict[str, Any]:
    """The trail is no more; what it delivered stays where it is."""
    key, document = find_changeable(call, shelf, organizations, Name)
    drop_tags(shelf, document["TrailARN"])
    shelf.delete(status_key(key))
    save_trail(call, shelf, key, None)
    return {}


def changed(document: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of CreateTrail and UpdateTrail."""
    return {name: document[name] for name in CHANGED if name in document}


def _asked(document: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The document with what a request gives; empty texts take members away."""
    given = {RENAMED.get(name, name): value for name, value in parameters.items() if name != "TagsList"}
    return {name: value for name, value in {**document, **given}.items() if value is not None and value != ""}


def _organization(call: Call, organizations: Organizations) -> Organization:
    """The organization for which the caller may make a trail; AWS's exceptions otherwise."""
    found = organizations.of(call.account)
    if found is None:
        raise fault.OrganizationsNotInUseException(f"The account {call.account} is not a member of an organization.")
    if not found.is_run_by(call.account):
        raise fault.NotOrganizationMasterAccountException(
            f"The account {call.account} is neither the management account of {found.id} nor a delegated administrator."
        )
    if not found.has_all_features:
        raise fault.OrganizationNotInAllFeaturesModeException(f"{found.id} does not have all features enabled.")
    if not found.trusts_service:
        raise fault.CloudTrailAccessNotEnabledException(
            "The request could not be processed because your organization hasn't enabled CloudTrail service access."
            " Enable service access, and then try again."
        )
    return found


def _in_organization(document: dict[str, Any], organization: Organization | None) -> dict[str, Any]:
    rest = {name: value for name, value in document.items() if name != "OrganizationId"}
    return rest if organization is None else rest | {"OrganizationId": organization.id}


def _check_room(
    call: Call, shelf: StagedShelf, organizations: Organizations, key: ShelfKey, document: Mapping[str, Any]
) -> None:
    """TrailAlreadyExistsException, or MaximumNumberOfTrailsExceededException, in any Region that the trail would newly
    reach: as a trail or, from its home in another, as the shadow of one."""
    others = [each for each in shelf.documents(key.account, None, TRAIL) if each[0] != key]
    is_everywhere = document["IsMultiRegionTrail"]
    named = [*(others if is_everywhere else ()), *trails_here(call, shelf, organizations)]
    if any(each.name == key.name and each != key for each, _ in named):
        raise fault.TrailAlreadyExistsException(f"Trail {key.name} already exists for customer: {call.account}")
    for region in sorted({call.region, *(each.region for each, _ in others if is_everywhere)}):
        count = sum(1 for each, held in others if each.region == region or held["IsMultiRegionTrail"])
        if count >= TRAILS_PER_REGION_MAX:
            raise fault.MaximumNumberOfTrailsExceededException(
                f"User: {key.account} already has {count} trails in {region}."
            )


def _checked(
    call: Call, door: Door, key: ShelfKey, document: dict[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """The document with its destinations proven, and their ARNs written in."""
    if document["IsMultiRegionTrail"] and not document["IncludeGlobalServiceEvents"]:
        raise fault.InvalidParameterCombinationException("Multi-Region trail must include global service events.")
    check_destination_names(document)
    ask = Destinations(call, door)
    document = _with_arns(ask, document)
    ask.check_bucket(document, key.account)
    if "SnsTopicName" in document and "SnsTopicName" in given:
        ask.check_topic(document, key.account)
    if "KmsKeyId" in document and "KmsKeyId" in given:
        ask.check_key(document, key.account)
    if {"CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn"} & document.keys() & given.keys():
        ask.check_log_group(document)
    return document


def _with_arns(ask: Destinations, document: dict[str, Any]) -> dict[str, Any]:
    """A topic's ARN stands beside its name, a key's ARN in place of its id or alias."""
    found = {name: value for name, value in document.items() if name != "SnsTopicARN"}
    if "SnsTopicName" in found:
        found["SnsTopicARN"] = ask.topic_arn(found["SnsTopicName"])
    if "KmsKeyId" in found:
        found["KmsKeyId"] = ask.key_arn(found["KmsKeyId"])
    return found
