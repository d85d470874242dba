"""Rules judged by functions of the user's: really invoked with AWS's event, answering by PutEvaluations."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients.recorder import start_recorder
from trailstate.sandbox import protection
from trailstate.testing import Lab, lab

pytestmark = pytest.mark.skipif(not protection.available().isolates, reason="no bubblewrap that works here")

GROUP = "AWS::EC2::SecurityGroup"
JUDGE = """
import json
import boto3

def handler(event, context):
    invoking = json.loads(event["invokingEvent"])
    item = invoking["configurationItem"]
    wanted = json.loads(event["ruleParameters"])["prefix"]
    good = (item["resourceName"] or "").startswith(wanted)
    boto3.client("config").put_evaluations(
        ResultToken=event["resultToken"],
        Evaluations=[{
            "ComplianceResourceType": item["resourceType"],
            "ComplianceResourceId": item["resourceId"],
            "ComplianceType": "COMPLIANT" if good else "NON_COMPLIANT",
            "Annotation": "named " + str(item["resourceName"]) + " for " + event["configRuleName"],
            "OrderingTimestamp": item["configurationItemCaptureTime"],
        }],
    )
    print(json.dumps(invoking["configurationItemDiff"]))
"""
PERIODIC = """
import json
import boto3

def handler(event, context):
    invoking = json.loads(event["invokingEvent"])
    assert invoking["messageType"] == "ScheduledNotification"
    boto3.client("config").put_evaluations(
        ResultToken=event["resultToken"],
        Evaluations=[{
            "ComplianceResourceType": "AWS::::Account",
            "ComplianceResourceId": event["accountId"],
            "ComplianceType": "NON_COMPLIANT",
            "OrderingTimestamp": invoking["notificationCreationTime"],
        }],
    )
"""
FAILS = "def handler(event, context):\n    raise ValueError('no such thing')\n"


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab() as started:
        start_recorder(started)
        trust = {
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ]
        }
        iam = started.client("iam")
        iam.create_role(RoleName="judge", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", **trust}))
        started.settle()
        yield started


def a_rule(
    aws: Lab,
    name: str,
    source: str,
    message: str,
    *,
    module: str = "judge",
    entry: str = "handler",
    **document: Any,
) -> None:
    """A function of that source, and a rule that it judges."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr(f"{module}.py", source)
    function = aws.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=f"arn:aws:iam::{aws.account}:role/judge",
        Handler=f"{module}.{entry}",
        Timeout=60,
        Code={"ZipFile": body.getvalue()},
    )
    aws.client("lambda").add_permission(
        FunctionName=name, StatementId="config", Action="lambda:InvokeFunction", Principal="config.amazonaws.com"
    )
    details = [{"EventSource": "aws.config", "MessageType": message}]
    owner = {"Owner": "CUSTOM_LAMBDA", "SourceIdentifier": function["FunctionArn"], "SourceDetails": details}
    aws.client("config").put_config_rule(ConfigRule={"ConfigRuleName": name, "Source": owner, **document})
    aws.settle()


def test_a_function_judges_what_changes(aws: Lab) -> None:
    group = aws.client("ec2").create_security_group(GroupName="team-web", Description="web")["GroupId"]
    aws.settle()
    a_rule(
        aws,
        "named",
        JUDGE,
        "ConfigurationItemChangeNotification",
        InputParameters='{"prefix": "team-"}',
        Scope={"ComplianceResourceTypes": [GROUP]},
    )
    assert aws.compliance("named", group) == "COMPLIANT"
    other = aws.client("ec2").create_security_group(GroupName="web", Description="web")["GroupId"]
    assert aws.compliance("named", other) == "NON_COMPLIANT"
    details = aws.client("config").get_compliance_details_by_resource(ResourceType=GROUP, ResourceId=other)
    (result,) = details["EvaluationResults"]
    assert result["Annotation"] == "named web for named"
    (called,) = aws.recorded(eventName="PutEvaluations")[-1:]
    assert called["userIdentity"]["arn"].startswith(f"arn:aws:sts::{aws.account}:assumed-role/judge/")


def test_a_function_judges_by_the_clock(aws: Lab) -> None:
    a_rule(aws, "clock", PERIODIC, "ScheduledNotification")
    assert aws.compliance("clock", aws.account) == "NON_COMPLIANT"
    before = len(aws.recorded(eventName="PutEvaluations"))
    aws.advance("25h")
    assert len(aws.recorded(eventName="PutEvaluations")) > before


def test_a_function_that_fails_is_an_error_at_the_rule(aws: Lab) -> None:
    a_rule(aws, "fails", FAILS, "ScheduledNotification")
    (status,) = aws.client("config").describe_config_rule_evaluation_status(ConfigRuleNames=["fails"])[
        "ConfigRulesEvaluationStatus"
    ]
    assert status["LastErrorCode"] == "FunctionError"
    assert "no such thing" in status["LastErrorMessage"]
    assert aws.compliance("fails", aws.account) == "INSUFFICIENT_DATA"
