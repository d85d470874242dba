"""Whether CloudTrail could deliver where a trail points: what the bucket, topic, key and log group let it do.

Follows the CloudTrail user guide ("Amazon S3 bucket policy for CloudTrail", "… Amazon SNS topic policy …", "Configure
AWS KMS key policies for CloudTrail", "Role policy document for CloudTrail to use CloudWatch Logs"). Everything is asked
through the Door as CloudTrail's service principal.
"""

from collections.abc import Mapping
from typing import Any

from trailstate.services.cloudtrail.found import fault
from trailstate.services.cloudtrail.role import may_write, trusts_cloudtrail
from trailstate.trail.trails import SERVICE
from trailstate.values.policy import MalformedPolicy, Policy, Question, allows, read_policy
from trailstate.wire.call import Call, Door, service_principal
from trailstate.wire.fault import Fault

Document = Mapping[str, Any]

NO_BUCKET = {"NoSuchBucket", "404", "PermanentRedirect"}
_LOG_GROUP_PARTS = 7


class Destinations:
    """Asks on behalf of one call."""

    def __init__(self, call: Call, door: Door) -> None:
        self._call = call
        self._door = door

    def _ask(self, service: str, operation: str, region: str | None = None, **parameters: Any) -> Mapping[str, Any]:
        return self._door.call(
            service,
            operation,
            parameters,
            account=self._call.account,
            region=region or self._call.region,
            as_=service_principal(SERVICE, self._call.account),
        )

    # ---- the bucket ----

    def check_bucket(self, document: Document, account: str) -> None:
        """S3BucketDoesNotExistException, or InsufficientS3BucketPolicyException when CloudTrail may not write there."""
        bucket = document["S3BucketName"]
        policy = self._bucket_policy(bucket)
        folder = "/".join(
            part for part in (document.get("S3KeyPrefix"), "AWSLogs", document.get("OrganizationId"), account) if part
        )
        arn = f"arn:aws:s3:::{bucket}"
        wanted = (
            ("s3:GetBucketAcl", arn),
            ("s3:PutObject", f"{arn}/{folder}/CloudTrail/{self._call.region}/log.json.gz"),
        )
        context = self._context(document, account)
        if policy is None or not all(
            allows(policy, Question(*each, service=SERVICE, context=context)) for each in wanted
        ):
            raise fault.InsufficientS3BucketPolicyException(
                f"Incorrect S3 bucket policy is detected for bucket: {bucket}"
            )

    def _bucket_policy(self, bucket: str) -> Policy | None:
        try:
            return read_policy(self._ask("s3", "GetBucketPolicy", Bucket=bucket).get("Policy") or "")
        except MalformedPolicy:
            return None
        except Fault as refusal:
            if refusal.code in NO_BUCKET:
                raise fault.S3BucketDoesNotExistException(f"S3 bucket {bucket} does not exist!") from refusal
            if not refusal.sender:
                raise
            return None

    def _context(self, document: Document, account: str) -> dict[str, str]:
        context = {
            "aws:SourceArn": str(document["TrailARN"]),
            "aws:SourceAccount": account,
            "aws:PrincipalIsAWSService": "true",
            "aws:PrincipalServiceName": SERVICE,
            "aws:SecureTransport": "true",
            "s3:x-amz-acl": "bucket-owner-full-control",
            "s3:x-amz-server-side-encryption": "aws:kms" if document.get("KmsKeyId") else "AES256",
            "kms:EncryptionContext:aws:cloudtrail:arn": str(document["TrailARN"]),
        }
        return context | ({"aws:SourceOrgID": document["OrganizationId"]} if "OrganizationId" in document else {})

    # ---- the topic ----

    def topic_arn(self, named: str) -> str:
        """The ARN of a topic given by name or ARN."""
        return named if named.startswith("arn:") else f"arn:aws:sns:{self._call.region}:{self._call.account}:{named}"

    def check_topic(self, document: Document, account: str) -> None:
        """InsufficientSnsTopicPolicyException when there is no such topic, or CloudTrail may not publish to it."""
        topic = document["SnsTopicARN"]
        question = Question("sns:Publish", topic, service=SERVICE, context=self._context(document, account))
        try:
            region = topic.split(":")[3] if topic.count(":") == 5 else None
            text = self._ask("sns", "GetTopicAttributes", region, TopicArn=topic)["Attributes"].get("Policy") or ""
            allowed = allows(read_policy(text), question)
        except MalformedPolicy:
            allowed = False
        except Fault as refusal:
            if not refusal.sender:
                raise
            allowed = False
        if not allowed:
            raise fault.InsufficientSnsTopicPolicyException(
                "SNS Topic does not exist or the topic policy is incorrect!"
            )

    # ---- the key ----

    def key_arn(self, named: str) -> str:
        """The ARN of a KMS key given by id, alias or ARN; KmsKeyNotFoundException."""
        region = named.split(":")[3] if named.startswith("arn:") and named.count(":") >= 5 else None
        try:
            found = self._ask("kms", "DescribeKey", region, KeyId=named)["KeyMetadata"]
        except Fault as refusal:
            if not refusal.sender:
                raise
            if refusal.code in ("NotFoundException", "InvalidArnException"):
                raise fault.KmsKeyNotFoundException(f"KMS key {named} does not exist.") from refusal
            raise fault.InvalidKmsKeyIdException(f"'{named}' is not a KMS key: {refusal.message}") from refusal
        if not found.get("Enabled", True):
            raise fault.KmsException(f"KMS key {named} is disabled.")
        return str(found["Arn"])

    def check_key(self, document: Document, account: str) -> None:
        """InsufficientEncryptionPolicyException when CloudTrail may not encrypt with the key."""
        key, bucket = document["KmsKeyId"], document["S3BucketName"]
        self._check_together(bucket, key)
        question = Question("kms:GenerateDataKey", key, service=SERVICE, context=self._context(document, account))
        try:
            text = self._ask("kms", "GetKeyPolicy", key.split(":")[3], KeyId=key, PolicyName="default")["Policy"]
            allowed = allows(read_policy(text), question)
        except MalformedPolicy:
            allowed = False
        if not allowed:
            raise fault.InsufficientEncryptionPolicyException(
                f"Insufficient permissions to access S3 bucket {bucket} or KMS key {key}."
            )

    def _check_together(self, bucket: str, key: str) -> None:
        """A key encrypts only what lies in a bucket of its own Region."""
        place = self._ask("s3", "GetBucketLocation", Bucket=bucket).get("LocationConstraint") or "us-east-1"
        if place != key.split(":")[3]:
            raise fault.KmsKeyNotFoundException(f"KMS key {key} is not in {place}, the Region of the bucket {bucket}.")

    # ---- the log group ----

    def check_log_group(self, document: Document) -> None:
        """The log group must be there, and the role one that CloudTrail may take on."""
        group, role = document.get("CloudWatchLogsLogGroupArn"), document.get("CloudWatchLogsRoleArn")
        if not group:
            raise fault.InvalidCloudWatchLogsLogGroupArnException("You must specify a log group as well as a role ARN.")
        if not role:
            raise fault.InvalidCloudWatchLogsRoleArnException("You must specify a role ARN as well as a log group.")
        if not self._group_exists(group):
            raise fault.InvalidCloudWatchLogsLogGroupArnException(
                "CloudTrail cannot validate the specified log group ARN."
            )
        if not trusts_cloudtrail(self._ask, role):
            raise fault.InvalidCloudWatchLogsRoleArnException(
                "Access denied. Check the trust relationships for your role."
            )
        if not may_write(self._ask, role, group, self._call.account, self._call.region):
            raise fault.InvalidCloudWatchLogsRoleArnException("Access denied. Check the permissions for your role.")

    def _group_exists(self, arn: str) -> bool:
        parts = arn.split(":")
        if (
            len(parts) < _LOG_GROUP_PARTS
            or parts[2] != "logs"
            or parts[5] != "log-group"
            or parts[3] != self._call.region
        ):
            return False
        name = parts[6]
        found = self._ask("logs", "DescribeLogGroups", logGroupNamePrefix=name).get("logGroups", ())
        return any(each["logGroupName"] == name for each in found)
