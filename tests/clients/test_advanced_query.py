"""Advanced queries through boto3: what is recorded and how it is judged, found by its properties."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients.recorder import start_recorder
from tests.clients.test_compliance import GROUP, SSH, a_group, check_refused
from tests.clients.test_packs import TEMPLATE
from trailstate.testing import Lab, lab


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    """An account that records, with two volumes, an open and a closed group, a rule and a pack."""
    with lab() as started:
        start_recorder(started)
        ec2, config = started.client("ec2"), started.client("config")
        for size in (8, 100):
            ec2.create_volume(AvailabilityZone="us-east-1a", Size=size)
        a_group(started, "open", is_open=True)
        a_group(started, "shut")
        config.put_config_rule(ConfigRule=SSH)
        config.put_conformance_pack(ConformancePackName="baseline", TemplateBody=TEMPLATE)
        started.settle()
        yield started


def ask(aws: Lab, expression: str, **options: Any) -> list[Any]:
    found = aws.client("config").select_resource_config(Expression=expression, **options)
    return [json.loads(each) for each in found["Results"]]


def test_a_query_answers_with_what_it_selects(aws: Lab) -> None:
    asked = "SELECT configuration.size, COUNT(*) WHERE resourceType = 'AWS::EC2::Volume' GROUP BY configuration.size"
    answer = aws.client("config").select_resource_config(Expression=asked)
    assert answer["Results"] == [
        '{"COUNT(*)":1,"configuration":{"size":8}}',
        '{"COUNT(*)":1,"configuration":{"size":100}}',
    ]
    assert answer["QueryInfo"]["SelectFields"] == [{"Name": "configuration.size"}, {"Name": "COUNT(*)"}]
    (everything,) = ask(aws, "SELECT * WHERE resourceType = 'AWS::EC2::Volume'", Limit=1)
    assert everything["accountId"] == aws.account


def test_a_change_is_seen_as_soon_as_it_is_recorded(aws: Lab) -> None:
    asked = "SELECT resourceId WHERE resourceType = 'AWS::EC2::EIP'"
    assert ask(aws, asked) == []
    made = aws.client("ec2").allocate_address(Domain="vpc")["AllocationId"]
    aws.settle()
    assert ask(aws, asked) == [{"resourceId": made}]
    aws.client("ec2").release_address(AllocationId=made)
    aws.settle()
    assert ask(aws, asked) == []


def test_compliance_is_queried_as_resources(aws: Lab) -> None:
    found = ask(
        aws,
        "SELECT configuration.targetResourceId, configuration.complianceType, configuration.configRuleList WHERE"
        f" resourceType = 'AWS::Config::ResourceCompliance' AND configuration.targetResourceType = '{GROUP}'"
        " AND configuration.complianceType = 'NON_COMPLIANT'"
        " AND configuration.configRuleList.configRuleName = 'restricted-ssh'",
    )
    groups = aws.client("ec2").describe_security_groups(GroupNames=["open"])["SecurityGroups"]
    assert [each["configuration"]["targetResourceId"] for each in found] == [groups[0]["GroupId"]]
    rules = {each["configRuleName"]: each for each in found[0]["configuration"]["configRuleList"]}
    assert rules["restricted-ssh"]["complianceType"] == "NON_COMPLIANT"
    assert rules["restricted-ssh"]["configRuleArn"].startswith(f"arn:aws:config:us-east-1:{aws.account}:config-rule/")
    counted = ask(
        aws,
        "SELECT configuration.complianceType, COUNT(*) WHERE resourceType = 'AWS::Config::ResourceCompliance' GROUP BY"
        " configuration.complianceType",
    )
    assert {"COUNT(*)": 1, "configuration": {"complianceType": "NON_COMPLIANT"}} in counted


def test_packs_are_queried_as_resources(aws: Lab) -> None:
    (found,) = ask(
        aws,
        "SELECT resourceName, configuration WHERE resourceType = 'AWS::Config::ConformancePackCompliance'",
    )
    assert found["resourceName"] == "baseline"
    told = found["configuration"]
    assert told["totalRuleCount"] == len(told["configRuleList"]) > 0
    summary = aws.client("config").get_conformance_pack_compliance_summary(ConformancePackNames=["baseline"])
    (word,) = summary["ConformancePackComplianceSummaryList"]
    assert told["complianceType"] == word["ConformancePackComplianceStatus"]


def test_pages_hold_everything_once_and_belong_to_their_query(aws: Lab) -> None:
    config = aws.client("config")
    asked = "SELECT resourceType, resourceId"
    whole = ask(aws, asked, Limit=100)
    assert len(whole) > 10
    assert {each["resourceType"] for each in whole} >= {GROUP, "AWS::Config::ResourceCompliance"}
    found: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = config.select_resource_config(Expression=asked, Limit=7, **token)
        found += page["Results"]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert [json.loads(each) for each in found] == whole
    other = "SELECT resourceId"
    check_refused("InvalidNextTokenException", "token", config.select_resource_config, Expression=other, **token)


def test_refusals_are_awss_own(aws: Lab) -> None:
    select = aws.client("config").select_resource_config
    check_refused(
        "InvalidExpressionException", "syntax error at line 1, column 10", select, Expression="SELECT * FROM x"
    )
    check_refused("InvalidLimitException", "between 0 and 100", select, Expression="SELECT *", Limit=101)
    check_refused("InvalidNextTokenException", "token", select, Expression="SELECT *", NextToken="x")
    check_refused("ValidationException", "4096", select, Expression="SELECT " + "a" * 4096)
