"""Each document turns a rule's NON_COMPLIANT into COMPLIANT, through the real API and nothing else."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from trailstate.app.remediation import owned_documents
from trailstate.sandbox import protection
from trailstate.testing import Lab, lab

pytestmark = pytest.mark.skipif(not protection.available().isolates, reason="no bubblewrap that works here")

BUCKET, GROUP, ACCOUNT = "AWS::S3::Bucket", "AWS::EC2::SecurityGroup", "AWS::::Account"
TYPES = [BUCKET, GROUP, "AWS::IAM::User", "AWS::IAM::Policy", "AWS::EC2::VPC"]


@dataclass(frozen=True, slots=True)
class Flip:
    """`spoil` makes a resource that the rule finds wrong, and gives its id; `parameter` is what the id is given as."""

    rule: str
    kind: str
    spoil: Callable[[Lab], str]
    parameter: str | None = None
    fixed: Callable[[Lab], Mapping[str, str]] = lambda _: {}
    rule_parameters: Mapping[str, str] = field(default_factory=dict)
    is_periodic: bool = False


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab() as started:
        config = started.client("config")
        started.client("s3").create_bucket(Bucket="channel")
        recorder = {
            "name": "default",
            "roleARN": f"arn:aws:iam::{started.account}:role/config",
            "recordingGroup": {
                "allSupported": False,
                "resourceTypes": TYPES,
                "recordingStrategy": {"useOnly": "INCLUSION_BY_RESOURCE_TYPES"},
            },
        }
        config.put_configuration_recorder(ConfigurationRecorder=recorder)
        config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "channel"})
        config.start_configuration_recorder(ConfigurationRecorderName="default")
        started.settle()
        yield started


def bucket(name: str, **acl: str) -> Callable[[Lab], str]:
    def make(aws: Lab) -> str:
        aws.client("s3").create_bucket(Bucket=name)
        if acl:
            aws.client("s3").put_bucket_acl(Bucket=name, **acl)
        return name

    return make


def unencrypted(aws: Lab) -> str:
    aws.client("s3").create_bucket(Bucket="plain")
    aws.client("s3").delete_bucket_encryption(Bucket="plain")
    return "plain"


def group(name: str) -> Callable[[Lab], str]:
    def make(aws: Lab) -> str:
        ec2 = aws.client("ec2")
        made: str = ec2.create_security_group(GroupName=name, Description="open")["GroupId"]
        rules = [
            {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
            for port in (22, 3389)
        ]
        ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=rules)
        return made

    return make


def default_group(aws: Lab) -> str:
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    found = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"]
    return str(found[0]["GroupId"])


def account(aws: Lab) -> str:
    return aws.account


POLICY = "everything"


def mighty_user(aws: Lab) -> str:
    iam = aws.client("iam")
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    policy = iam.create_policy(PolicyName=POLICY, PolicyDocument=json.dumps(document))["Policy"]
    user = iam.create_user(UserName="mighty")["User"]
    iam.attach_user_policy(UserName="mighty", PolicyArn=policy["Arn"])
    return str(user["UserId"])


def policy_id(aws: Lab) -> Mapping[str, str]:
    policies = aws.client("iam").list_policies(Scope="Local")["Policies"]
    return {"IAMResourceId": next(each["PolicyId"] for each in policies if each["PolicyName"] == POLICY)}


def log_delivery(aws: Lab) -> Mapping[str, str]:
    writes = "uri=http://acs.amazonaws.com/groups/s3/LogDelivery"
    aws.client("s3").put_bucket_acl(Bucket="channel", GrantWrite=writes, GrantReadACP=writes)
    readers = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
    grant = {"GrantedPermission": "READ", "GranteeType": "Group", "GranteeUri": readers}
    return grant | {"TargetBucket": "channel"}


STRICT = {
    "MinimumPasswordLength": "14",
    "MaxPasswordAge": "90",
    "PasswordReusePrevention": "24",
    "RequireLowercaseCharacters": "true",
    "RequireNumbers": "true",
    "RequireSymbols": "true",
    "RequireUppercaseCharacters": "true",
}

FLIPS: dict[str, Flip] = {
    "AWS-DisableS3BucketPublicReadWrite": Flip(
        "S3_BUCKET_PUBLIC_READ_PROHIBITED", BUCKET, bucket("opened", ACL="public-read"), "S3BucketName"
    ),
    "AWS-ConfigureS3BucketLogging": Flip(
        "S3_BUCKET_LOGGING_ENABLED", BUCKET, bucket("unlogged"), "BucketName", log_delivery
    ),
    "AWS-EnableS3BucketEncryption": Flip("S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED", BUCKET, unencrypted, "BucketName"),
    "AWS-ConfigureS3BucketVersioning": Flip(
        "S3_BUCKET_VERSIONING_ENABLED", BUCKET, bucket("unversioned"), "BucketName"
    ),
    "AWSConfigRemediation-ConfigureS3BucketPublicAccessBlock": Flip(
        "S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED", BUCKET, bucket("unblocked"), "BucketName"
    ),
    "AWSConfigRemediation-RestrictBucketSSLRequestsOnly": Flip(
        "S3_BUCKET_SSL_REQUESTS_ONLY", BUCKET, bucket("plaintext"), "BucketName"
    ),
    "AWSConfigRemediation-RemoveUnrestrictedSourceIngressRules": Flip(
        "RESTRICTED_INCOMING_TRAFFIC",
        GROUP,
        group("open-1"),
        "SecurityGroupId",
        rule_parameters={"blockedPort1": "3389"},
    ),
    "AWS-DisablePublicAccessForSecurityGroup": Flip("INCOMING_SSH_DISABLED", GROUP, group("open-2"), "GroupId"),
    "AWSConfigRemediation-RemoveVPCDefaultSecurityGroupRules": Flip(
        "VPC_DEFAULT_SECURITY_GROUP_CLOSED", GROUP, default_group, "GroupId"
    ),
    "AWSConfigRemediation-DetachIAMPolicy": Flip(
        "IAM_POLICY_BLACKLISTED_CHECK",
        "AWS::IAM::User",
        mighty_user,
        fixed=policy_id,
        rule_parameters={"policyArns": "arn:aws:iam::123456789012:policy/everything"},
    ),
    "AWSConfigRemediation-ConfigureS3PublicAccessBlock": Flip(
        "S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC", ACCOUNT, account, "AccountId", is_periodic=True
    ),
    "AWSConfigRemediation-SetIAMPasswordPolicy": Flip(
        "IAM_PASSWORD_POLICY",
        ACCOUNT,
        account,
        fixed=lambda _: STRICT,
        rule_parameters=STRICT,
        is_periodic=True,
    ),
    "AWSConfigRemediation-EnableEbsEncryptionByDefault": Flip(
        "EC2_EBS_ENCRYPTION_BY_DEFAULT", ACCOUNT, account, is_periodic=True
    ),
}
TELLS_ONLY = {"AWS-PublishSNSNotification"}
"""Repairs nothing, and so turns no verdict."""


def test_every_document_turns_a_verdict() -> None:
    assert set(FLIPS) | TELLS_ONLY == set(owned_documents().owned)


def verdict(aws: Lab, flip: Flip, name: str, resource: str) -> str:
    aws.settle()
    if flip.is_periodic:
        aws.advance("2m")  # a rule may be started once a minute
        aws.client("config").start_config_rules_evaluation(ConfigRuleNames=[name])
    return aws.compliance(name, resource)


@pytest.mark.parametrize("document", sorted(FLIPS))
def test_what_the_rule_finds_wrong_is_right_after_the_document_has_run(aws: Lab, document: str) -> None:
    flip, config = FLIPS[document], aws.client("config")
    name = flip.rule.lower().replace("_", "-")
    rule: dict[str, Any] = {"ConfigRuleName": name, "Source": {"Owner": "AWS", "SourceIdentifier": flip.rule}}
    if flip.rule_parameters:
        rule["InputParameters"] = json.dumps(flip.rule_parameters)
    config.put_config_rule(ConfigRule=rule)
    resource = flip.spoil(aws)
    assert verdict(aws, flip, name, resource) == "NON_COMPLIANT"
    fixed = {"AutomationAssumeRole": f"arn:aws:iam::{aws.account}:role/repairer", **flip.fixed(aws)}
    parameters: dict[str, Any] = {each: {"StaticValue": {"Values": [value]}} for each, value in fixed.items()}
    if flip.parameter is not None:
        parameters[flip.parameter] = {"ResourceValue": {"Value": "RESOURCE_ID"}}
    given = {"ConfigRuleName": name, "TargetType": "SSM_DOCUMENT", "TargetId": document, "Parameters": parameters}
    config.put_remediation_configurations(RemediationConfigurations=[given])
    key = {"resourceType": flip.kind, "resourceId": resource}
    config.start_remediation_execution(ConfigRuleName=name, ResourceKeys=[key])
    aws.settle()
    (status,) = config.describe_remediation_execution_status(ConfigRuleName=name)["RemediationExecutionStatuses"]
    assert status["State"] == "SUCCEEDED", status
    assert verdict(aws, flip, name, resource) == "COMPLIANT"
