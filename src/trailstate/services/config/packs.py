"""Conformance packs: put, described, withdrawn."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from trailstate.compliance.pack import PACKS_MAX, deploy, find, fresh, hold_rules, packs_of, withdraw
from trailstate.compliance.template import BODY_BYTES_MAX, TEMPLATE_BYTES_MAX, BadTemplate, Template, read_template
from trailstate.services.config.paged import paged
from trailstate.services.config.rules import made_by
from trailstate.services.config.tags import put_tags, remove_tags
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.values.timestamp import moment_of
from trailstate.wire.call import Call, Door
from trailstate.wire.fault import Fault, faults
from trailstate.world import World

fault = faults("config")

PACKS_LIMIT = 20
DETAIL_MEMBERS = (
    "ConformancePackName",
    "ConformancePackArn",
    "ConformancePackId",
    "DeliveryS3Bucket",
    "DeliveryS3KeyPrefix",
    "ConformancePackInputParameters",
    "CreatedBy",
    "TemplateSSMDocumentDetails",
    "Scope",
)


def no_such_pack(name: str) -> Fault:
    return fault.NoSuchConformancePackException(f"Conformance pack '{name}' does not exist.")


def existing_pack(shelf: StagedShelf, call: Call, name: str) -> dict[str, Any]:
    """One of the caller's packs; the fault when there is none."""
    found = find(shelf, call.account, call.region, name)
    if found is None:
        raise no_such_pack(name)
    return found


@operation("config")
def put_conformance_pack(
    call: Call,
    shelf: StagedShelf,
    door: Door,
    world: World,
    *,
    ConformancePackName: str,
    TemplateS3Uri: str | None = None,
    TemplateBody: str | None = None,
    DeliveryS3Bucket: str | None = None,
    DeliveryS3KeyPrefix: str | None = None,
    ConformancePackInputParameters: Sequence[Mapping[str, str]] | None = None,
    TemplateSSMDocumentDetails: Mapping[str, str] | None = None,
    Tags: Sequence[Mapping[str, str]] | None = None,
    Source: Mapping[str, str] | None = None,
    Scope: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """All rules of the pack stand when this returns; its remediations follow, and then its state is COMPLETE."""
    if Source is not None:
        raise fault.InvalidParameterValueException(
            "A managed conformance pack (Source) is not supported by Trailstate yet; give its template."
        )
    text, most = template_text(call, door, TemplateBody, TemplateS3Uri, TemplateSSMDocumentDetails)
    known = find(shelf, call.account, call.region, ConformancePackName)
    if known is None and len(packs_of(shelf, call.account, call.region)) >= PACKS_MAX:
        raise fault.MaxNumberOfConformancePacksExceededException(
            f"The account already has the maximum number of {PACKS_MAX} conformance packs in this Region."
        )
    template = validated(text, ConformancePackInputParameters, most)
    if known is not None and known.get("CreatedBy", "") != made_by(call):
        raise _belongs_to_organization(ConformancePackName)
    identity = known or fresh(world, call.account, call.region, ConformancePackName)
    asked = {
        "DeliveryS3Bucket": DeliveryS3Bucket,
        "DeliveryS3KeyPrefix": DeliveryS3KeyPrefix,
        "ConformancePackInputParameters": list(ConformancePackInputParameters or ()),
        "TemplateSSMDocumentDetails": TemplateSSMDocumentDetails,
        "Scope": Scope,
    }
    pack = {name: identity[name] for name in ("ConformancePackName", "ConformancePackId", "ConformancePackArn")}
    asked["CreatedBy"] = made_by(call) or None
    pack |= {name: value for name, value in asked.items() if value is not None}
    deploy(shelf, call, world, pack, template, account=call.account)
    if Tags and known is None:
        put_tags(call, shelf, pack["ConformancePackArn"], Tags)
    return {"ConformancePackArn": pack["ConformancePackArn"]}


def _belongs_to_organization(name: str) -> Fault:
    return fault.ResourceInUseException(f"The conformance pack '{name}' belongs to an organization conformance pack.")


def validated(text: str, given: Sequence[Mapping[str, str]] | None, bytes_max: int) -> Template:
    """The template with its parameters filled in; AWS's fault when it cannot be deployed."""
    parameters = {each["ParameterName"]: each["ParameterValue"] for each in given or ()}
    try:
        template = read_template(text, parameters, bytes_max=bytes_max)
        hold_rules(template)
    except BadTemplate as error:
        raise fault.ConformancePackTemplateValidationException(str(error)) from error
    return template


def template_text(
    call: Call,
    door: Door,
    body: str | None,
    uri: str | None,
    document: Mapping[str, str] | None = None,
) -> tuple[str, int]:
    """The text of the template, and how large it may be; read as the caller, who must be allowed to."""
    given = [each for each in (body, uri, document) if each is not None]
    if len(given) != 1:
        raise fault.InvalidParameterValueException(
            "Give exactly one of TemplateBody, TemplateS3Uri and TemplateSSMDocumentDetails;"
            f" the request has {len(given)}."
        )
    if body is not None:
        return body, BODY_BYTES_MAX
    if uri is not None:
        return _from_s3(call, door, uri), TEMPLATE_BYTES_MAX
    return _from_ssm(call, door, document or {}), TEMPLATE_BYTES_MAX


def _from_s3(call: Call, door: Door, uri: str) -> str:
    parts = urlsplit(uri)
    answer = _read(call, door, "s3", "GetObject", {"Bucket": parts.netloc, "Key": parts.path.lstrip("/")}, uri)
    raw = answer["Body"]
    content: bytes = raw if isinstance(raw, bytes) else raw.read()
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise fault.ConformancePackTemplateValidationException(f"The template at {uri} is not UTF-8 text.") from None


def _from_ssm(call: Call, door: Door, details: Mapping[str, str]) -> str:
    name = details["DocumentName"]
    asked = {"Name": name} | ({"DocumentVersion": details["DocumentVersion"]} if details.get("DocumentVersion") else {})
    return str(_read(call, door, "ssm", "GetDocument", asked, name)["Content"])


def _read(
    call: Call, door: Door, service: str, operation: str, parameters: Mapping[str, Any], what: str
) -> Mapping[str, Any]:
    try:
        return door.call(service, operation, parameters, account=call.account, region=call.region, as_=call.principal)
    except Fault as refused:
        raise fault.InvalidParameterValueException(
            f"The template '{what}' cannot be read. {refused.code}: {refused.message}"
        ) from refused


@operation("config")
def describe_conformance_packs(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    ConformancePackNames: Sequence[str] | None = None,
    Limit: int | None = None,
    NextToken: str | None = None,
    Filters: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """The packs of those names, which must all be there, or every pack."""
    named = [existing_pack(shelf, call, name) for name in ConformancePackNames or ()]
    found = _chosen(named if ConformancePackNames else packs_of(shelf, call.account, call.region), Filters)
    limit = Limit or PACKS_LIMIT
    return paged(call, tokens, "ConformancePackDetails", found, limit=limit, token=NextToken, shape=_detail)


def _chosen(packs: list[dict[str, Any]], filters: Mapping[str, Sequence[str]] | None) -> list[dict[str, Any]]:
    """Every pack here is one of the user's own."""
    types = (filters or {}).get("Types")
    return packs if not types or "CUSTOM" in types else []


def _detail(pack: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: pack[name] for name in DETAIL_MEMBERS if name in pack}
    told.setdefault("ConformancePackInputParameters", [])
    return told | {"LastUpdateRequestedTime": moment_of(pack["LastUpdateRequestedTime"]), "Type": "CUSTOM"}


@operation("config")
def describe_conformance_pack_status(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    ConformancePackNames: Sequence[str] | None = None,
    Limit: int | None = None,
    NextToken: str | None = None,
    Filters: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """How far the deployment of each pack is; names of no pack are passed over."""
    packs = packs_of(shelf, call.account, call.region)
    named = [each for each in packs if each["ConformancePackName"] in (ConformancePackNames or ())]
    found = _chosen(named if ConformancePackNames else packs, Filters)
    limit = Limit or PACKS_LIMIT
    return paged(
        call,
        tokens,
        "ConformancePackStatusDetails",
        found,
        limit=limit,
        token=NextToken,
        shape=lambda each: _status(call, each),
    )


def _status(call: Call, pack: Mapping[str, Any]) -> dict[str, Any]:
    name, identifier = pack["ConformancePackName"], pack["ConformancePackId"]
    stack = f"arn:aws:cloudformation:{call.region}:{call.account}:stack/awsconfigconforms-{name}-{identifier}"
    told: dict[str, Any] = {
        "ConformancePackName": name,
        "ConformancePackId": identifier,
        "ConformancePackArn": pack["ConformancePackArn"],
        "ConformancePackState": pack["state"],
        "StackArn": stack,
        "LastUpdateRequestedTime": moment_of(pack["LastUpdateRequestedTime"]),
        "Type": "CUSTOM",
    }
    if pack.get("reason"):
        told["ConformancePackStatusReason"] = pack["reason"]
    if pack.get("completed"):
        told["LastUpdateCompletedTime"] = moment_of(pack["completed"])
    return told


@operation("config")
def delete_conformance_pack(call: Call, shelf: StagedShelf, door: Door, *, ConformancePackName: str) -> dict[str, Any]:
    """The pack with its rules and remediations; one of an organization goes by the organization alone."""
    found = existing_pack(shelf, call, ConformancePackName)
    if found.get("CreatedBy", "") != made_by(call):
        raise _belongs_to_organization(ConformancePackName)
    withdraw(shelf, call, door, found, account=call.account)
    remove_tags(call, shelf, found["ConformancePackArn"])
    return {}
