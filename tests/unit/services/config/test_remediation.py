"""From a bad change to a repaired resource: automatic and by hand, once at a time, with an end to trying."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from tests.clients.refusals import refusal

from trailstate.testing import Lab, lab

BUCKET = "AWS::S3::Bucket"
HOLD = json.dumps(
    {
        "schemaVersion": "0.3",
        "parameters": {"Bucket": {"type": "String"}},
        "mainSteps": [{"name": "hold", "action": "aws:pause", "inputs": {}}],
    }
)
FAIL = json.dumps(
    {
        "schemaVersion": "0.3",
        "parameters": {"Bucket": {"type": "String"}},
        "mainSteps": [
            {
                "name": "look",
                "action": "aws:executeAwsApi",
                "inputs": {"Service": "s3", "Api": "GetBucketTagging", "Bucket": "{{ Bucket }}"},
            }
        ],
    }
)

NOTHING = FAIL.replace("GetBucketTagging", "GetBucketAcl")
"""A document that succeeds and repairs nothing."""


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab() as started:
        started.client("s3").create_bucket(Bucket="channel")
        config = started.client("config")
        role = f"arn:aws:iam::{started.account}:role/config"
        config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": role})
        config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "channel"})
        config.start_configuration_recorder(ConfigurationRecorderName="default")
        for name, content in (("Hold", HOLD), ("Fails", FAIL), ("Nothing", NOTHING)):
            started.client("ssm").create_document(Name=name, Content=content, DocumentType="Automation")
        started.settle()
        yield started


def rule(aws: Lab, name: str, document: str, parameter: str, **more: Any) -> None:
    """A rule that forbids public buckets, and how it is repaired."""
    source = {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_PUBLIC_READ_PROHIBITED"}
    scope = {"ComplianceResourceTypes": [BUCKET]}
    aws.client("config").put_config_rule(ConfigRule={"ConfigRuleName": name, "Source": source, "Scope": scope})
    remediate(aws, name, document, parameter, **more)


def remediate(aws: Lab, name: str, document: str, parameter: str, **more: Any) -> None:
    fixed = {"AutomationAssumeRole": {"StaticValue": {"Values": [f"arn:aws:iam::{aws.account}:role/repairer"]}}}
    filled = {parameter: {"ResourceValue": {"Value": "RESOURCE_ID"}}}
    given = {"ConfigRuleName": name, "TargetType": "SSM_DOCUMENT", "TargetId": document}
    parameters = filled | (fixed if document.startswith("AWS") else {})
    aws.client("config").put_remediation_configurations(
        RemediationConfigurations=[{**given, "Parameters": parameters, **more}]
    )


AUTOMATIC = {"Automatic": True, "MaximumAutomaticAttempts": 3, "RetryAttemptSeconds": 600}


def drop(aws: Lab, name: str) -> None:
    aws.client("config").delete_remediation_configuration(ConfigRuleName=name)
    aws.client("config").delete_config_rule(ConfigRuleName=name)
    aws.settle()


def make_public(aws: Lab, name: str) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=name)
    aws.settle()
    s3.put_bucket_acl(Bucket=name, ACL="public-read")


def key(name: str) -> dict[str, str]:
    return {"resourceType": BUCKET, "resourceId": name}


def status(aws: Lab, name: str, bucket: str) -> dict[str, Any]:
    aws.settle()
    found: list[dict[str, Any]] = aws.client("config").describe_remediation_execution_status(
        ConfigRuleName=name, ResourceKeys=[key(bucket)]
    )["RemediationExecutionStatuses"]
    return found[0] if found else {"State": None}


def test_a_public_bucket_is_found_and_repaired_and_the_trail_tells_it(aws: Lab) -> None:
    rule(aws, "automatic", "AWS-DisableS3BucketPublicReadWrite", "S3BucketName", **AUTOMATIC)
    make_public(aws, "opened")
    assert status(aws, "automatic", "opened")["State"] == "SUCCEEDED"
    assert aws.compliance("automatic", "opened") == "COMPLIANT"
    (repaired,) = aws.recorded(eventName="PutBucketPublicAccessBlock")
    assert repaired["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"] == "repairer"
    begun = aws.recorded(eventName="StartAutomationExecution")[-1]
    assert begun["userIdentity"]["invokedBy"] == "remediation.config.amazonaws.com"
    history = aws.client("config").get_resource_config_history(resourceType=BUCKET, resourceId="opened")
    assert repaired["eventID"] in history["configurationItems"][0]["relatedEvents"]
    drop(aws, "automatic")


def test_repair_by_hand_shows_its_steps(aws: Lab) -> None:
    rule(aws, "manual", "AWS-DisableS3BucketPublicReadWrite", "S3BucketName")
    make_public(aws, "by-hand")
    assert aws.compliance("manual", "by-hand") == "NON_COMPLIANT"
    assert status(aws, "manual", "by-hand")["State"] is None
    started = aws.client("config").start_remediation_execution(ConfigRuleName="manual", ResourceKeys=[key("by-hand")])
    assert started["FailedItems"] == []
    done = status(aws, "manual", "by-hand")
    assert (done["State"], [(step["Name"], step["State"]) for step in done["StepDetails"]]) == (
        "SUCCEEDED",
        [("BlockPublicAccess", "SUCCEEDED")],
    )
    assert aws.compliance("manual", "by-hand") == "COMPLIANT"
    drop(aws, "manual")


def test_a_resource_is_never_repaired_twice_at_once(aws: Lab) -> None:
    rule(aws, "held", "Hold", "Bucket", **AUTOMATIC)
    make_public(aws, "held-bucket")
    assert status(aws, "held", "held-bucket")["State"] == "IN_PROGRESS"
    config = aws.client("config")
    refused = config.start_remediation_execution(ConfigRuleName="held", ResourceKeys=[key("held-bucket")])
    assert refused["FailedItems"] == [key("held-bucket")]
    aws.client("s3").put_bucket_acl(Bucket="held-bucket", ACL="private")
    aws.settle()
    aws.client("s3").put_bucket_acl(Bucket="held-bucket", ACL="public-read")
    aws.settle()
    assert refusal(config.delete_remediation_configuration, ConfigRuleName="held") == "RemediationInProgressException"
    ssm = aws.client("ssm")
    (running,) = ssm.describe_automation_executions(
        Filters=[{"Key": "DocumentNamePrefix", "Values": ["Hold"]}, {"Key": "ExecutionStatus", "Values": ["Waiting"]}]
    )["AutomationExecutionMetadataList"]
    ssm.send_automation_signal(AutomationExecutionId=running["AutomationExecutionId"], SignalType="Resume")
    assert status(aws, "held", "held-bucket")["State"] == "SUCCEEDED"
    drop(aws, "held")


def test_failing_repairs_are_tried_again_and_then_given_up_with_the_reason(aws: Lab) -> None:
    rule(aws, "failing", "Fails", "Bucket", **AUTOMATIC)
    make_public(aws, "hopeless")
    assert status(aws, "failing", "hopeless")["State"] == "QUEUED"
    for _ in range(4):
        aws.advance("61s")
    failed = status(aws, "failing", "hopeless")
    assert failed["State"] == "FAILED"
    assert "NoSuchTagSet" in failed["StepDetails"][0]["ErrorMessage"]
    begun = [each["requestParameters"]["parameters"] for each in aws.recorded(eventName="StartAutomationExecution")]
    assert begun.count({"Bucket": ["hopeless"]}) == 3
    (excepted,) = aws.client("config").describe_remediation_exceptions(
        ConfigRuleName="failing", ResourceKeys=[{"ResourceType": BUCKET, "ResourceId": "hopeless"}]
    )["RemediationExceptions"]
    assert excepted["Message"].startswith("Automatic remediation failed 3 times: Step 'look' failed: NoSuchTagSet")
    drop(aws, "failing")


def begun_for(aws: Lab, bucket: str) -> int:
    """How many executions were begun for the bucket."""
    aws.settle()
    begun = [each["requestParameters"]["parameters"] for each in aws.recorded(eventName="StartAutomationExecution")]
    return begun.count({"Bucket": [bucket]})


def pass_pause(aws: Lab) -> None:
    """Between two attempts: in the middle of it the rule is asked anew."""
    for _ in range(2):
        aws.advance("31s")


def test_a_repair_that_turns_no_verdict_is_tried_again_and_then_given_up_with_the_reason(aws: Lab) -> None:
    rule(aws, "vain", "Nothing", "Bucket", **AUTOMATIC)
    make_public(aws, "still-public")
    assert status(aws, "vain", "still-public")["State"] == "SUCCEEDED"
    assert begun_for(aws, "still-public") == 1
    pass_pause(aws)
    assert begun_for(aws, "still-public") == 2
    for _ in range(3):
        pass_pause(aws)
    assert begun_for(aws, "still-public") == 3
    assert status(aws, "vain", "still-public")["State"] == "FAILED"
    (excepted,) = aws.client("config").describe_remediation_exceptions(
        ConfigRuleName="vain", ResourceKeys=[{"ResourceType": BUCKET, "ResourceId": "still-public"}]
    )["RemediationExceptions"]
    assert "still finds the resource NON_COMPLIANT" in excepted["Message"]
    drop(aws, "vain")


def test_a_repair_that_turned_the_verdict_is_not_made_again(aws: Lab) -> None:
    rule(aws, "once", "Nothing", "Bucket", **AUTOMATIC)
    make_public(aws, "closed-by-hand")
    assert status(aws, "once", "closed-by-hand")["State"] == "SUCCEEDED"
    aws.client("s3").put_bucket_acl(Bucket="closed-by-hand", ACL="private")
    aws.settle()
    for _ in range(3):
        pass_pause(aws)
    assert begun_for(aws, "closed-by-hand") == 1
    drop(aws, "once")


def controls(concurrent: int, errors: int) -> dict[str, Any]:
    percentages = {"ConcurrentExecutionRatePercentage": concurrent, "ErrorPercentage": errors}
    return {"ExecutionControls": {"SsmControls": percentages}}


def states(aws: Lab, name: str) -> list[str]:
    aws.settle()
    told = aws.client("config").describe_remediation_execution_status(ConfigRuleName=name)
    return sorted(each["State"] for each in told["RemediationExecutionStatuses"])


def test_of_a_rules_repairs_so_many_run_at_once(aws: Lab) -> None:
    rule(aws, "paced", "Hold", "Bucket", **controls(50, 100))
    keys = [key(f"paced-{number}") for number in range(4)]
    aws.client("config").start_remediation_execution(ConfigRuleName="paced", ResourceKeys=keys)
    assert states(aws, "paced") == ["IN_PROGRESS"] * 2 + ["QUEUED"] * 2
    resume_one(aws)
    assert states(aws, "paced") == ["IN_PROGRESS"] * 2 + ["QUEUED", "SUCCEEDED"]
    for _ in range(3):
        resume_one(aws)
    assert states(aws, "paced") == ["SUCCEEDED"] * 4
    drop(aws, "paced")


def resume_one(aws: Lab) -> None:
    ssm = aws.client("ssm")
    waiting = ssm.describe_automation_executions(
        Filters=[{"Key": "DocumentNamePrefix", "Values": ["Hold"]}, {"Key": "ExecutionStatus", "Values": ["Waiting"]}]
    )["AutomationExecutionMetadataList"]
    ssm.send_automation_signal(AutomationExecutionId=waiting[0]["AutomationExecutionId"], SignalType="Resume")
    aws.settle()


def test_when_too_many_repairs_of_a_rule_failed_no_further_one_is_begun(aws: Lab) -> None:
    rule(aws, "doomed", "Fails", "Bucket", **controls(1, 50))
    names = [f"doomed-{number}" for number in range(4)]
    aws.client("config").start_remediation_execution(ConfigRuleName="doomed", ResourceKeys=[key(n) for n in names])
    assert states(aws, "doomed") == ["FAILED"] * 4
    assert [begun_for(aws, name) for name in names] == [1, 1, 1, 0]
    assert "ErrorPercentage" in status(aws, "doomed", names[3])["StepDetails"][0]["ErrorMessage"]
    drop(aws, "doomed")


def test_an_exception_keeps_a_resource_from_automatic_repair_until_it_ends(aws: Lab) -> None:
    config = aws.client("config")
    rule(aws, "excepting", "AWS-DisableS3BucketPublicReadWrite", "S3BucketName", **AUTOMATIC)
    excepted = {"ResourceType": BUCKET, "ResourceId": "left-alone"}
    ends = aws.now() + timedelta(hours=1)
    config.put_remediation_exceptions(
        ConfigRuleName="excepting", ResourceKeys=[excepted], Message="a website", ExpirationTime=ends
    )
    make_public(aws, "left-alone")
    assert status(aws, "excepting", "left-alone")["State"] is None
    assert aws.compliance("excepting", "left-alone") == "NON_COMPLIANT"
    aws.advance("2h")
    assert config.describe_remediation_exceptions(ConfigRuleName="excepting")["RemediationExceptions"] == []
    aws.client("s3").put_bucket_acl(Bucket="left-alone", ACL="private")
    aws.settle()
    aws.client("s3").put_bucket_acl(Bucket="left-alone", ACL="public-read")
    assert status(aws, "excepting", "left-alone")["State"] == "SUCCEEDED"
    config.delete_remediation_exceptions(ConfigRuleName="excepting", ResourceKeys=[excepted])
    delete = config.delete_remediation_exceptions
    assert refusal(delete, ConfigRuleName="excepting", ResourceKeys=[excepted]) == "NoSuchRemediationExceptionException"
    drop(aws, "excepting")


@pytest.mark.parametrize("key", [{}, {"ResourceType": BUCKET}, {"ResourceId": "b"}])
def test_an_exception_for_half_a_resource_is_refused(aws: Lab, key: dict[str, str]) -> None:
    config = aws.client("config")
    for verb in ("put", "describe", "delete"):
        call = getattr(config, f"{verb}_remediation_exceptions")
        assert refusal(call, ConfigRuleName="any", ResourceKeys=[key]) == "InvalidParameterValueException"


def test_switching_automatic_repair_on_repairs_what_is_wrong_already(aws: Lab) -> None:
    rule(aws, "later", "AWS-DisableS3BucketPublicReadWrite", "S3BucketName")
    make_public(aws, "before")
    assert aws.compliance("later", "before") == "NON_COMPLIANT"
    remediate(aws, "later", "AWS-DisableS3BucketPublicReadWrite", "S3BucketName", **AUTOMATIC)
    assert status(aws, "later", "before")["State"] == "SUCCEEDED"
    assert aws.compliance("later", "before") == "COMPLIANT"
    (kept,) = aws.client("config").describe_remediation_configurations(ConfigRuleNames=["later"])[
        "RemediationConfigurations"
    ]
    assert kept["Arn"].startswith(f"arn:aws:config:us-east-1:{aws.account}:remediation-configuration/later/")
    drop(aws, "later")


def test_what_cannot_be_configured_is_refused_as_aws_does(aws: Lab) -> None:
    config = aws.client("config")

    def refused(**changes: Any) -> str:
        given = {"ConfigRuleName": "r", "TargetType": "SSM_DOCUMENT", "TargetId": "Hold"} | changes
        return refusal(config.put_remediation_configurations, RemediationConfigurations=[given])

    assert refused(TargetId="No-Such-Document") == "InvalidParameterValueException"
    assert refused(Automatic=True) == "InvalidParameterValueException"
    assert refused(Parameters={"Bucket": {}}) == "InvalidParameterValueException"
    absent = "NoSuchRemediationConfigurationException"
    assert refusal(config.delete_remediation_configuration, ConfigRuleName="r") == absent
    assert refusal(config.describe_remediation_execution_status, ConfigRuleName="r") == absent
    start = config.start_remediation_execution
    assert refusal(start, ConfigRuleName="r", ResourceKeys=[key("b")]) == absent
    remediate(aws, "counted", "Hold", "Bucket")
    many = [key(f"b{number}") for number in range(101)]
    assert refusal(start, ConfigRuleName="counted", ResourceKeys=many) == "InvalidParameterValueException"
