"""A bucket is opened to the world, and closed again before anybody is told: rule, automation and trail together."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from trailstate.incidents.form import TIME, Answer, Incident, Planted, brief_time
from trailstate.incidents.recorder import record
from trailstate.incidents.stage import Stage

TYPE = "AWS::S3::Bucket"
RULE = "s3-bucket-public-read-prohibited"
IDENTIFIER = "S3_BUCKET_PUBLIC_READ_PROHIBITED"
DOCUMENT = "AWS-DisableS3BucketPublicReadWrite"
ROLE = "public-access-repair"
REPAIR = "PutBucketPublicAccessBlock"
COLUMNS = (TIME, "event", "who")
TOLD = ("PutBucketAcl", "StartAutomationExecution", REPAIR)
"""The events of a row: what opened the bucket, who was called, what closed it."""

TRIES_MAX = 400
"""How often the API is asked whether the repair is done; each answer takes a few milliseconds."""


def _open_bucket(stage: Stage) -> Planted:
    record(stage, TYPE)
    _watch(stage)
    s3 = stage.client("s3")
    bucket = f"holiday-photos-{stage.account}-{len(s3.list_buckets()['Buckets'])}"
    s3.create_bucket(Bucket=bucket)
    stage.advance(timedelta(minutes=25))
    evan = stage.developer("evan")
    stage.client("s3", evan).put_bucket_acl(Bucket=bucket, ACL="public-read")
    stage.advance(timedelta(minutes=1))
    return {"resource": bucket, "event": REPAIR, "who": ROLE, "opened": "evan"}


def _watch(stage: Stage) -> None:
    """A rule that forbids public buckets, and the document that closes one as soon as the rule finds it."""
    iam, config = stage.client("iam"), stage.client("config")
    if ROLE not in {each["RoleName"] for each in iam.list_roles()["Roles"]}:
        allowed = {"Effect": "Allow", "Principal": {"Service": "ssm.amazonaws.com"}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust)
    source = {"Owner": "AWS", "SourceIdentifier": IDENTIFIER}
    scope = {"ComplianceResourceTypes": [TYPE]}
    config.put_config_rule(ConfigRule={"ConfigRuleName": RULE, "Source": source, "Scope": scope})
    role = f"arn:aws:iam::{stage.account}:role/{ROLE}"
    parameters = {
        "AutomationAssumeRole": {"StaticValue": {"Values": [role]}},
        "S3BucketName": {"ResourceValue": {"Value": "RESOURCE_ID"}},
    }
    config.put_remediation_configurations(
        RemediationConfigurations=[
            {
                "ConfigRuleName": RULE,
                "TargetType": "SSM_DOCUMENT",
                "TargetId": DOCUMENT,
                "Parameters": parameters,
                "Automatic": True,
                "MaximumAutomaticAttempts": 5,
                "RetryAttemptSeconds": 60,
            }
        ]
    )


def _ask(stage: Stage, planted: Planted) -> Answer:
    """Ask for the repair's status and the bucket's compliance, then the event history for all that was done to it."""
    bucket = planted["resource"]
    state, verdict = _settled(stage, bucket, waits="opened" in planted)
    attribute = {"AttributeKey": "ResourceName", "AttributeValue": bucket}
    pages = stage.client("cloudtrail").get_paginator("lookup_events").paginate(LookupAttributes=[attribute])
    events = [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]
    writes = [event for event in reversed(events) if not event["readOnly"]]
    repaired = next((event for event in reversed(writes) if event["eventName"] == REPAIR), None)
    return Answer(
        command=(
            f"aws configservice describe-remediation-execution-status --config-rule-name {RULE} "
            f"--resource-keys resourceType={TYPE},resourceId={bucket}"
        ),
        columns=COLUMNS,
        rows=[_row(event) for event in writes if event["eventName"] in TOLD],
        sentence=_sentence(bucket, state, verdict, repaired),
        is_right=(state, verdict) == ("SUCCEEDED", "COMPLIANT")
        and repaired is not None
        and _who(repaired).startswith(planted["who"]),
    )


def _settled(stage: Stage, bucket: str, *, waits: bool) -> tuple[str, str]:
    """State of the repair, and what the rule says now."""
    config = stage.client("config")
    state = verdict = "unknown"
    if not config.describe_remediation_configurations(ConfigRuleNames=[RULE])["RemediationConfigurations"]:
        return state, verdict
    for _ in range(TRIES_MAX if waits else 1):
        keys = [{"resourceType": TYPE, "resourceId": bucket}]
        asked = config.describe_remediation_execution_status(ConfigRuleName=RULE, ResourceKeys=keys)
        state = next((each["State"] for each in asked["RemediationExecutionStatuses"]), "unknown")
        judged = config.get_compliance_details_by_resource(ResourceType=TYPE, ResourceId=bucket)["EvaluationResults"]
        verdict = next((each["ComplianceType"] for each in judged if _rule(each) == RULE), "unknown")
        if (state, verdict) == ("SUCCEEDED", "COMPLIANT"):
            break
    return state, verdict


def _rule(result: Mapping[str, Any]) -> str:
    return str(result["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ConfigRuleName"])


def _row(event: Mapping[str, Any]) -> Sequence[str]:
    return (brief_time(event["eventTime"]), event["eventName"], _who(event).partition("/")[0])


def _who(event: Mapping[str, Any]) -> str:
    identity = event["userIdentity"]
    if identity["type"] == "AssumedRole":
        return str(identity["arn"]).partition(":assumed-role/")[2]
    return str(identity.get("userName", identity.get("invokedBy", "?")))


def _sentence(bucket: str, state: str, verdict: str, repaired: Mapping[str, Any] | None) -> str:
    if repaired is None:
        return f"Nobody: the bucket {bucket} was not repaired; the state of its remediation is {state}."
    return (
        f"{DOCUMENT} closed it as {_who(repaired).partition('/')[0]} at {repaired['eventTime']}; "
        f"remediation {state}, rule {verdict}."
    )


REPAIRED_BUCKET = Incident(
    name="repaired-bucket",
    question="Auto-detect the public bucket and fix it.",
    services="AWS Config rule and remediation · SSM Automation · CloudTrail event history",
    story="A developer makes a bucket public; a rule finds it, and an automation blocks public access within seconds.",
    play=_open_bucket,
    ask=_ask,
    is_of_exam=True,
)
