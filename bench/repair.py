"""How long a public bucket stays public: from the call that opens it to the rule's COMPLIANT after the repair.

    python -m bench.repair

A lab with a recorder, one rule and its automatic remediation; buckets are opened one by one, three rounds. Goal of the
99th percentile: 2 s for a document of API calls. A document with a script starts a Python with boto3 in the sandbox;
it is measured beside.
"""

import statistics
import time
from collections.abc import Sequence
from typing import Any

from trailstate.testing import Lab, lab

ROUNDS = 3
BUCKETS = 25
SCRIPTS = 5
GOAL_SECONDS = 2.0
WAIT_SECONDS_MAX = 20.0
BUCKET = "AWS::S3::Bucket"


def remediation(aws: Lab, rule: str, document: str, parameter: str, identifier: str, scope: str) -> None:
    config = aws.client("config")
    source = {"Owner": "AWS", "SourceIdentifier": identifier}
    config.put_config_rule(
        ConfigRule={"ConfigRuleName": rule, "Source": source, "Scope": {"ComplianceResourceTypes": [scope]}}
    )
    role = f"arn:aws:iam::{aws.account}:role/repairer"
    parameters = {
        "AutomationAssumeRole": {"StaticValue": {"Values": [role]}},
        parameter: {"ResourceValue": {"Value": "RESOURCE_ID"}},
    }
    given: dict[str, Any] = {"ConfigRuleName": rule, "TargetType": "SSM_DOCUMENT", "TargetId": document}
    given |= {"Automatic": True, "MaximumAutomaticAttempts": 5, "RetryAttemptSeconds": 60, "Parameters": parameters}
    config.put_remediation_configurations(RemediationConfigurations=[given])


def record(aws: Lab) -> None:
    aws.client("s3").create_bucket(Bucket="channel")
    config = aws.client("config")
    role = f"arn:aws:iam::{aws.account}:role/config"
    config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": role})
    config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "channel"})
    config.start_configuration_recorder(ConfigurationRecorderName="default")


def until_repaired(aws: Lab, rule: str, kind: str, resource: str, began: float) -> float:
    """Seconds until the repair succeeded and the rule says COMPLIANT."""
    config = aws.client("config")
    while time.perf_counter() - began < WAIT_SECONDS_MAX:
        keys = [{"resourceType": kind, "resourceId": resource}]
        states = config.describe_remediation_execution_status(ConfigRuleName=rule, ResourceKeys=keys)
        judged = config.get_compliance_details_by_resource(ResourceType=kind, ResourceId=resource)["EvaluationResults"]
        verdicts = [
            each["ComplianceType"]
            for each in judged
            if each["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ConfigRuleName"] == rule
        ]
        if [each["State"] for each in states["RemediationExecutionStatuses"]] == ["SUCCEEDED"] and verdicts == [
            "COMPLIANT"
        ]:
            return time.perf_counter() - began
        time.sleep(0.01)
    raise SystemExit(f"{resource} was not repaired within {WAIT_SECONDS_MAX:g} s")


def open_bucket(aws: Lab, name: str) -> float:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=name)
    aws.settle()
    began = time.perf_counter()
    s3.put_bucket_acl(Bucket=name, ACL="public-read")
    return until_repaired(aws, "public", BUCKET, name, began)


def open_group(aws: Lab, name: str) -> float:
    ec2 = aws.client("ec2")
    group = ec2.create_security_group(GroupName=name, Description="measured")["GroupId"]
    aws.settle()
    began = time.perf_counter()
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[ssh])
    return until_repaired(aws, "ssh", "AWS::EC2::SecurityGroup", group, began)


def told(what: str, seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    p99 = ordered[min(len(ordered) - 1, round(0.99 * (len(ordered) - 1)))]
    figures = f"p50 {statistics.median(ordered):6.3f} s   p99 {p99:6.3f} s   max {ordered[-1]:6.3f} s"
    return f"{what:44} n={len(ordered):<4} {figures}"


def main() -> None:
    for number in range(ROUNDS):
        with lab() as aws:
            record(aws)
            document = "AWS-DisableS3BucketPublicReadWrite"
            remediation(aws, "public", document, "S3BucketName", "S3_BUCKET_PUBLIC_READ_PROHIBITED", BUCKET)
            scope = "AWS::EC2::SecurityGroup"
            script = "AWS-DisablePublicAccessForSecurityGroup"
            remediation(aws, "ssh", script, "GroupId", "INCOMING_SSH_DISABLED", scope)
            aws.settle()
            open_bucket(aws, "warm-up")
            open_group(aws, "warm-up")
            calls = [open_bucket(aws, f"opened-{each}") for each in range(BUCKETS)]
            scripts = [open_group(aws, f"opened-{each}") for each in range(SCRIPTS)]
        print(f"round {number + 1}")
        print(told("bucket opened → repaired and COMPLIANT", calls))
        print(told("group opened → repaired by script, COMPLIANT", scripts))
        print(f"goal: p99 ≤ {GOAL_SECONDS:g} s")


if __name__ == "__main__":
    main()
