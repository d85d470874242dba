"""Every document of the catalogue does what it says: something is wrong, the document runs, it is right."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.clients.receivers import a_queue

from trailstate.app.remediation import owned_documents
from trailstate.sandbox import protection
from trailstate.testing import Lab, lab

pytestmark = pytest.mark.skipif(not protection.available().isolates, reason="no bubblewrap that works here")


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab() as started:
        yield started


Values = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Case:
    """`spoil` makes something wrong and gives the document's parameters; `is_right` looks at it."""

    spoil: Callable[[Lab], Values]
    is_right: Callable[[Lab, Values], bool]


def bucket(name: str, parameter: str = "BucketName") -> Callable[[Lab], Values]:
    def make(aws: Lab) -> Values:
        aws.client("s3").create_bucket(Bucket=name)
        return {parameter: [name]}

    return make


def blocked(parameter: str) -> Callable[[Lab, Values], bool]:
    def look(aws: Lab, values: Values) -> bool:
        try:
            found = aws.client("s3").get_public_access_block(Bucket=values[parameter][0])
        except ClientError:
            return False
        return all(found["PublicAccessBlockConfiguration"].values())

    return look


def log_bucket(aws: Lab) -> Values:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="logged")
    s3.create_bucket(Bucket="logs")
    s3.put_bucket_acl(
        Bucket="logs",
        GrantWrite="uri=http://acs.amazonaws.com/groups/s3/LogDelivery",
        GrantReadACP="uri=http://acs.amazonaws.com/groups/s3/LogDelivery",
    )
    return {
        "BucketName": ["logged"],
        "TargetBucket": ["logs"],
        "GrantedPermission": ["READ"],
        "GranteeType": ["Group"],
        "GranteeUri": ["http://acs.amazonaws.com/groups/global/AuthenticatedUsers"],
    }


def open_group(parameter: str, name: str) -> Callable[[Lab], Values]:
    def make(aws: Lab) -> Values:
        ec2 = aws.client("ec2")
        group = ec2.create_security_group(GroupName=name, Description="open")["GroupId"]
        ranges = [{"CidrIp": "0.0.0.0/0"}, {"CidrIp": "10.0.0.0/8"}]
        ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": ranges}
        wide = {"IpProtocol": "tcp", "FromPort": 3000, "ToPort": 4000, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[ssh, wide])
        return {parameter: [group]}

    return make


def closed(parameter: str) -> Callable[[Lab, Values], bool]:
    def look(aws: Lab, values: Values) -> bool:
        group = aws.client("ec2").describe_security_groups(GroupIds=values[parameter])["SecurityGroups"][0]
        open_to = [each["CidrIp"] for rule in group["IpPermissions"] for each in rule["IpRanges"]]
        open_to += [each["CidrIpv6"] for rule in group["IpPermissions"] for each in rule["Ipv6Ranges"]]
        return open_to == ["10.0.0.0/8"]

    return look


def default_group(aws: Lab) -> Values:
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    groups = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"]
    return {"GroupId": [groups[0]["GroupId"]]}


def empty_group(aws: Lab, values: Values) -> bool:
    group = aws.client("ec2").describe_security_groups(GroupIds=values["GroupId"])["SecurityGroups"][0]
    return not group["IpPermissions"] and not group["IpPermissionsEgress"]


def attached_policy(aws: Lab) -> Values:
    iam = aws.client("iam")
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    policy = iam.create_policy(PolicyName="everything", PolicyDocument=document)["Policy"]
    iam.create_user(UserName="mighty")
    iam.create_group(GroupName="mighty")
    iam.attach_user_policy(UserName="mighty", PolicyArn=policy["Arn"])
    iam.attach_group_policy(GroupName="mighty", PolicyArn=policy["Arn"])
    return {"IAMResourceId": [policy["PolicyId"]]}


def detached(aws: Lab, values: Values) -> bool:
    arn = f"arn:aws:iam::{aws.account}:policy/everything"
    found = aws.client("iam").list_entities_for_policy(PolicyArn=arn)
    return not found["PolicyUsers"] and not found["PolicyGroups"]


def password_policy(aws: Lab, values: Values) -> bool:
    try:
        policy = aws.client("iam").get_account_password_policy()["PasswordPolicy"]
    except ClientError:
        return False
    return policy["MinimumPasswordLength"] == 14 and policy["RequireSymbols"] and policy["MaxPasswordAge"] == 90


def s3control(aws: Lab) -> Any:
    """A client that reaches S3 Control, which would call `ACCOUNT.host`, at the host itself."""

    def at_host(request: Any, **_: Any) -> None:
        request.url = request.url.replace(f"{aws.account}.", "", 1)

    client = aws.client("s3control")
    client.meta.events.register("before-sign.s3-control", at_host, unique_id="at-host")
    return client


def account_blocked(aws: Lab, values: Values) -> bool:
    try:
        found = s3control(aws).get_public_access_block(AccountId=aws.account)
    except ClientError:
        return False
    return all(found["PublicAccessBlockConfiguration"].values())


def tls_only(aws: Lab, values: Values) -> bool:
    try:
        policy = json.loads(aws.client("s3").get_bucket_policy(Bucket=values["BucketName"][0])["Policy"])
    except ClientError:
        return False
    return policy["Statement"][-1]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def topic(aws: Lab) -> Values:
    sns = aws.client("sns")
    arn = sns.create_topic(Name="told")["TopicArn"]
    _, queue = a_queue(aws, "hears", "sns")
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue)
    return {"TopicArn": [arn], "Message": ["out of order"]}


def heard(aws: Lab, values: Values) -> bool:
    url = aws.client("sqs").get_queue_url(QueueName="hears")["QueueUrl"]
    messages = aws.client("sqs").receive_message(QueueUrl=url, VisibilityTimeout=0).get("Messages", [])
    return any("out of order" in each["Body"] for each in messages)


def encrypted(aws: Lab, values: Values) -> bool:
    try:
        found = aws.client("s3").get_bucket_encryption(Bucket=values["BucketName"][0])
    except ClientError:
        return False
    default = found["ServerSideEncryptionConfiguration"]["Rules"][0]["ApplyServerSideEncryptionByDefault"]
    return default["SSEAlgorithm"] == "aws:kms"


CASES: dict[str, Case] = {
    "AWS-DisableS3BucketPublicReadWrite": Case(bucket("public", "S3BucketName"), blocked("S3BucketName")),
    "AWS-ConfigureS3BucketLogging": Case(
        log_bucket,
        lambda aws, _: "LoggingEnabled" in aws.client("s3").get_bucket_logging(Bucket="logged"),
    ),
    "AWS-EnableS3BucketEncryption": Case(
        lambda aws: bucket("plain")(aws) | {"SSEAlgorithm": ["aws:kms"]},
        encrypted,
    ),
    "AWS-PublishSNSNotification": Case(topic, heard),
    "AWS-ConfigureS3BucketVersioning": Case(
        bucket("unversioned"),
        lambda aws, _: aws.client("s3").get_bucket_versioning(Bucket="unversioned").get("Status") == "Enabled",
    ),
    "AWSConfigRemediation-ConfigureS3BucketPublicAccessBlock": Case(bucket("unblocked"), blocked("BucketName")),
    "AWSConfigRemediation-ConfigureS3PublicAccessBlock": Case(
        lambda aws: {"AccountId": [aws.account]}, account_blocked
    ),
    "AWSConfigRemediation-EnableEbsEncryptionByDefault": Case(
        lambda _: {},
        lambda aws, _: aws.client("ec2").get_ebs_encryption_by_default()["EbsEncryptionByDefault"],
    ),
    "AWSConfigRemediation-RemoveUnrestrictedSourceIngressRules": Case(
        open_group("SecurityGroupId", "open-1"), closed("SecurityGroupId")
    ),
    "AWS-DisablePublicAccessForSecurityGroup": Case(open_group("GroupId", "open-2"), closed("GroupId")),
    "AWSConfigRemediation-RemoveVPCDefaultSecurityGroupRules": Case(default_group, empty_group),
    "AWSConfigRemediation-SetIAMPasswordPolicy": Case(
        lambda _: {"MinimumPasswordLength": ["14"], "RequireSymbols": ["true"], "MaxPasswordAge": ["90"]},
        password_policy,
    ),
    "AWSConfigRemediation-DetachIAMPolicy": Case(attached_policy, detached),
    "AWSConfigRemediation-RestrictBucketSSLRequestsOnly": Case(bucket("plaintext"), tls_only),
}


def test_every_document_has_a_case() -> None:
    assert set(CASES) == set(owned_documents().owned)


@pytest.mark.parametrize("name", sorted(CASES))
def test_what_is_wrong_is_right_afterwards(aws: Lab, name: str) -> None:
    case = CASES[name]
    values = case.spoil(aws)
    assert not case.is_right(aws, values)
    ssm = aws.client("ssm")
    given = values | {"AutomationAssumeRole": [f"arn:aws:iam::{aws.account}:role/repairer"]}
    started = ssm.start_automation_execution(DocumentName=name, Parameters=given)["AutomationExecutionId"]
    aws.settle()
    done = ssm.get_automation_execution(AutomationExecutionId=started)["AutomationExecution"]
    assert (done["AutomationExecutionStatus"], done.get("FailureMessage")) == ("Success", None)
    assert case.is_right(aws, values)
