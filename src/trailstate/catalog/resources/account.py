"""The account itself, as AWS's rules speak of it: facts of IAM, encryption by default, the organization, trails.

AWS Config records no item of this type (its rules' results name it); the item here exists to carry the facts.
One stands in each region that is recorded, since some of the facts are the region's own.
"""

import csv
import io
from typing import Any

from trailstate.catalog.touch import anywhere
from trailstate.configuration.form import Describe, Fact, Look, Raw, ResourceType

NOT_MADE = ("ReportNotPresent", "ReportExpired", "ReportInProgress")
NOT_A_MEMBER = ("AWSOrganizationsNotInUseException",)


def _credential_report(look: Look) -> Any:
    """The rows of the report, by the names of its header; asks for one to be made where there is none."""
    report = Describe("iam", "GetCredentialReport", absent=NOT_MADE)
    answer = look.ask(report)
    if answer is None:
        look.ask(Describe("iam", "GenerateCredentialReport"))
        answer = look.ask(Describe("iam", "GetCredentialReport"))
    return list(csv.DictReader(io.StringIO(answer["Content"].decode())))


def _encryption_by_default(look: Look) -> Any:
    return {look.region: look.ask(Describe("ec2", "GetEbsEncryptionByDefault", at="EbsEncryptionByDefault"))}


def _trails(look: Look) -> Any:
    """Every trail that the Region sees, with whether it logs and what: also those at home where nothing is recorded."""
    return [
        {
            "Trail": trail,
            "Status": {"IsLogging": _of_trail(look, trail, "GetTrailStatus", "Name").get("IsLogging")},
            "EventSelectors": _of_trail(look, trail, "GetEventSelectors", "TrailName"),
        }
        for trail in look.ask(Describe("cloudtrail", "DescribeTrails", at="trailList[]"))
    ]


def _of_trail(look: Look, trail: Raw, operation: str, parameter: str) -> Raw:
    asked = Describe("cloudtrail", operation, {parameter: trail["TrailARN"]}, absent=("TrailNotFoundException",))
    found: Raw = look.ask(asked) or {}
    return found


TOUCHES_IAM = (
    "AddUserToGroup",
    "ChangePassword",
    "CreateAccessKey",
    "CreateAccountAlias",
    "CreateGroup",
    "CreateLoginProfile",
    "CreatePolicy",
    "CreateRole",
    "CreateUser",
    "CreateVirtualMFADevice",
    "DeactivateMFADevice",
    "DeleteAccessKey",
    "DeleteAccountAlias",
    "DeleteAccountPasswordPolicy",
    "DeleteGroup",
    "DeleteLoginProfile",
    "DeletePolicy",
    "DeleteRole",
    "DeleteServerCertificate",
    "DeleteSigningCertificate",
    "DeleteUser",
    "DeleteVirtualMFADevice",
    "EnableMFADevice",
    "ResyncMFADevice",
    "UpdateAccessKey",
    "UpdateAccountPasswordPolicy",
    "UpdateLoginProfile",
    "UploadServerCertificate",
    "UploadSigningCertificate",
)

TOUCHES_TRAILS = (
    "CreateTrail",
    "DeleteTrail",
    "PutEventSelectors",
    "StartLogging",
    "StopLogging",
    "UpdateTrail",
)

ACCOUNT = ResourceType(
    name="AWS::::Account",
    listing=lambda look: [{"AccountId": look.account}],
    key="AccountId",
    listed_whole=True,
    arn="arn:aws:iam::{account}:root",
    home="{region}",
    pascal=False,
    facts=(
        Fact(
            "PasswordPolicy",
            Describe("iam", "GetAccountPasswordPolicy", at="PasswordPolicy", absent=("NoSuchEntity",)),
        ),
        Fact("AccountSummary", Describe("iam", "GetAccountSummary", at="SummaryMap")),
        Fact("CredentialReport", _credential_report),
        Fact(
            "PublicAccessBlock",
            Describe(
                "s3control",
                "GetPublicAccessBlock",
                {"AccountId": "{account}"},
                "PublicAccessBlockConfiguration",
                ("NoSuchPublicAccessBlockConfiguration",),
            ),
        ),
        Fact("EbsEncryptionByDefault", _encryption_by_default),
        Fact(
            "Organization",
            Describe("organizations", "DescribeOrganization", at="Organization", absent=NOT_A_MEMBER),
        ),
        Fact("Trails", _trails),
        Fact("VirtualMFADevices", Describe("iam", "ListVirtualMFADevices", at="VirtualMFADevices[]")),
    ),
    service="iam",
    touched_by=anywhere(
        *TOUCHES_IAM,
        *(f"cloudtrail:{name}" for name in TOUCHES_TRAILS),
        "ec2:EnableEbsEncryptionByDefault",
        "ec2:DisableEbsEncryptionByDefault",
        "s3control:PutPublicAccessBlock",
        "s3control:DeletePublicAccessBlock",
        "organizations:CreateOrganization",
        "organizations:DeleteOrganization",
        "organizations:LeaveOrganization",
        "organizations:AcceptHandshake",
        "organizations:EnableAllFeatures",
    ),
)

RESOURCES = (ACCOUNT,)
