"""The fifteen metric filters that the CIS AWS Foundations Benchmark asks for, and how an alarm of each is set.

CIS AWS Foundations Benchmark 1.2 (section 3) and 1.4 (section 4); Security Hub user guide, controls CloudWatch.1 to
CloudWatch.14. Security Hub compares a filter's pattern by letter, so they stand as it writes them.
"""

from dataclasses import dataclass

NAMESPACE = "LogMetrics"


@dataclass(frozen=True, slots=True)
class CisFilter:
    """One filter; its metric and its alarm go by `name`."""

    control: str
    name: str
    title: str
    pattern: str


def _named(*events: str) -> str:
    return " || ".join(f"($.eventName={each})" for each in events)


def _any(*events: str) -> str:
    return f"{{{_named(*events)}}}"


def _of(source: str, *events: str) -> str:
    return f"{{($.eventSource={source}.amazonaws.com) && ({_named(*events)})}}"


CIS_FILTERS = (
    CisFilter(
        "CloudWatch.1",
        "cis-root-user-usage",
        "Root user usage",
        '{$.userIdentity.type="Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType !="AwsServiceEvent"}',
    ),
    CisFilter(
        "CloudWatch.2",
        "cis-unauthorized-api-calls",
        "Unauthorized API calls",
        '{($.errorCode="*UnauthorizedOperation") || ($.errorCode="AccessDenied*")}',
    ),
    CisFilter(
        "CloudWatch.3",
        "cis-console-sign-in-without-mfa",
        "Console sign-in without MFA",
        '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") && '
        '($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }',
    ),
    CisFilter(
        "CloudWatch.4",
        "cis-iam-policy-changes",
        "IAM policy changes",
        _any(
            "DeleteGroupPolicy",
            "DeleteRolePolicy",
            "DeleteUserPolicy",
            "PutGroupPolicy",
            "PutRolePolicy",
            "PutUserPolicy",
            "CreatePolicy",
            "DeletePolicy",
            "CreatePolicyVersion",
            "DeletePolicyVersion",
            "AttachRolePolicy",
            "DetachRolePolicy",
            "AttachUserPolicy",
            "DetachUserPolicy",
            "AttachGroupPolicy",
            "DetachGroupPolicy",
        ),
    ),
    CisFilter(
        "CloudWatch.5",
        "cis-cloudtrail-configuration-changes",
        "CloudTrail configuration changes",
        _any("CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging"),
    ),
    CisFilter(
        "CloudWatch.6",
        "cis-console-authentication-failures",
        "Console authentication failures",
        '{($.eventName=ConsoleLogin) && ($.errorMessage="Failed authentication")}',
    ),
    CisFilter(
        "CloudWatch.7",
        "cis-disabling-or-scheduled-deletion-of-customer-managed-keys",
        "Disabling or scheduled deletion of customer managed keys",
        _of("kms", "DisableKey", "ScheduleKeyDeletion"),
    ),
    CisFilter(
        "CloudWatch.8",
        "cis-s3-bucket-policy-changes",
        "S3 bucket policy changes",
        _of(
            "s3",
            "PutBucketAcl",
            "PutBucketPolicy",
            "PutBucketCors",
            "PutBucketLifecycle",
            "PutBucketReplication",
            "DeleteBucketPolicy",
            "DeleteBucketCors",
            "DeleteBucketLifecycle",
            "DeleteBucketReplication",
        ),
    ),
    CisFilter(
        "CloudWatch.9",
        "cis-aws-config-configuration-changes",
        "AWS Config configuration changes",
        _of(
            "config",
            "StopConfigurationRecorder",
            "DeleteDeliveryChannel",
            "PutDeliveryChannel",
            "PutConfigurationRecorder",
        ),
    ),
    CisFilter(
        "CloudWatch.10",
        "cis-security-group-changes",
        "Security group changes",
        _any(
            "AuthorizeSecurityGroupIngress",
            "AuthorizeSecurityGroupEgress",
            "RevokeSecurityGroupIngress",
            "RevokeSecurityGroupEgress",
            "CreateSecurityGroup",
            "DeleteSecurityGroup",
        ),
    ),
    CisFilter(
        "CloudWatch.11",
        "cis-network-acl-changes",
        "Network ACL changes",
        _any(
            "CreateNetworkAcl",
            "CreateNetworkAclEntry",
            "DeleteNetworkAcl",
            "DeleteNetworkAclEntry",
            "ReplaceNetworkAclEntry",
            "ReplaceNetworkAclAssociation",
        ),
    ),
    CisFilter(
        "CloudWatch.12",
        "cis-network-gateway-changes",
        "Network gateway changes",
        _any(
            "CreateCustomerGateway",
            "DeleteCustomerGateway",
            "AttachInternetGateway",
            "CreateInternetGateway",
            "DeleteInternetGateway",
            "DetachInternetGateway",
        ),
    ),
    CisFilter(
        "CloudWatch.13",
        "cis-route-table-changes",
        "Route table changes",
        _any(
            "CreateRoute",
            "CreateRouteTable",
            "ReplaceRoute",
            "ReplaceRouteTableAssociation",
            "DeleteRouteTable",
            "DeleteRoute",
            "DisassociateRouteTable",
        ),
    ),
    CisFilter(
        "CloudWatch.14",
        "cis-vpc-changes",
        "VPC changes",
        _any(
            "CreateVpc",
            "DeleteVpc",
            "ModifyVpcAttribute",
            "AcceptVpcPeeringConnection",
            "CreateVpcPeeringConnection",
            "DeleteVpcPeeringConnection",
            "RejectVpcPeeringConnection",
            "AttachClassicLinkVpc",
            "DetachClassicLinkVpc",
            "DisableVpcClassicLink",
            "EnableVpcClassicLink",
        ),
    ),
    CisFilter(
        "CIS 4.15",
        "cis-aws-organizations-changes",
        "AWS Organizations changes",
        _of(
            "organizations",
            "AcceptHandshake",
            "AttachPolicy",
            "CreateAccount",
            "CreateOrganizationalUnit",
            "CreatePolicy",
            "DeclineHandshake",
            "DeleteOrganization",
            "DeleteOrganizationalUnit",
            "DeletePolicy",
            "DetachPolicy",
            "DisablePolicyType",
            "EnablePolicyType",
            "InviteAccountToOrganization",
            "LeaveOrganization",
            "MoveAccount",
            "RemoveAccountFromOrganization",
            "UpdatePolicy",
            "UpdateOrganizationalUnit",
        ),
    ),
)
