"""Rules and packs of an organization through boto3: in every member, or saying why not."""

from collections.abc import Iterator

import pytest

from tests.clients.organization import found_organization, members
from tests.clients.recorder import start_recorder
from tests.clients.refusals import check_refused
from tests.clients.test_packs import TEMPLATE
from trailstate.testing import Lab, lab

SSH = {"RuleIdentifier": "INCOMING_SSH_DISABLED"}


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    """An organization of two accounts that record, and a third that does not."""
    with lab() as started:
        found_organization(started)
        start_recorder(started)
        start_recorder(started, key=members(started)[0])
        yield started


def test_a_rule_is_brought_to_every_member(aws: Lab) -> None:
    config = aws.client("config")
    first, second = members(aws)
    arn = config.put_organization_config_rule(OrganizationConfigRuleName="no-ssh", OrganizationManagedRuleMetadata=SSH)[
        "OrganizationConfigRuleArn"
    ]
    assert ":organization-config-rule/no-ssh-" in arn
    aws.settle()
    told = config.get_organization_config_rule_detailed_status(OrganizationConfigRuleName="no-ssh")
    status = {each["AccountId"]: each for each in told["OrganizationConfigRuleDetailedStatus"]}
    assert status[aws.account]["MemberAccountRuleStatus"] == "CREATE_SUCCESSFUL"
    assert status[first]["MemberAccountRuleStatus"] == "CREATE_SUCCESSFUL"
    assert status[second]["MemberAccountRuleStatus"] == "CREATE_FAILED"
    assert status[second]["ErrorCode"] == "NoAvailableConfigurationRecorderException"
    (whole,) = config.describe_organization_config_rule_statuses()["OrganizationConfigRuleStatuses"]
    assert whole["OrganizationRuleStatus"] == "CREATE_FAILED"
    theirs = aws.client("config", key=first)
    (deployed,) = theirs.describe_config_rules()["ConfigRules"]
    assert deployed["ConfigRuleName"].startswith("OrgConfigRule-no-ssh-")
    assert deployed["CreatedBy"] == "config-multiaccountsetup.amazonaws.com"
    check_refused("AccessDeniedException", "owns", theirs.delete_config_rule, ConfigRuleName=deployed["ConfigRuleName"])
    config.delete_organization_config_rule(OrganizationConfigRuleName="no-ssh")
    aws.settle()
    assert theirs.describe_config_rules()["ConfigRules"] == []
    assert config.describe_organization_config_rules()["OrganizationConfigRules"] == []


def test_a_pack_is_brought_to_every_member_but_the_excluded(aws: Lab) -> None:
    config = aws.client("config")
    first, second = members(aws)
    config.put_organization_conformance_pack(
        OrganizationConformancePackName="basics", TemplateBody=TEMPLATE, ExcludedAccounts=[second]
    )
    aws.settle()
    (whole,) = config.describe_organization_conformance_pack_statuses()["OrganizationConformancePackStatuses"]
    assert whole["Status"] == "CREATE_SUCCESSFUL"
    theirs = aws.client("config", key=first)
    (pack,) = theirs.describe_conformance_packs()["ConformancePackDetails"]
    check_refused(
        "ResourceInUseException",
        "organization",
        theirs.delete_conformance_pack,
        ConformancePackName=pack["ConformancePackName"],
    )
    assert aws.client("config", key=second).describe_conformance_packs()["ConformancePackDetails"] == []
    config.delete_organization_conformance_pack(OrganizationConformancePackName="basics")
    aws.settle()
    assert theirs.describe_conformance_packs()["ConformancePackDetails"] == []


def test_only_who_runs_the_organization_may(aws: Lab) -> None:
    theirs = aws.client("config", key=members(aws)[0])
    check_refused(
        "OrganizationAccessDeniedException",
        "delegated",
        theirs.put_organization_config_rule,
        OrganizationConfigRuleName="x",
        OrganizationManagedRuleMetadata=SSH,
    )
    stranger = aws.client("config", key="999988887777")
    check_refused(
        "NoAvailableOrganizationException",
        "in no organization",
        stranger.put_organization_config_rule,
        OrganizationConfigRuleName="x",
        OrganizationManagedRuleMetadata=SSH,
    )
