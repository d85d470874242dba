"""Configuration aggregators: put, described, deleted, and how their sources are."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.compliance.definition import ID_ALPHABET
from trailstate.configuration.aggregate import AGGREGATOR, SERVICE, Aggregation
from trailstate.configuration.recorder import Home
from trailstate.services.config.paged import paged
from trailstate.services.config.tags import put_tags, remove_tags
from trailstate.services.operation import operation
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.values.page import PageTokens
from trailstate.values.timestamp import moment_of, moment_text
from trailstate.wire.call import Call
from trailstate.wire.fault import Fault, faults
from trailstate.world import World

fault = faults("config")

AGGREGATORS_MAX = 50
LIMIT_MAX = 100
ROLE = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/.+")
ID_CHARACTERS = 8
TIMES = ("CreationTime", "LastUpdatedTime")
NOT_AUTHORIZED = "AccessDenied"


def aggregator_of(call: Call, shelf: StagedShelf, name: str) -> dict[str, Any]:
    """One of the caller's aggregators; the fault when there is none of that name."""
    found = shelf.get(_key(call, name))
    if found is None:
        raise fault.NoSuchConfigurationAggregatorException(
            f"The configuration aggregator '{name}' does not exist in this account and region."
        )
    return found


def readable(
    call: Call, shelf: StagedShelf, aggregation: Aggregation, name: str, filters: Mapping[str, str] | None = None
) -> list[Home]:
    """What the caller's aggregator may read: of it, what is in the account and region that the filters name, if any.
    AWS says `Region` where it filters resources, and `AwsRegion` where it filters compliance."""
    asked = filters or {}
    account, region = asked.get("AccountId"), asked.get("Region", asked.get("AwsRegion"))
    found = aggregation.homes(Home(call.account, call.region), aggregator_of(call, shelf, name))
    return [each for each in found if account in (None, each.account) and region in (None, each.region)]


def held_limit(asked: int | None, usual: int, most: int = LIMIT_MAX) -> int:
    """How many to show on a page."""
    if asked is not None and not 0 <= asked <= most:
        raise fault.InvalidLimitException(f"The limit must be between 0 and {most}; found {asked}.")
    return asked or usual


@operation("config")
def put_configuration_aggregator(
    call: Call,
    shelf: StagedShelf,
    world: World,
    aggregation: Aggregation,
    *,
    ConfigurationAggregatorName: str,
    AccountAggregationSources: Sequence[Mapping[str, Any]] | None = None,
    OrganizationAggregationSource: Mapping[str, Any] | None = None,
    Tags: Sequence[Mapping[str, str]] | None = None,
    AggregatorFilters: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Of accounts, each of which has to authorize it, or of the organization that the caller runs."""
    if AggregatorFilters is not None:
        raise _invalid("AggregatorFilters is not supported by Trailstate yet.")
    if bool(AccountAggregationSources) == (OrganizationAggregationSource is not None):
        raise _invalid("Give either AccountAggregationSources or OrganizationAggregationSource.")
    if OrganizationAggregationSource is not None:
        _hold_organization(call, aggregation, OrganizationAggregationSource)
        wanted: dict[str, Any] = {"OrganizationAggregationSource": dict(OrganizationAggregationSource)}
    else:
        wanted = {"AccountAggregationSources": [_held_accounts(each) for each in AccountAggregationSources or ()]}
    made = _fresh(call, shelf, world, ConfigurationAggregatorName) | wanted
    shelf.put(_key(call, ConfigurationAggregatorName), made)
    if Tags:
        put_tags(call, shelf, made["ConfigurationAggregatorArn"], Tags)
    return {"ConfigurationAggregator": _shown(made)}


def _fresh(call: Call, shelf: StagedShelf, world: World, name: str) -> dict[str, Any]:
    """Names and times, those of the one that is there before those of a new one."""
    found, now = shelf.get(_key(call, name)), moment_text(call.now)
    if found is None:
        if sum(1 for _ in shelf.documents(call.account, call.region, AGGREGATOR)) >= AGGREGATORS_MAX:
            raise fault.LimitExceededException(f"There are {AGGREGATORS_MAX} aggregators already, which is the most.")
        identifier = f"config-aggregator-{world.token(ID_CHARACTERS, ID_ALPHABET)}"
        arn = f"arn:aws:config:{call.region}:{call.account}:config-aggregator/{identifier}"
        found = {"ConfigurationAggregatorArn": arn, "CreationTime": now}
    kept = {each: found[each] for each in ("ConfigurationAggregatorArn", "CreationTime")}
    return {"ConfigurationAggregatorName": name, **kept, "LastUpdatedTime": now}


def _held_accounts(source: Mapping[str, Any]) -> dict[str, Any]:
    _hold_regions(source)
    return dict(source)


def _hold_regions(source: Mapping[str, Any]) -> None:
    if bool(source.get("AllAwsRegions")) == bool(source.get("AwsRegions")):
        raise _invalid("Give either AllAwsRegions as true, or AwsRegions.")


def _hold_organization(call: Call, aggregation: Aggregation, source: Mapping[str, Any]) -> None:
    _hold_regions(source)
    if not ROLE.fullmatch(source["RoleArn"]):
        raise fault.InvalidRoleException(f"'{source['RoleArn']}' is not the ARN of a role.")
    organization = aggregation.organizations.of(call.account)
    if organization is None:
        raise fault.NoAvailableOrganizationException(f"The account {call.account} is in no organization.")
    if not organization.has_all_features:
        raise fault.OrganizationAllFeaturesNotEnabledException(
            f"The organization {organization.id} does not have all features enabled."
        )
    if not organization.is_run_by(call.account):
        raise fault.OrganizationAccessDeniedException(
            f"The account {call.account} is neither the management account of the organization nor a delegated"
            " administrator of AWS Config."
        )
    if call.account == organization.management_account:
        aggregation.organizations.act(call.account, "EnableAWSServiceAccess", {"ServicePrincipal": SERVICE})


@operation("config", judges=("Limit",))
def describe_configuration_aggregators(
    call: Call,
    shelf: StagedShelf,
    tokens: PageTokens,
    *,
    ConfigurationAggregatorNames: Sequence[str] | None = None,
    NextToken: str | None = None,
    Limit: int | None = None,
) -> dict[str, Any]:
    """The aggregators of those names, which must all be there, or every one."""
    limit = held_limit(Limit, LIMIT_MAX)
    found = (
        [aggregator_of(call, shelf, name) for name in ConfigurationAggregatorNames]
        if ConfigurationAggregatorNames
        else [value for _, value in shelf.documents(call.account, call.region, AGGREGATOR)]
    )
    return paged(call, tokens, "ConfigurationAggregators", found, limit=limit, token=NextToken, shape=_shown)


@operation("config")
def delete_configuration_aggregator(
    call: Call, shelf: StagedShelf, *, ConfigurationAggregatorName: str
) -> dict[str, Any]:
    """The aggregator with its tags; what its sources hold stays."""
    found = aggregator_of(call, shelf, ConfigurationAggregatorName)
    shelf.delete(_key(call, ConfigurationAggregatorName))
    remove_tags(call, shelf, found["ConfigurationAggregatorArn"])
    return {}


@operation("config", judges=("Limit",))
def describe_configuration_aggregator_sources_status(
    call: Call,
    shelf: StagedShelf,
    aggregation: Aggregation,
    tokens: PageTokens,
    *,
    ConfigurationAggregatorName: str,
    UpdateStatus: Sequence[str] | None = None,
    NextToken: str | None = None,
    Limit: int | None = None,
) -> dict[str, Any]:
    """Sources are read when somebody asks, so each that may be read is up to date."""
    limit = held_limit(Limit, LIMIT_MAX)
    found = aggregator_of(call, shelf, ConfigurationAggregatorName)
    told = [
        {
            "SourceId": each.home.account,
            "SourceType": each.kind,
            "AwsRegion": each.home.region,
            "LastUpdateTime": call.now,
            "LastUpdateStatus": "FAILED" if each.obstacle else "SUCCEEDED",
        }
        | ({"LastErrorCode": NOT_AUTHORIZED, "LastErrorMessage": each.obstacle} if each.obstacle else {})
        for each in aggregation.sources(Home(call.account, call.region), found)
    ]
    chosen = [each for each in told if not UpdateStatus or each["LastUpdateStatus"] in UpdateStatus]
    return paged(call, tokens, "AggregatedSourceStatusList", chosen, limit=limit, token=NextToken)


def _shown(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: moment_of(value) if name in TIMES else value for name, value in document.items()}


def _key(call: Call, name: str) -> ShelfKey:
    return ShelfKey(call.account, call.region, AGGREGATOR, name)


def _invalid(message: str) -> Fault:
    return fault.InvalidParameterValueException(message)
