"""Conformance packs through boto3: put from three places, judged, scored, withdrawn."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients.recorder import start_recorder
from tests.clients.refusals import check_refused
from tests.clients.test_compliance import WORLD
from trailstate.testing import Lab, lab

TEMPLATE = """
Parameters:
  MaxAge: {Type: String, Default: '90'}
Resources:
  Ssh:
    Type: AWS::Config::ConfigRule
    Controls: [CIS.5.2]
    Properties:
      ConfigRuleName: restricted-ssh
      Source: {Owner: AWS, SourceIdentifier: INCOMING_SSH_DISABLED}
  Keys:
    Type: AWS::Config::ConfigRule
    Properties:
      ConfigRuleName: access-keys-rotated
      InputParameters: {maxAccessKeyAge: !Ref MaxAge}
      Source: {Owner: AWS, SourceIdentifier: ACCESS_KEYS_ROTATED}
  Threats:
    Type: AWS::Config::ConfigRule
    Properties:
      ConfigRuleName: guardduty-non-archived-findings
      Source: {Owner: AWS, SourceIdentifier: GUARDDUTY_NON_ARCHIVED_FINDINGS}
"""


@pytest.fixture(scope="module")
def _lab() -> Iterator[Lab]:
    with lab() as started:
        yield started


@pytest.fixture
def aws(_lab: Lab) -> Lab:
    _lab.reset()
    start_recorder(_lab)
    return _lab


def state(aws: Lab, name: str) -> dict[str, Any]:
    aws.settle()
    found = aws.client("config").describe_conformance_pack_status(ConformancePackNames=[name])
    return dict(found["ConformancePackStatusDetails"][0])


def test_a_pack_is_deployed_judged_and_withdrawn(aws: Lab) -> None:
    config, ec2 = aws.client("config"), aws.client("ec2")
    group = ec2.create_security_group(GroupName="web", Description="web")["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=WORLD)
    arn = config.put_conformance_pack(ConformancePackName="basics", TemplateBody=TEMPLATE)["ConformancePackArn"]
    assert ":conformance-pack/basics/conformance-pack-" in arn
    assert state(aws, "basics")["ConformancePackState"] == "CREATE_COMPLETE"
    assert aws.compliance("restricted-ssh", group) == "NON_COMPLIANT"
    rules = config.describe_conformance_pack_compliance(ConformancePackName="basics")[
        "ConformancePackRuleComplianceList"
    ]
    words = {each["ConfigRuleName"].partition("-conformance-pack-")[0]: each for each in rules}
    assert words["restricted-ssh"]["ComplianceType"] == "NON_COMPLIANT"
    assert words["restricted-ssh"]["Controls"] == ["CIS.5.2"]
    assert words["guardduty-non-archived-findings"]["ComplianceType"] == "INSUFFICIENT_DATA"
    details = config.get_conformance_pack_compliance_details(
        ConformancePackName="basics", Filters={"ComplianceType": "NON_COMPLIANT"}
    )["ConformancePackRuleEvaluationResults"]
    (found,) = [each["EvaluationResultIdentifier"]["EvaluationResultQualifier"] for each in details]
    assert found["ResourceId"] == group
    (summary,) = config.get_conformance_pack_compliance_summary(ConformancePackNames=["basics"])[
        "ConformancePackComplianceSummaryList"
    ]
    assert summary["ConformancePackComplianceStatus"] == "NON_COMPLIANT"
    (scored,) = config.list_conformance_pack_compliance_scores()["ConformancePackComplianceScores"]
    assert 0 < float(scored["Score"]) < 100
    check_refused(
        "NoSuchConfigRuleInConformancePackException",
        "nothing",
        config.describe_conformance_pack_compliance,
        ConformancePackName="basics",
        Filters={"ConfigRuleNames": ["nothing"]},
    )
    name = words["restricted-ssh"]["ConfigRuleName"]
    check_refused("AccessDeniedException", "owns", config.delete_config_rule, ConfigRuleName=name)
    config.delete_conformance_pack(ConformancePackName="basics")
    aws.settle()
    assert config.describe_config_rules()["ConfigRules"] == []
    check_refused(
        "NoSuchConformancePackException",
        "basics",
        config.describe_conformance_packs,
        ConformancePackNames=["basics"],
    )


def test_a_changed_pack_keeps_what_is_in_both(aws: Lab) -> None:
    config = aws.client("config")
    config.put_conformance_pack(ConformancePackName="basics", TemplateBody=TEMPLATE)
    before = {each["ConfigRuleName"]: each for each in config.describe_config_rules()["ConfigRules"]}
    smaller = TEMPLATE[: TEMPLATE.index("  Threats:")]
    given = [{"ParameterName": "MaxAge", "ParameterValue": "30"}]
    config.put_conformance_pack(
        ConformancePackName="basics", TemplateBody=smaller, ConformancePackInputParameters=given
    )
    after = {each["ConfigRuleName"]: each for each in config.describe_config_rules()["ConfigRules"]}
    assert len(before) == 3
    assert len(after) == 2
    assert {each["ConfigRuleId"] for each in after.values()} <= {each["ConfigRuleId"] for each in before.values()}
    (keys,) = [each for name, each in after.items() if name.startswith("access-keys")]
    assert json.loads(keys["InputParameters"]) == {"maxAccessKeyAge": "30"}
    assert state(aws, "basics")["ConformancePackState"] == "CREATE_COMPLETE"
    (told,) = config.describe_conformance_packs()["ConformancePackDetails"]
    assert told["ConformancePackInputParameters"] == given


def test_a_template_may_stand_in_s3(aws: Lab) -> None:
    s3, config = aws.client("s3"), aws.client("config")
    s3.create_bucket(Bucket="templates")
    s3.put_object(Bucket="templates", Key="packs/basics.yaml", Body=TEMPLATE.encode())
    config.put_conformance_pack(ConformancePackName="basics", TemplateS3Uri="s3://templates/packs/basics.yaml")
    assert len(config.describe_config_rules()["ConfigRules"]) == 3
    check_refused(
        "InvalidParameterValueException",
        "cannot be read",
        config.put_conformance_pack,
        ConformancePackName="other",
        TemplateS3Uri="s3://templates/none.yaml",
    )


def test_what_cannot_be_deployed_is_refused(aws: Lab) -> None:
    config = aws.client("config")
    put = config.put_conformance_pack
    check_refused(
        "ConformancePackTemplateValidationException", "not supported", put, ConformancePackName="p", TemplateBody="A: 1"
    )
    check_refused("InvalidParameterValueException", "exactly one", put, ConformancePackName="p")
    source = {"SourceIdentifier": "AWSConformancePack-X"}
    check_refused("InvalidParameterValueException", "not supported", put, ConformancePackName="p", Source=source)


def test_a_pack_without_a_recorder_says_what_is_missing(aws: Lab) -> None:
    config = aws.client("config", region="eu-west-1")
    config.put_conformance_pack(ConformancePackName="basics", TemplateBody=TEMPLATE)
    (told,) = config.describe_conformance_pack_status()["ConformancePackStatusDetails"]
    assert told["ConformancePackState"] == "CREATE_FAILED"
    assert "configuration recorder" in told["ConformancePackStatusReason"]


def test_a_template_may_stand_in_a_document_of_systems_manager(aws: Lab) -> None:
    config, ssm = aws.client("config"), aws.client("ssm")
    ssm.create_document(Name="basics", Content=TEMPLATE, DocumentType="ConformancePackTemplate", DocumentFormat="YAML")
    config.put_conformance_pack(ConformancePackName="basics", TemplateSSMDocumentDetails={"DocumentName": "basics"})
    assert state(aws, "basics")["ConformancePackState"] == "CREATE_COMPLETE"
    (detail,) = config.describe_conformance_packs()["ConformancePackDetails"]
    assert detail["TemplateSSMDocumentDetails"]["DocumentName"] == "basics"
    assert len(config.describe_config_rules()["ConfigRules"]) == 3
    check_refused(
        "InvalidParameterValueException",
        "cannot be read",
        config.put_conformance_pack,
        ConformancePackName="other",
        TemplateSSMDocumentDetails={"DocumentName": "none"},
    )


REPAIRED = """
Resources:
  PublicRead:
    Type: AWS::Config::ConfigRule
    Properties:
      ConfigRuleName: public-read
      Source: {Owner: AWS, SourceIdentifier: S3_BUCKET_PUBLIC_READ_PROHIBITED}
  Repair:
    Type: AWS::Config::RemediationConfiguration
    DependsOn: PublicRead
    Properties:
      ConfigRuleName: public-read
      TargetType: SSM_DOCUMENT
      TargetId: AWS-DisableS3BucketPublicReadWrite
      Automatic: true
      MaximumAutomaticAttempts: 3
      RetryAttemptSeconds: 600
      Parameters:
        AutomationAssumeRole: {StaticValue: {Values: ['arn:aws:iam::ACCOUNT:role/repairer']}}
        S3BucketName: {ResourceValue: {Value: RESOURCE_ID}}
"""


def test_a_pack_brings_its_repairs_and_takes_them_away(aws: Lab) -> None:
    config, s3 = aws.client("config"), aws.client("s3")
    body = REPAIRED.replace("ACCOUNT", aws.account)
    config.put_conformance_pack(ConformancePackName="repaired", TemplateBody=body)
    assert state(aws, "repaired")["ConformancePackState"] == "CREATE_COMPLETE"
    (name,) = [each["ConfigRuleName"] for each in config.describe_config_rules()["ConfigRules"]]
    (repair,) = config.describe_remediation_configurations(ConfigRuleNames=[name])["RemediationConfigurations"]
    assert (repair["TargetId"], repair["Automatic"]) == ("AWS-DisableS3BucketPublicReadWrite", True)
    s3.create_bucket(Bucket="shop", ACL="public-read", ObjectOwnership="ObjectWriter")
    assert aws.compliance(name, "shop") == "COMPLIANT"
    (status,) = config.describe_remediation_execution_status(ConfigRuleName=name)["RemediationExecutionStatuses"]
    assert status["State"] == "SUCCEEDED"
    config.delete_conformance_pack(ConformancePackName="repaired")
    aws.settle()
    assert config.describe_config_rules()["ConfigRules"] == []
    assert config.describe_remediation_configurations(ConfigRuleNames=[name])["RemediationConfigurations"] == []
