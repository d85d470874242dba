"""Aggregators of an organization through boto3: the management account, an administrator it named, and nobody else."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients.organization import found_organization, members
from tests.clients.recorder import start_recorder
from tests.clients.refusals import check_refused
from trailstate.testing import Lab, lab

CONFIG = "config.amazonaws.com"
NAME = {"ConfigurationAggregatorName": "organization"}
COUNT = "SELECT accountId, COUNT(*) GROUP BY accountId"


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    """An organization of three accounts, two of which record."""
    with lab() as started:
        check_refused("NoAvailableOrganizationException", "no organization", put(started), **wanted(started.account))
        found_organization(started)
        start_recorder(started)
        start_recorder(started, key=members(started)[0])
        started.settle()
        yield started


def put(aws: Lab, account: str | None = None) -> Any:
    return aws.client("config", key=account).put_configuration_aggregator


def wanted(account: str) -> dict[str, Any]:
    role = f"arn:aws:iam::{account}:role/aggregator"
    return {**NAME, "OrganizationAggregationSource": {"RoleArn": role, "AllAwsRegions": True}}


def accounts_seen(aws: Lab, account: str | None = None) -> list[str]:
    config = aws.client("config", key=account)
    found = config.select_aggregate_resource_config(Expression=COUNT, **NAME)["Results"]
    return sorted(json.loads(each)["accountId"] for each in found)


def test_the_management_account_reads_every_member(aws: Lab) -> None:
    put(aws)(**wanted(aws.account))
    assert accounts_seen(aws) == sorted([aws.account, members(aws)[0]])
    trusted = aws.client("organizations").list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    assert CONFIG in [each["ServicePrincipal"] for each in trusted]
    status = aws.client("config").describe_configuration_aggregator_sources_status(**NAME)
    assert {each["SourceType"] for each in status["AggregatedSourceStatusList"]} == {"ORGANIZATION"}


def test_a_member_reads_the_others_only_while_it_is_an_administrator(aws: Lab) -> None:
    first, second = members(aws)
    organizations = aws.client("organizations")
    check_refused("OrganizationAccessDeniedException", "administrator", put(aws, second), **wanted(second))
    organizations.enable_aws_service_access(ServicePrincipal=CONFIG)
    organizations.register_delegated_administrator(AccountId=second, ServicePrincipal=CONFIG)
    put(aws, second)(**wanted(second))
    assert accounts_seen(aws, second) == sorted([aws.account, first])
    organizations.deregister_delegated_administrator(AccountId=second, ServicePrincipal=CONFIG)
    assert accounts_seen(aws, second) == []
    status = aws.client("config", key=second).describe_configuration_aggregator_sources_status(**NAME)
    assert [each["LastUpdateStatus"] for each in status["AggregatedSourceStatusList"]] == ["FAILED"]


def test_a_role_is_needed_and_the_regions_are_said(aws: Lab) -> None:
    source = {"RoleArn": "aggregator", "AllAwsRegions": True}
    check_refused("InvalidRoleException", "ARN of a role", put(aws), **NAME, OrganizationAggregationSource=source)
    source = {"RoleArn": f"arn:aws:iam::{aws.account}:role/x"}
    check_refused(
        "InvalidParameterValueException", "AllAwsRegions", put(aws), **NAME, OrganizationAggregationSource=source
    )
