"""Published custom rules, unmodified: they run here as they run on AWS, and their verdicts arrive."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.recorder import start_recorder
from tests.clients.test_custom_rules import a_rule
from trailstate.sandbox import protection
from trailstate.testing import Lab, lab

DIRECTORY = os.environ.get("TRAILSTATE_RULES", "")
pytestmark = [
    pytest.mark.skipif(not protection.available().isolates, reason="no bubblewrap that works here"),
    pytest.mark.skipif(not DIRECTORY, reason="TRAILSTATE_RULES names no directory with published custom rules"),
]
EXPECTED = {
    "AMI_NOT_PUBLIC_CHECK": {"COMPLIANT"},
    "EBS_ENCRYPTED_VOLUMES_V2": {"COMPLIANT"},
    "EC2_SECURITY_GROUP_BADINGRESS": {"COMPLIANT"},
    "IAM_ACCESS_KEY_ROTATED": {"COMPLIANT"},
    "IAM_GROUP_NO_POLICY_FULL_STAR": {"COMPLIANT"},
    "IAM_NO_USER": {"NON_COMPLIANT"},
    "IAM_ROLE_NO_POLICY_FULL_STAR": {"COMPLIANT"},
    "IAM_USER_MFA_ENABLED": {"NON_COMPLIANT"},
    "IAM_USER_NO_POLICY_FULL_STAR": {"NON_COMPLIANT"},
    "KMS_KEYS_TO_NOT_DELETE": {"COMPLIANT"},
    "LAMBDA_DLQ_CHECK": {"NON_COMPLIANT"},
}
"""What each says of the account below."""


def allow(action: str) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    """An account with a user who may do everything, a group, a volume, a security group and a key."""
    with lab() as started:
        start_recorder(started)
        iam, ec2 = started.client("iam"), started.client("ec2")
        iam.create_role(RoleName="judge", AssumeRolePolicyDocument=TRUST)
        iam.create_user(UserName="dana")
        iam.create_access_key(UserName="dana")
        iam.put_user_policy(UserName="dana", PolicyName="all", PolicyDocument=allow("*"))
        iam.create_group(GroupName="readers")
        iam.put_group_policy(GroupName="readers", PolicyName="s3", PolicyDocument=allow("s3:*"))
        ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True)
        ec2.create_security_group(GroupName="web", Description="web")
        started.client("kms").create_key()
        started.settle()
        yield started


TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_published_rule_judges(aws: Lab, name: str) -> None:
    place = Path(DIRECTORY) / name
    told = json.loads((place / "parameters.json").read_text())["Parameters"]
    (code,) = [each for each in place.glob("*.py") if not each.stem.endswith("_test")]
    given = {key: value for key, value in json.loads(told.get("InputParameters") or "{}").items() if value}
    document: dict[str, Any] = {"InputParameters": json.dumps(given)} if given else {}
    if told.get("SourceEvents"):
        document["Scope"] = {"ComplianceResourceTypes": told["SourceEvents"].split(",")}
    message = "ConfigurationItemChangeNotification" if told.get("SourceEvents") else "ScheduledNotification"
    a_rule(aws, name, code.read_text(), message, module=code.stem, entry="lambda_handler", **document)
    config = aws.client("config")
    (status,) = config.describe_config_rule_evaluation_status(ConfigRuleNames=[name])["ConfigRulesEvaluationStatus"]
    assert "LastErrorMessage" not in status
    results = config.get_compliance_details_by_config_rule(ConfigRuleName=name)["EvaluationResults"]
    assert {each["ComplianceType"] for each in results} == EXPECTED[name]
