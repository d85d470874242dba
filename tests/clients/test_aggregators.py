"""Aggregators through boto3: who authorizes whom, what is read of many accounts, and what never is."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients.recorder import start_recorder
from tests.clients.test_compliance import GROUP, SSH, check_refused
from tests.clients.test_packs import TEMPLATE
from trailstate.testing import DEFAULT_REGION, Lab, lab

FRIEND, STRANGER = "444455556666", "999988887777"
VOLUME = "AWS::EC2::Volume"
NAME = {"ConfigurationAggregatorName": "everyone"}
SOURCES = [{"AccountIds": [FRIEND, STRANGER], "AwsRegions": [DEFAULT_REGION]}]


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    """Three accounts that record and judge, each with a volume tagged with a word of its own; one aggregator over the
    other two, which only the friend authorized."""
    with lab() as started:
        for account in (started.account, FRIEND, STRANGER):
            furnish(started, account)
        started.settle()
        started.client("config").put_configuration_aggregator(**NAME, AccountAggregationSources=SOURCES)
        authorize(started, FRIEND)
        yield started


def furnish(aws: Lab, account: str) -> None:
    start_recorder(aws, key=account)
    ec2, config = aws.client("ec2", key=account), aws.client("config", key=account)
    tags = [{"ResourceType": "volume", "Tags": [{"Key": "word", "Value": f"canary-{account}"}]}]
    ec2.create_volume(AvailabilityZone="us-east-1a", Size=8, TagSpecifications=tags)
    config.put_config_rule(ConfigRule=SSH | {"ConfigRuleName": f"ssh-{account}"})
    config.put_conformance_pack(ConformancePackName=f"pack-{account}", TemplateBody=TEMPLATE)


def authorize(aws: Lab, account: str) -> None:
    theirs = aws.client("config", key=account)
    theirs.put_aggregation_authorization(AuthorizedAccountId=aws.account, AuthorizedAwsRegion=DEFAULT_REGION)


def ask(aws: Lab, expression: str, **options: Any) -> list[Any]:
    found = aws.client("config").select_aggregate_resource_config(Expression=expression, **NAME, **options)
    return [json.loads(each) for each in found["Results"]]


def volume_of(aws: Lab, account: str) -> str:
    found: str = aws.client("ec2", key=account).describe_volumes()["Volumes"][0]["VolumeId"]
    return found


def test_an_account_is_asked_and_agrees_or_declines(aws: Lab) -> None:
    config, theirs = aws.client("config"), aws.client("config", key=STRANGER)
    waiting = {"RequesterAccountId": aws.account, "RequesterAwsRegion": DEFAULT_REGION}
    assert theirs.describe_pending_aggregation_requests()["PendingAggregationRequests"] == [waiting]
    assert aws.client("config", key=FRIEND).describe_pending_aggregation_requests()["PendingAggregationRequests"] == []
    theirs.delete_pending_aggregation_request(**waiting)
    assert theirs.describe_pending_aggregation_requests()["PendingAggregationRequests"] == []
    aws.advance(1)
    config.put_configuration_aggregator(**NAME, AccountAggregationSources=SOURCES)
    assert theirs.describe_pending_aggregation_requests()["PendingAggregationRequests"] == [waiting]
    told = config.describe_configuration_aggregator_sources_status(**NAME)["AggregatedSourceStatusList"]
    status = {each["SourceId"]: each for each in told}
    assert status[FRIEND]["LastUpdateStatus"] == "SUCCEEDED"
    assert status[STRANGER]["LastUpdateStatus"] == "FAILED"
    assert "has not authorized" in status[STRANGER]["LastErrorMessage"]


def everything_read(aws: Lab) -> str:
    """All that the aggregator tells of a rule, a pack and a volume of each account."""
    config = aws.client("config")
    told: list[Any] = [
        *(ask(aws, "SELECT resourceId, tags, configuration, accountId WHERE resourceType LIKE 'AWS::%'", Limit=100)),
        *(ask(aws, "SELECT accountId, COUNT(*) GROUP BY accountId")),
        config.list_aggregate_discovered_resources(**NAME, ResourceType=VOLUME),
        config.get_aggregate_discovered_resource_counts(**NAME, GroupByKey="ACCOUNT_ID"),
        config.describe_aggregate_compliance_by_config_rules(**NAME),
        config.describe_aggregate_compliance_by_conformance_packs(**NAME),
        config.get_aggregate_config_rule_compliance_summary(**NAME, GroupByKey="ACCOUNT_ID"),
        config.get_aggregate_conformance_pack_compliance_summary(**NAME, GroupByKey="ACCOUNT_ID"),
    ]
    keys = [
        {"SourceAccountId": each, "SourceRegion": DEFAULT_REGION, "ResourceId": volume_of(aws, each)}
        for each in (FRIEND, STRANGER)
    ]
    batch = config.batch_get_aggregate_resource_config(
        **NAME, ResourceIdentifiers=[each | {"ResourceType": VOLUME} for each in keys]
    )
    return json.dumps([*told, batch["BaseConfigurationItems"]], default=str)


def test_what_is_not_authorized_is_never_told(aws: Lab) -> None:
    told = everything_read(aws)
    assert f"canary-{FRIEND}" in told
    assert STRANGER not in told
    assert volume_of(aws, STRANGER) not in told
    config = aws.client("config")
    identifier = {"SourceAccountId": STRANGER, "SourceRegion": DEFAULT_REGION, "ResourceType": VOLUME}
    identifier["ResourceId"] = volume_of(aws, STRANGER)
    read = config.get_aggregate_resource_config
    check_refused("ResourceNotDiscoveredException", "unknown", read, **NAME, ResourceIdentifier=identifier)
    details = config.get_aggregate_compliance_details_by_config_rule
    where = {"ConfigRuleName": f"ssh-{STRANGER}", "AccountId": STRANGER, "AwsRegion": DEFAULT_REGION}
    check_refused("ValidationException", "knows no rule", details, **NAME, **where)


def test_an_authorization_holds_for_its_region_and_its_reader_only(aws: Lab) -> None:
    other, theirs = aws.client("config", region="eu-west-1"), aws.client("config", key=STRANGER)
    theirs.put_aggregation_authorization(AuthorizedAccountId=aws.account, AuthorizedAwsRegion="eu-west-1")
    elsewhere = aws.client("config", region="eu-west-1", key=STRANGER)
    elsewhere.put_aggregation_authorization(AuthorizedAccountId=aws.account, AuthorizedAwsRegion=DEFAULT_REGION)
    assert STRANGER not in everything_read(aws)
    sources = [{"AccountIds": [STRANGER], "AllAwsRegions": True}]
    other.put_configuration_aggregator(**NAME, AccountAggregationSources=sources)
    found = other.select_aggregate_resource_config(Expression="SELECT tags WHERE tags.key = 'word'", **NAME)["Results"]
    assert f"canary-{STRANGER}" in found[0]
    theirs.delete_aggregation_authorization(AuthorizedAccountId=aws.account, AuthorizedAwsRegion="eu-west-1")
    assert other.select_aggregate_resource_config(Expression="SELECT tags", **NAME)["Results"] == []
    assert theirs.describe_aggregation_authorizations()["AggregationAuthorizations"] == []


def test_resources_of_many_accounts_are_read(aws: Lab) -> None:
    config = aws.client("config")
    config.put_configuration_aggregator(
        ConfigurationAggregatorName="two",
        AccountAggregationSources=[{"AccountIds": [aws.account, FRIEND], "AllAwsRegions": True}],
    )
    name = {"ConfigurationAggregatorName": "two"}
    listed = config.get_paginator("list_aggregate_discovered_resources").paginate(
        **name, ResourceType=VOLUME, PaginationConfig={"PageSize": 1}
    )
    found = [each for one in listed for each in one["ResourceIdentifiers"]]
    assert sorted(each["SourceAccountId"] for each in found) == sorted([aws.account, FRIEND])
    item = config.get_aggregate_resource_config(**name, ResourceIdentifier=found[0])["ConfigurationItem"]
    assert item["accountId"] == found[0]["SourceAccountId"]
    assert json.loads(item["configuration"])["size"] == 8
    stray = found[1] | {"ResourceId": "vol-none"}
    batch = config.batch_get_aggregate_resource_config(**name, ResourceIdentifiers=[*found, stray])
    assert [each["resourceId"] for each in batch["BaseConfigurationItems"]] == [each["ResourceId"] for each in found]
    assert batch["UnprocessedResourceIdentifiers"] == [stray]
    filtered = config.list_aggregate_discovered_resources(**name, ResourceType=VOLUME, Filters={"AccountId": FRIEND})
    assert [each["SourceAccountId"] for each in filtered["ResourceIdentifiers"]] == [FRIEND]
    counted = config.get_aggregate_discovered_resource_counts(
        **name, GroupByKey="ACCOUNT_ID", Filters={"ResourceType": VOLUME}
    )
    assert counted["TotalDiscoveredResources"] == 2
    assert {each["GroupName"]: each["ResourceCount"] for each in counted["GroupedResourceCounts"]} == {
        aws.account: 1,
        FRIEND: 1,
    }


def test_compliance_of_another_account_is_read(aws: Lab) -> None:
    config = aws.client("config")
    opened = a_group_of(aws, FRIEND)
    rules = config.describe_aggregate_compliance_by_config_rules(**NAME, Filters={"ComplianceType": "NON_COMPLIANT"})
    told = {each["ConfigRuleName"]: each for each in rules["AggregateComplianceByConfigRules"]}
    assert told[f"ssh-{FRIEND}"]["Compliance"]["ComplianceType"] == "NON_COMPLIANT"
    assert told[f"ssh-{FRIEND}"]["AccountId"] == FRIEND
    details = config.get_aggregate_compliance_details_by_config_rule(
        **NAME,
        ConfigRuleName=f"ssh-{FRIEND}",
        AccountId=FRIEND,
        AwsRegion=DEFAULT_REGION,
        ComplianceType="NON_COMPLIANT",
    )["AggregateEvaluationResults"]
    qualifiers = [each["EvaluationResultIdentifier"]["EvaluationResultQualifier"] for each in details]
    assert [each["ResourceId"] for each in qualifiers] == [opened]
    summary = config.get_aggregate_config_rule_compliance_summary(**NAME, GroupByKey="ACCOUNT_ID")
    (counts,) = summary["AggregateComplianceCounts"]
    assert counts["GroupName"] == FRIEND
    assert counts["ComplianceSummary"]["NonCompliantResourceCount"]["CappedCount"] >= 1
    (pack,) = config.describe_aggregate_compliance_by_conformance_packs(**NAME)["AggregateComplianceByConformancePacks"]
    assert pack["ConformancePackName"] == f"pack-{FRIEND}"
    assert pack["Compliance"]["TotalRuleCount"] > 0
    summary = config.get_aggregate_conformance_pack_compliance_summary(**NAME)
    assert len(summary["AggregateConformancePackComplianceSummaries"]) == 1
    found = ask(
        aws,
        "SELECT accountId, configuration.targetResourceId WHERE resourceType = 'AWS::Config::ResourceCompliance'"
        f" AND configuration.targetResourceType = '{GROUP}' AND configuration.complianceType = 'NON_COMPLIANT'",
    )
    assert found == [{"accountId": FRIEND, "configuration": {"targetResourceId": opened}}]


def a_group_of(aws: Lab, account: str) -> str:
    ec2 = aws.client("ec2", key=account)
    group: str = ec2.create_security_group(GroupName="open", Description="open")["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
    )
    aws.settle()
    return group


def test_aggregators_are_put_described_tagged_and_deleted(aws: Lab) -> None:
    config = aws.client("config")
    sources = [{"AccountIds": [aws.account], "AllAwsRegions": True}]
    name = {"ConfigurationAggregatorName": "mine"}
    made = config.put_configuration_aggregator(
        **name, AccountAggregationSources=sources, Tags=[{"Key": "team", "Value": "blue"}]
    )["ConfigurationAggregator"]
    assert made["ConfigurationAggregatorArn"].startswith(f"arn:aws:config:us-east-1:{aws.account}:config-aggregator/")
    (shown,) = config.describe_configuration_aggregators(ConfigurationAggregatorNames=["mine"])[
        "ConfigurationAggregators"
    ]
    assert shown == made
    tags = config.list_tags_for_resource(ResourceArn=made["ConfigurationAggregatorArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "blue"}]
    again = config.put_configuration_aggregator(**name, AccountAggregationSources=sources)["ConfigurationAggregator"]
    assert again["ConfigurationAggregatorArn"] == made["ConfigurationAggregatorArn"]
    config.delete_configuration_aggregator(**name)
    gone = config.describe_configuration_aggregators
    check_refused("NoSuchConfigurationAggregatorException", "mine", gone, ConfigurationAggregatorNames=["mine"])
    check_refused(
        "NoSuchConfigurationAggregatorException",
        "mine",
        config.select_aggregate_resource_config,
        Expression="SELECT *",
        **name,
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "Give either AccountAggregationSources"),
        ({"AccountAggregationSources": [{"AccountIds": [FRIEND]}]}, "Give either AllAwsRegions"),
        ({"AccountAggregationSources": SOURCES, "AggregatorFilters": {}}, "not supported by Trailstate yet"),
    ],
)
def test_what_is_no_aggregator_is_refused(aws: Lab, given: dict[str, Any], words: str) -> None:
    put = aws.client("config").put_configuration_aggregator
    check_refused("InvalidParameterValueException", words, put, **NAME, **given)
    wrong = [{"AccountIds": ["12"], "AllAwsRegions": True}]
    check_refused("ValidationException", "12", put, **NAME, AccountAggregationSources=wrong)


def test_queries_are_kept_under_a_name(aws: Lab) -> None:
    config = aws.client("config")
    query = {"QueryName": "volumes", "Expression": "SELECT resourceId WHERE resourceType = 'AWS::EC2::Volume'"}
    arn = config.put_stored_query(StoredQuery=query, Tags=[{"Key": "a", "Value": "b"}])["QueryArn"]
    assert config.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    assert config.put_stored_query(StoredQuery=query | {"Description": "all of them"})["QueryArn"] == arn
    found = config.get_stored_query(QueryName="volumes")["StoredQuery"]
    assert found["Description"] == "all of them"
    assert len(config.select_resource_config(Expression=found["Expression"])["Results"]) == 1
    (listed,) = config.list_stored_queries()["StoredQueryMetadata"]
    assert listed == {name: value for name, value in found.items() if name != "Expression"}
    put = config.put_stored_query
    bad = query | {"Expression": "SELECT * FROM x"}
    check_refused("ValidationException", "FROM is not supported", put, StoredQuery=bad)
    config.delete_stored_query(QueryName="volumes")
    check_refused("ResourceNotFoundException", "volumes", config.get_stored_query, QueryName="volumes")
