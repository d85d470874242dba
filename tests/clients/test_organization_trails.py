"""Organization trails through boto3: who makes them, who sees them, who may change them, whose events they take."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients.trails import a_bucket, assert_refused
from trailstate.testing import Lab, lab

STRANGER = "999988887777"
CLOUDTRAIL = "cloudtrail.amazonaws.com"


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab(clock_start="2026-01-15T09:30:00Z") as started:
        a_bucket(started, "evidence")
        yield started


@pytest.fixture(scope="module")
def before(aws: Lab) -> dict[str, str]:
    """What an account gets to hear before there is an organization, and before it trusts CloudTrail."""
    create, organizations = aws.client("cloudtrail").create_trail, aws.client("organizations")
    asked = {"Name": "audit", "S3BucketName": "evidence", "IsOrganizationTrail": True}
    heard = {"alone": assert_refused("OrganizationsNotInUseException", create, **asked)}
    organizations.create_organization(FeatureSet="ALL")
    heard["untrusted"] = assert_refused("CloudTrailAccessNotEnabledException", create, **asked)
    organizations.enable_aws_service_access(ServicePrincipal=CLOUDTRAIL)
    return heard


@pytest.fixture(scope="module")
def members(aws: Lab, before: dict[str, str]) -> list[str]:
    """Two member accounts."""
    client = aws.client("organizations")
    made = [client.create_account(AccountName=name, Email=f"{name}@example.com") for name in ("dev", "prod")]
    return [each["CreateAccountStatus"]["AccountId"] for each in made]


@pytest.fixture(scope="module")
def trail(aws: Lab, members: list[str]) -> dict[str, Any]:
    """A multi-region organization trail that logs."""
    client = aws.client("cloudtrail")
    made: dict[str, Any] = client.create_trail(
        Name="organization", S3BucketName="evidence", IsOrganizationTrail=True, IsMultiRegionTrail=True
    )
    client.start_logging(Name=made["TrailARN"])
    return made


def test_an_organization_and_its_trust_come_first(before: dict[str, str]) -> None:
    assert "not a member of an organization" in before["alone"]
    assert "service access" in before["untrusted"]


def test_a_member_cannot_make_one(aws: Lab, members: list[str]) -> None:
    create = aws.client("cloudtrail", key=members[0]).create_trail
    said = assert_refused(
        "NotOrganizationMasterAccountException",
        create,
        Name="mine",
        S3BucketName="evidence",
        IsOrganizationTrail=True,
    )
    assert members[0] in said


def test_members_see_the_trail_in_every_region(aws: Lab, trail: dict[str, Any], members: list[str]) -> None:
    arn = trail["TrailARN"]
    for region in ("us-east-1", "eu-west-1"):
        client = aws.client("cloudtrail", region=region, key=members[0])
        (seen,) = client.describe_trails()["trailList"]
        assert (seen["TrailARN"], seen["IsOrganizationTrail"], seen["HomeRegion"]) == (arn, True, "us-east-1")
        assert client.describe_trails(includeShadowTrails=False)["trailList"] == []
        assert [each["TrailARN"] for each in client.list_trails()["Trails"]] == [arn]
        assert client.get_trail(Name=arn)["Trail"] == seen
        assert client.get_trail_status(Name=arn)["IsLogging"] is True
        assert client.get_event_selectors(TrailName=arn)["TrailARN"] == arn
        assert_refused("TrailNotFoundException", client.get_trail, Name="organization")


def test_members_cannot_change_the_trail(aws: Lab, trail: dict[str, Any], members: list[str]) -> None:
    client, arn = aws.client("cloudtrail", key=members[0]), trail["TrailARN"]
    refusal = "NotOrganizationMasterAccountException"
    for call in (client.stop_logging, client.start_logging, client.delete_trail, client.update_trail):
        assert_refused(refusal, call, Name=arn)
        assert_refused(refusal, call, Name="organization")
    assert_refused(refusal, client.put_event_selectors, TrailName=arn, EventSelectors=[{}])
    assert_refused(refusal, client.add_tags, ResourceId=arn, TagsList=[{"Key": "a", "Value": "b"}])
    assert aws.client("cloudtrail").get_trail_status(Name=arn)["IsLogging"] is True


def test_strangers_know_nothing_of_it(aws: Lab, trail: dict[str, Any]) -> None:
    client = aws.client("cloudtrail", key=STRANGER)
    assert client.describe_trails()["trailList"] == []
    assert_refused("TrailNotFoundException", client.get_trail, Name=trail["TrailARN"])
    assert_refused("TrailNotFoundException", client.stop_logging, Name=trail["TrailARN"])


def test_a_delegated_administrator_manages_the_trails(aws: Lab, trail: dict[str, Any], members: list[str]) -> None:
    management, administrator = aws.client("cloudtrail"), aws.client("cloudtrail", key=members[1])
    management.register_organization_delegated_admin(MemberAccountId=members[1])

    administrator.stop_logging(Name=trail["TrailARN"])
    assert management.get_trail_status(Name="organization")["IsLogging"] is False
    administrator.start_logging(Name="organization")
    made = administrator.create_trail(Name="second", S3BucketName="evidence", IsOrganizationTrail=True)

    assert made["TrailARN"] == f"arn:aws:cloudtrail:us-east-1:{aws.account}:trail/second"
    assert management.get_trail(Name="second")["Trail"]["IsOrganizationTrail"] is True
    administrator.delete_trail(Name=made["TrailARN"])
    private = management.create_trail(Name="private", S3BucketName="evidence")["TrailARN"]
    taken = {"Name": "private", "S3BucketName": "evidence", "IsOrganizationTrail": True}
    assert_refused("TrailAlreadyExistsException", administrator.create_trail, **taken)
    assert management.get_trail(Name=private)["Trail"]["IsOrganizationTrail"] is False
    management.delete_trail(Name=private)
    management.deregister_organization_delegated_admin(DelegatedAdminAccountId=members[1])
    assert_refused("NotOrganizationMasterAccountException", administrator.stop_logging, Name=trail["TrailARN"])


def test_administrators_are_members_once(aws: Lab, members: list[str]) -> None:
    client = aws.client("cloudtrail")
    register, deregister = client.register_organization_delegated_admin, client.deregister_organization_delegated_admin
    assert_refused("CannotDelegateManagementAccountException", register, MemberAccountId=aws.account)
    assert_refused("AccountNotFoundException", register, MemberAccountId=STRANGER)
    assert_refused("AccountNotRegisteredException", deregister, DelegatedAdminAccountId=members[0])
    register(MemberAccountId=members[0])
    assert_refused("AccountRegisteredException", register, MemberAccountId=members[0])
    deregister(DelegatedAdminAccountId=members[0])
    theirs = aws.client("cloudtrail", key=members[0]).register_organization_delegated_admin
    assert_refused("NotOrganizationManagementAccountException", theirs, MemberAccountId=members[1])
    nobody = aws.client("cloudtrail", key=STRANGER).register_organization_delegated_admin
    assert_refused("OrganizationsNotInUseException", nobody, MemberAccountId=members[1])


def test_members_data_events_are_selected_those_of_later_members_too(
    aws: Lab, trail: dict[str, Any], members: list[str]
) -> None:
    everything = [{"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}]
    aws.client("cloudtrail").put_event_selectors(TrailName=trail["TrailARN"], EventSelectors=everything)

    def is_kept(account: str) -> bool:
        s3 = aws.client("s3", key=account)
        s3.create_bucket(Bucket=f"of-{account}")
        s3.put_object(Bucket=f"of-{account}", Key="x", Body=b"x")
        return any(record["recipientAccountId"] == account for record in aws.recorded(eventName="PutObject"))

    assert is_kept(members[0])
    assert not is_kept(STRANGER)
    status = aws.client("organizations").create_account(AccountName="late", Email="late@example.com")
    aws.advance(2)
    assert is_kept(status["CreateAccountStatus"]["AccountId"])


def test_a_trail_of_the_account_becomes_one_of_the_organization(aws: Lab, members: list[str]) -> None:
    client, theirs = aws.client("cloudtrail"), aws.client("cloudtrail", key=members[0])
    arn = client.create_trail(Name="grows", S3BucketName="evidence")["TrailARN"]
    assert_refused("TrailNotFoundException", theirs.get_trail, Name=arn)
    assert client.update_trail(Name="grows", IsOrganizationTrail=True)["IsOrganizationTrail"] is True
    assert theirs.get_trail(Name=arn)["Trail"]["Name"] == "grows"
    own = theirs.create_trail(Name="own", S3BucketName="evidence", S3KeyPrefix="")["TrailARN"]
    assert_refused("NotOrganizationMasterAccountException", theirs.update_trail, Name=own, IsOrganizationTrail=True)
    client.delete_trail(Name=arn)
    theirs.delete_trail(Name=own)
