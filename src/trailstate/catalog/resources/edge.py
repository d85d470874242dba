"""What faces the world: CloudFront distribution, WAF web ACL, ACM certificate."""

from typing import Any

from trailstate.catalog.tags import tags_part
from trailstate.catalog.touch import REQUEST, RESPONSE, anywhere, asked, at
from trailstate.configuration.form import REGIONAL, Describe, Look, Relation, ResourceType

NO_CERTIFICATE = ("ResourceNotFoundException",)

CERTIFICATE = ResourceType(
    name="AWS::ACM::Certificate",
    listing=Describe("acm", "ListCertificates", at="CertificateSummaryList[]"),
    key="CertificateArn",
    describe=Describe("acm", "DescribeCertificate", {"CertificateArn": "{key}"}, "Certificate", NO_CERTIFICATE),
    more={"Tags": Describe("acm", "ListTagsForCertificate", {"CertificateArn": "{key}"}, "Tags[]", NO_CERTIFICATE)},
    arn="{key}",
    created="{CreatedAt}",
    zone=REGIONAL,
    parts=(tags_part(),),
    touched_by=at((f"{RESPONSE}.certificateArn",), "ImportCertificate", "RequestCertificate")
    | asked(
        "certificateArn",
        "AddTagsToCertificate",
        "DeleteCertificate",
        "RemoveTagsFromCertificate",
        "RenewCertificate",
        "UpdateCertificateOptions",
    ),
)

NO_DISTRIBUTION = ("NoSuchDistribution", "NoSuchResource")
DISTRIBUTION_ARN = "arn:aws:cloudfront::{account}:distribution/{key}"

DISTRIBUTION = ResourceType(
    name="AWS::CloudFront::Distribution",
    listing=Describe("cloudfront", "ListDistributions", at="DistributionList.Items[]"),
    key="Id",
    describe=Describe("cloudfront", "GetDistribution", {"Id": "{key}"}, "Distribution", NO_DISTRIBUTION),
    more={
        "Tags": Describe(
            "cloudfront", "ListTagsForResource", {"Resource": DISTRIBUTION_ARN}, "Tags.Items", NO_DISTRIBUTION
        )
    },
    resource_name="{DomainName}",
    arn="{ARN}",
    created="{LastModifiedTime}",
    home="us-east-1",
    relations=(
        Relation(
            "AWS::ACM::Certificate", "Is associated with ", at="DistributionConfig.ViewerCertificate.ACMCertificateArn"
        ),
        Relation(
            "AWS::IAM::ServerCertificate",
            "Is associated with ",
            at="DistributionConfig.ViewerCertificate.IAMCertificateId",
        ),
        Relation("AWS::S3::Bucket", "Is associated with ", at="Buckets[]", resource_name=""),
    ),
    touched_by=at((f"{REQUEST}.id",), "DeleteDistribution2020_05_31", "UpdateDistribution2020_05_31")
    | at((f"{RESPONSE}.distribution.id",), "CreateDistribution2020_05_31", "CreateDistributionWithTags2020_05_31")
    | asked("resource", "TagResource", "UntagResource"),
    read_key=lambda text: text.rsplit("/", 1)[-1],
)

NO_ACL = ("WAFNonexistentItemException",)
REGIONAL_ACLS = Describe("wafv2", "ListWebACLs", {"Scope": "REGIONAL"}, "WebACLs[]")


def _web_acl(look: Look) -> Any:
    """A web ACL's ARN ends in `webacl/NAME/ID`."""
    name, identifier = look.key.split("/")[-2:]
    asked_for = {"Name": name, "Id": identifier, "Scope": "REGIONAL"}
    return look.ask(Describe("wafv2", "GetWebACL", asked_for, "WebACL", NO_ACL))


def _web_acl_key(text: str) -> str:
    return text if "/webacl/" in text else ""


WEB_ACL = ResourceType(
    name="AWS::WAFv2::WebACL",
    listing=REGIONAL_ACLS,
    key="ARN",
    describe=_web_acl,
    resource_name="{Name}",
    arn="{ARN}",
    zone=REGIONAL,
    keeps=("DefaultAction", "Rules"),
    touched_by=at((f"{RESPONSE}.summary.aRN",), "CreateWebACL")
    | asked("resourceARN", "TagResource", "UntagResource")
    | asked("webACLArn", "AssociateWebACL")
    | anywhere("DeleteWebACL", "UpdateWebACL"),
    read_key=_web_acl_key,
)

RESOURCES = (CERTIFICATE, DISTRIBUTION, WEB_ACL)
