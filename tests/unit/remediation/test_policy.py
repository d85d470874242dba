"""Against another endpoint: reads go out, changes only for accounts that a setting names; the refusal is recorded."""

from typing import Any

from trailstate.testing import Lab, lab


def repair(aws: Lab) -> dict[str, Any]:
    role = f"arn:aws:iam::{aws.account}:role/repairer"
    given = {"S3BucketName": ["theirs"], "AutomationAssumeRole": [role]}
    ssm = aws.client("ssm")
    started = ssm.start_automation_execution(DocumentName="AWS-DisableS3BucketPublicReadWrite", Parameters=given)
    aws.settle()
    found = ssm.get_automation_execution(AutomationExecutionId=started["AutomationExecutionId"])
    execution: dict[str, Any] = found["AutomationExecution"]
    return execution


def close(aws: Lab, group: str) -> dict[str, Any]:
    """Repair by a script, whose calls come out of the sandbox as a client's."""
    role = f"arn:aws:iam::{aws.account}:role/repairer"
    given = {"GroupId": [group], "AutomationAssumeRole": [role]}
    ssm = aws.client("ssm")
    started = ssm.start_automation_execution(DocumentName="AWS-DisablePublicAccessForSecurityGroup", Parameters=given)
    aws.settle()
    found = ssm.get_automation_execution(AutomationExecutionId=started["AutomationExecutionId"])
    execution: dict[str, Any] = found["AutomationExecution"]
    return execution


def open_group(theirs: Lab) -> str:
    ec2 = theirs.client("ec2")
    group: str = ec2.create_security_group(GroupName="open", Description="open")["GroupId"]
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[ssh])
    return group


def test_a_foreign_account_is_changed_only_where_the_setting_names_it() -> None:
    with lab() as theirs:
        theirs.client("s3").create_bucket(Bucket="theirs")
        group = open_group(theirs)
        with lab(estate=theirs.endpoint) as ours:
            refused = repair(ours)
            assert refused["AutomationExecutionStatus"] == "Failed"
            assert "which the setting remediation_allowed_accounts does not name" in refused["FailureMessage"]
            (record,) = ours.recorded(eventName="PutBucketPublicAccessBlock")
            assert record["errorCode"] == "AccessDenied"
            assert theirs.recorded(eventName="PutBucketPublicAccessBlock") == []
            assert "UnauthorizedOperation" in close(ours, group)["FailureMessage"]
            assert theirs.recorded(eventName="RevokeSecurityGroupIngress") == []
            ours.client("s3").put_bucket_acl(Bucket="theirs", ACL="private")
        with lab(estate=theirs.endpoint, remediation_allowed_accounts=theirs.account) as ours:
            assert repair(ours)["AutomationExecutionStatus"] == "Success"
            assert len(theirs.recorded(eventName="PutBucketPublicAccessBlock")) == 1
