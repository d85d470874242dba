"""Conformance packs of an organization: put once, deployed to every member account that is not excluded."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from trailstate.compliance.organization import PACKS
from trailstate.services.config.organization import (
    PAGE,
    Thing,
    administered,
    deploy,
    identified,
    identity_of,
    members_of,
    named,
    one,
    status_of,
    targets,
    withdraw,
)
from trailstate.services.config.packs import template_text, validated
from trailstate.services.config.paged import paged
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.wire.call import Call, Door
from trailstate.wire.fault import Fault, faults
from trailstate.world import World

fault = faults("config")

DESCRIBED = ("DeliveryS3Bucket", "DeliveryS3KeyPrefix", "ConformancePackInputParameters", "ExcludedAccounts")
PACK = Thing(
    deployment=PACKS,
    name="OrganizationConformancePack",
    called="organization conformance pack",
    absent=fault.NoSuchOrganizationConformancePackException,
    status="Status",
    member_status="Status",
    prefix="OrgConformsPack",
)


@operation("config")
def put_organization_conformance_pack(
    call: Call,
    shelf: StagedShelf,
    door: Door,
    world: World,
    *,
    OrganizationConformancePackName: str,
    TemplateS3Uri: str | None = None,
    TemplateBody: str | None = None,
    DeliveryS3Bucket: str | None = None,
    DeliveryS3KeyPrefix: str | None = None,
    ConformancePackInputParameters: Sequence[Mapping[str, str]] | None = None,
    ExcludedAccounts: Sequence[str] | None = None,
    Tags: Sequence[Mapping[str, str]] | None = None,
) -> dict[str, Any]:
    """The pack is brought to the members one after the other; the detailed status shows how that goes."""
    found = administered(call, door, world)
    text, most = template_text(call, door, TemplateBody, TemplateS3Uri)
    try:
        validated(text, ConformancePackInputParameters, most)
    except Fault as refused:
        raise fault.OrganizationConformancePackTemplateValidationException(refused.message) from refused
    identity = identity_of(call, shelf, world, PACK, OrganizationConformancePackName)
    asked = {
        "DeliveryS3Bucket": DeliveryS3Bucket,
        "DeliveryS3KeyPrefix": DeliveryS3KeyPrefix,
        "ConformancePackInputParameters": [dict(each) for each in ConformancePackInputParameters or ()],
    }
    kept = {member: value for member, value in asked.items() if value is not None}
    document = {
        "parameters": {"ConformancePackName": identity.deployed, "TemplateBody": text, **kept},
        "accounts": targets(found, ExcludedAccounts),
        "ExcludedAccounts": list(ExcludedAccounts or ()),
        **kept,
    }
    deploy(call, shelf, world, PACK, identity, document, Tags)
    return {"OrganizationConformancePackArn": identity.arn}


@operation("config")
def delete_organization_conformance_pack(
    call: Call, shelf: StagedShelf, door: Door, world: World, *, OrganizationConformancePackName: str
) -> dict[str, Any]:
    withdraw(call, shelf, door, world, PACK, OrganizationConformancePackName)
    return {}


@operation("config")
def describe_organization_conformance_packs(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    OrganizationConformancePackNames: Sequence[str] | None = None,
    Limit: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """The packs of those names, which must all be there, or every one."""
    found = named(shelf, call, PACK, OrganizationConformancePackNames)
    limit, member = Limit or PAGE, "OrganizationConformancePacks"
    return paged(call, tokens, member, found, limit=limit, token=NextToken, shape=_described)


def _described(document: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: document[name] for name in DESCRIBED if name in document}
    return identified(PACK, document) | told


@operation("config")
def describe_organization_conformance_pack_statuses(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    OrganizationConformancePackNames: Sequence[str] | None = None,
    Limit: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """How far each pack is, taken over all accounts."""
    found = named(shelf, call, PACK, OrganizationConformancePackNames)
    limit, member = Limit or PAGE, "OrganizationConformancePackStatuses"
    shape = partial(status_of, PACK)
    return paged(call, tokens, member, found, limit=limit, token=NextToken, shape=shape)


@operation("config")
def get_organization_conformance_pack_detailed_status(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    OrganizationConformancePackName: str,
    Filters: Mapping[str, str] | None = None,
    Limit: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """How far one pack is in each account."""
    members = members_of(PACK, one(shelf, call, PACK, OrganizationConformancePackName), Filters)
    return paged(
        call, tokens, "OrganizationConformancePackDetailedStatuses", members, limit=Limit or PAGE, token=NextToken
    )
