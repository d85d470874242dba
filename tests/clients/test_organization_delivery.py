"""One trail over thirty accounts and three regions: every call in exactly one file, and all of it valid."""

from collections import Counter
from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest

from tests.clients.delivered import keys, records, validate, verify
from tests.clients.trails import a_bucket, a_trail
from trailstate.testing import Lab, lab
from trailstate.values.regions import ALWAYS_ENABLED

MEMBERS = 29
REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab(delivery_seconds=5) as running:
        yield running


def test_every_call_of_thirty_accounts_and_three_regions_is_in_one_file(aws: Lab) -> None:
    organizations = aws.client("organizations")
    organization = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    organizations.enable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
    accounts = [aws.account, *(_joined(aws, number) for number in range(MEMBERS - 1))]
    arn = a_trail(
        aws,
        "everyone",
        a_bucket(aws, "evidence"),
        IsOrganizationTrail=True,
        IsMultiRegionTrail=True,
        EnableLogFileValidation=True,
    )
    accounts.append(_joined(aws, MEMBERS))
    for account in accounts:
        for region in REGIONS:
            _make_queue(aws, account, region)
    aws.advance("5s")

    calls = aws.recorded(eventName="CreateQueue")
    assert len(calls) == 30 * 3
    found = [(key, record) for key, record in records(aws, "evidence") if record["eventName"] == "CreateQueue"]
    assert Counter(record["eventID"] for _, record in found) == Counter(call["eventID"] for call in calls)
    for key, record in found:
        account, region = record["recipientAccountId"], record["awsRegion"]
        assert key.startswith(f"AWSLogs/{organization}/{account}/CloudTrail/{region}/")

    aws.advance("1h")
    elsewhere = len(set(ALWAYS_ENABLED) - set(REGIONS))
    assert len(keys(aws, "evidence", "CloudTrail-Digest")) == 30 * 3 + elsewhere, "the trail's own account has them all"
    for account, region in ((aws.account, "us-east-1"), (accounts[-1], "eu-west-1")):
        code, said = validate(aws, arn, "--account-id", account, "--region", region)
        assert "1/1 digest files valid" in said
        assert "log files valid" in said
        assert "INVALID" not in said
        assert code == 0
    code, said = validate(aws, arn)
    assert "Missing required parameter for organization trail: '--account-id'" in said
    assert code == 255


def test_chains_that_begin_with_their_first_record_are_not_missed_before_it(aws: Lab) -> None:
    """Those of another member, and those in a Region that is opted into."""
    aws.reset()
    aws.client("organizations").create_organization(FeatureSet="ALL")
    aws.client("organizations").enable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
    member, silent = _joined(aws, 0), _joined(aws, 1)
    more = {"IsOrganizationTrail": True, "IsMultiRegionTrail": True, "EnableLogFileValidation": True}
    arn = a_trail(aws, "everyone", a_bucket(aws, "evidence"), **more)
    aws.advance("4h")
    for account in (aws.account, member):
        for region in ("eu-west-1", "af-south-1"):
            _make_queue(aws, account, region)
    aws.advance("2h")
    for account, region, valid in (
        (aws.account, "af-south-1", "2/2 digest files valid"),
        (member, "eu-west-1", "2/2 digest files valid"),
        (member, "af-south-1", "2/2 digest files valid"),
        (silent, "eu-west-1", "No digests found"),
    ):
        code, said = validate(aws, arn, "--account-id", account, "--region", region)
        assert valid in said, (account, region)
        assert (code, "INVALID" in said) == (0, False)
    code, report = verify(aws, "evidence")
    assert (code, report["findings"]) == (0, [])


def _make_queue(aws: Lab, account: str, region: str) -> None:
    """Without a client of its own: ninety of them would take longer than all the rest."""
    scope = f"{account}/{aws.now():%Y%m%d}/{region}/sqs/aws4_request"
    request = Request(
        aws.endpoint,
        data=b"Action=CreateQueue&Version=2012-11-05&QueueName=for-everyone",
        headers={
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={'0' * 64}",
            "Content-Type": "application/x-www-form-urlencoded",
        },
    )
    with urlopen(request) as answer:
        assert answer.status == 200


def _joined(aws: Lab, number: int) -> str:
    made = aws.client("organizations").create_account(Email=f"a{number}@example.com", AccountName=f"team-{number}")
    return str(made["CreateAccountStatus"]["AccountId"])
