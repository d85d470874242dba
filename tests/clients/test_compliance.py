"""Rules and their results through boto3: put, judged, read, told, withdrawn."""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.clients.receivers import a_queue
from tests.clients.recorder import start_recorder
from tests.clients.refusals import check_refused
from trailstate.testing import Lab, lab

SSH = {"ConfigRuleName": "restricted-ssh", "Source": {"Owner": "AWS", "SourceIdentifier": "INCOMING_SSH_DISABLED"}}
WORLD = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
GROUP = "AWS::EC2::SecurityGroup"


@pytest.fixture(scope="module")
def _lab() -> Iterator[Lab]:
    with lab() as started:
        yield started


@pytest.fixture
def aws(_lab: Lab) -> Lab:
    """An account with a recorder that is on."""
    _lab.reset()
    start_recorder(_lab)
    return _lab


def rule(identifier: str, name: str = "", **document: Any) -> dict[str, Any]:
    source = {"Owner": "AWS", "SourceIdentifier": identifier}
    return {"ConfigRuleName": name or identifier.lower().replace("_", "-"), "Source": source, **document}


def a_group(aws: Lab, name: str, *, is_open: bool = False) -> str:
    ec2 = aws.client("ec2")
    group: str = ec2.create_security_group(GroupName=name, Description=name)["GroupId"]
    if is_open:
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=WORLD)
    return group


def test_a_periodic_rule_put_while_the_recorder_starts_has_its_verdict_once_everything_is_known(aws: Lab) -> None:
    config = aws.client("config")
    config.put_config_rule(ConfigRule=rule("IAM_PASSWORD_POLICY"))
    config.stop_configuration_recorder(ConfigurationRecorderName="default")
    config.start_configuration_recorder(ConfigurationRecorderName="default")
    config.put_config_rule(ConfigRule=rule("ROOT_ACCOUNT_MFA_ENABLED"))
    aws.settle()
    found = config.describe_compliance_by_config_rule()["ComplianceByConfigRules"]
    assert {each["ConfigRuleName"]: each["Compliance"]["ComplianceType"] for each in found} == {
        "iam-password-policy": "NON_COMPLIANT",
        "root-account-mfa-enabled": "NON_COMPLIANT",
    }


def test_a_verdict_flips_when_the_resource_is_repaired(aws: Lab) -> None:
    aws.client("config").put_config_rule(ConfigRule=SSH)
    group = a_group(aws, "web", is_open=True)
    assert aws.compliance("restricted-ssh", group) == "NON_COMPLIANT"
    aws.client("ec2").revoke_security_group_ingress(GroupId=group, IpPermissions=WORLD)
    assert aws.compliance("restricted-ssh", group) == "COMPLIANT"
    aws.client("ec2").delete_security_group(GroupId=group)
    assert aws.compliance("restricted-ssh", group) == "INSUFFICIENT_DATA"


def test_a_rule_needs_a_recorder(aws: Lab) -> None:
    config = aws.client("config", region="eu-west-1")
    check_refused("NoAvailableConfigurationRecorderException", "recorder", config.put_config_rule, ConfigRule=SSH)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (rule("NO_SUCH_RULE"), "The sourceIdentifier NO_SUCH_RULE is invalid"),
        (rule("AWS_CONFIG_PROCESS_CHECK"), "is invalid"),
        (rule("ACCESS_KEYS_ROTATED"), "Required parameter 'maxAccessKeyAge' is not present"),
        (rule("ACCESS_KEYS_ROTATED", InputParameters='{"maxAccessKeyAge": "soon"}'), "must be of type int"),
        (rule("INCOMING_SSH_DISABLED", InputParameters='{"port": "22"}'), "Unknown parameters provided"),
        (rule("INCOMING_SSH_DISABLED", InputParameters="{port"), "Invalid json"),
        (rule("INCOMING_SSH_DISABLED", InputParameters="[1]"), "must be a JSON object"),
        (rule("INCOMING_SSH_DISABLED", Scope={"TagValue": "x"}), "Tag key should not be empty"),
        (
            rule("INCOMING_SSH_DISABLED", Scope={"TagKey": "x", "ComplianceResourceTypes": [GROUP]}),
            "both resource and tag",
        ),
        (rule("INCOMING_SSH_DISABLED", Scope={"ComplianceResourceId": "sg-1"}), "A single resourceType"),
        (rule("INCOMING_SSH_DISABLED", ConfigRuleState="DELETING"), "ConfigRuleState DELETING is invalid"),
        (rule("INCOMING_SSH_DISABLED", CreatedBy="me"), "CreatedBy"),
        (rule("INCOMING_SSH_DISABLED", ConfigRuleArn="arn:aws:config:::x"), "can not be specified when creating"),
        ({"ConfigRuleName": "f", "Source": {"Owner": "CUSTOM_LAMBDA", "SourceIdentifier": "f"}}, "ARN of a Lambda"),
        (
            {"ConfigRuleName": "f", "Source": {"Owner": "CUSTOM_LAMBDA", "SourceIdentifier": "arn:aws:lambda:x"}},
            "SourceDetails should not be",
        ),
        ({"ConfigRuleName": "f", "Source": {"Owner": "CUSTOM_POLICY"}}, "is not supported by Trailstate yet"),
    ],
)
def test_what_aws_would_refuse_is_refused(aws: Lab, given: dict[str, Any], words: str) -> None:
    check_refused("InvalidParameterValueException", words, aws.client("config").put_config_rule, ConfigRule=given)


def test_a_rule_is_described_changed_and_deleted(aws: Lab) -> None:
    config = aws.client("config")
    config.put_config_rule(ConfigRule={**SSH, "Description": "no ssh"}, Tags=[{"Key": "team", "Value": "blue"}])
    (made,) = config.describe_config_rules(ConfigRuleNames=["restricted-ssh"])["ConfigRules"]
    assert made["ConfigRuleArn"].endswith(f":config-rule/{made['ConfigRuleId']}")
    assert made["ConfigRuleState"] == "ACTIVE"
    tags = config.list_tags_for_resource(ResourceArn=made["ConfigRuleArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "blue"}]
    config.put_config_rule(ConfigRule={"ConfigRuleId": made["ConfigRuleId"], "Source": SSH["Source"]})
    (changed,) = config.describe_config_rules()["ConfigRules"]
    assert changed["ConfigRuleArn"] == made["ConfigRuleArn"]
    assert "Description" not in changed
    config.delete_config_rule(ConfigRuleName="restricted-ssh")
    check_refused(
        "NoSuchConfigRuleException",
        "restricted-ssh",
        config.describe_config_rules,
        ConfigRuleNames=["restricted-ssh"],
    )


def test_compliance_is_read_by_rule_by_resource_and_in_sum(aws: Lab) -> None:
    config = aws.client("config")
    config.put_config_rule(ConfigRule=SSH)
    config.put_config_rule(ConfigRule=rule("VPC_DEFAULT_SECURITY_GROUP_CLOSED"))
    bad, good = a_group(aws, "bad", is_open=True), a_group(aws, "good")
    aws.settle()
    by_rule = config.describe_compliance_by_config_rule(ConfigRuleNames=["restricted-ssh"])["ComplianceByConfigRules"]
    assert by_rule == [
        {
            "ConfigRuleName": "restricted-ssh",
            "Compliance": {
                "ComplianceType": "NON_COMPLIANT",
                "ComplianceContributorCount": {"CappedCount": 1, "CapExceeded": False},
            },
        }
    ]
    (of_bad,) = config.describe_compliance_by_resource(ResourceType=GROUP, ResourceId=bad)["ComplianceByResources"]
    assert of_bad["Compliance"]["ComplianceType"] == "NON_COMPLIANT"
    details = config.get_compliance_details_by_resource(ResourceType=GROUP, ResourceId=good)["EvaluationResults"]
    words = {
        each["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ConfigRuleName"]: each["ComplianceType"]
        for each in details
    }
    assert words == {"restricted-ssh": "COMPLIANT", "vpc-default-security-group-closed": "NOT_APPLICABLE"}
    summary = config.get_compliance_summary_by_config_rule()["ComplianceSummary"]
    assert summary["NonCompliantResourceCount"]["CappedCount"] >= 1
    (of_groups,) = config.get_compliance_summary_by_resource_type(ResourceTypes=[GROUP])[
        "ComplianceSummariesByResourceType"
    ]
    assert of_groups["ComplianceSummary"]["NonCompliantResourceCount"]["CappedCount"] >= 1
    filtered = config.get_compliance_details_by_config_rule(
        ConfigRuleName="restricted-ssh", ComplianceTypes=["NON_COMPLIANT"]
    )["EvaluationResults"]
    assert [each["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ResourceId"] for each in filtered] == [bad]
    check_refused(
        "InvalidParameterValueException",
        "cannot be used as a filter",
        config.get_compliance_details_by_config_rule,
        ConfigRuleName="restricted-ssh",
        ComplianceTypes=["INSUFFICIENT_DATA"],
    )


def test_results_come_in_pages_that_lose_nothing(aws: Lab) -> None:
    config = aws.client("config")
    config.put_config_rule(ConfigRule=SSH)
    groups = {a_group(aws, f"group-{number}") for number in range(5)}
    aws.settle()
    paginator = config.get_paginator("get_compliance_details_by_config_rule")
    pages = list(paginator.paginate(ConfigRuleName="restricted-ssh", PaginationConfig={"PageSize": 2}))
    found = [
        each["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ResourceId"]
        for page in pages
        for each in page["EvaluationResults"]
    ]
    assert len(found) == len(set(found))
    assert groups <= set(found)
    assert len(pages) > 2
    check_refused(
        "InvalidNextTokenException",
        "token",
        config.get_compliance_details_by_config_rule,
        ConfigRuleName="restricted-ssh",
        NextToken="x",
    )


def test_the_status_says_how_evaluations_went(aws: Lab) -> None:
    config = aws.client("config")
    config.put_config_rule(ConfigRule=SSH)
    config.put_config_rule(ConfigRule=rule("GUARDDUTY_NON_ARCHIVED_FINDINGS"))
    a_group(aws, "web")
    aws.settle()
    by_name = {
        each["ConfigRuleName"]: each
        for each in config.describe_config_rule_evaluation_status()["ConfigRulesEvaluationStatus"]
    }
    assert "LastSuccessfulEvaluationTime" in by_name["restricted-ssh"]
    assert "LastErrorCode" not in by_name["restricted-ssh"]
    not_yet = by_name["guardduty-non-archived-findings"]
    assert not_yet["LastErrorCode"] == "NotImplemented"
    assert "not implemented by Trailstate yet" in not_yet["LastErrorMessage"]
    (told,) = config.describe_compliance_by_config_rule(ConfigRuleNames=["guardduty-non-archived-findings"])[
        "ComplianceByConfigRules"
    ]
    assert told["Compliance"] == {"ComplianceType": "INSUFFICIENT_DATA"}


def test_results_are_deleted_and_made_anew_on_demand(aws: Lab) -> None:
    config = aws.client("config")
    config.put_config_rule(ConfigRule=SSH)
    group = a_group(aws, "web")
    assert aws.compliance("restricted-ssh", group) == "COMPLIANT"
    config.delete_evaluation_results(ConfigRuleName="restricted-ssh")
    assert aws.compliance("restricted-ssh", group) == "INSUFFICIENT_DATA"
    config.start_config_rules_evaluation(ConfigRuleNames=["restricted-ssh"])
    assert aws.compliance("restricted-ssh", group) == "COMPLIANT"
    check_refused(
        "LimitExceededException",
        "less than 60 seconds",
        config.start_config_rules_evaluation,
        ConfigRuleNames=["restricted-ssh"],
    )


def test_a_verdict_needs_the_token_of_an_invocation(aws: Lab) -> None:
    config = aws.client("config")
    check_refused(
        "InvalidResultTokenException", "invalid", config.put_evaluations, ResultToken="forged", Evaluations=[]
    )
    answer = config.put_evaluations(ResultToken="anything", Evaluations=[], TestMode=True)
    assert answer["FailedEvaluations"] == []


def test_a_rule_needs_a_function_that_config_may_invoke(aws: Lab) -> None:
    config, functions = aws.client("config"), aws.client("lambda")
    details = [{"EventSource": "aws.config", "MessageType": "ScheduledNotification"}]
    arn = f"arn:aws:lambda:us-east-1:{aws.account}:function:judge"
    source = {"Owner": "CUSTOM_LAMBDA", "SourceIdentifier": arn, "SourceDetails": details}
    mine = {"ConfigRuleName": "mine", "Source": source}
    refused = ("InsufficientPermissionsException", "cannot be invoked")
    check_refused(*refused, config.put_config_rule, ConfigRule=mine)
    a_function(aws, "judge")
    check_refused(*refused, config.put_config_rule, ConfigRule=mine)
    allowed = {"Action": "lambda:InvokeFunction", "Principal": "config.amazonaws.com"}
    functions.add_permission(FunctionName="judge", StatementId="config", **allowed)
    config.put_config_rule(ConfigRule=mine)
    functions.delete_function(FunctionName="judge")
    aws.advance("25h")
    (status,) = config.describe_config_rule_evaluation_status(ConfigRuleNames=["mine"])["ConfigRulesEvaluationStatus"]
    assert "could not be invoked" in status["LastErrorMessage"]
    assert "LastFailedInvocationTime" in status


def a_function(aws: Lab, name: str) -> None:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("judge.py", "def handler(event, context):\n    return None\n")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    code = {"ZipFile": body.getvalue()}
    aws.client("lambda").create_function(
        FunctionName=name, Runtime="python3.12", Role=role, Handler="judge.handler", Code=code
    )


def test_a_person_gives_the_result_of_a_manual_control(aws: Lab) -> None:
    """A process check comes by a pack alone; nothing judges it but people."""
    config = aws.client("config")
    source = {"Owner": "AWS", "SourceIdentifier": "AWS_CONFIG_PROCESS_CHECK"}
    rule = {"Type": "AWS::Config::ConfigRule", "Properties": {"ConfigRuleName": "reviewed", "Source": source}}
    body = json.dumps({"Resources": {"Reviewed": rule}})
    config.put_conformance_pack(ConformancePackName="manual", TemplateBody=body)
    aws.settle()
    (deployed,) = [each["ConfigRuleName"] for each in config.describe_config_rules()["ConfigRules"]]
    assert aws.compliance(deployed, aws.account) == "INSUFFICIENT_DATA"
    result = {
        "ComplianceResourceType": "AWS::::Account",
        "ComplianceResourceId": aws.account,
        "ComplianceType": "COMPLIANT",
        "Annotation": "Reviewed by dana.",
        "OrderingTimestamp": datetime(2026, 1, 15, tzinfo=UTC),
    }
    config.put_external_evaluation(ConfigRuleName=deployed, ExternalEvaluation=result)
    assert aws.compliance(deployed, aws.account) == "COMPLIANT"
    (told,) = config.get_compliance_details_by_config_rule(ConfigRuleName=deployed)["EvaluationResults"]
    assert told["Annotation"] == "Reviewed by dana."
    config.put_config_rule(ConfigRule=SSH)
    check_refused(
        "InvalidParameterValueException",
        "not a process check",
        config.put_external_evaluation,
        ConfigRuleName="restricted-ssh",
        ExternalEvaluation=result,
    )


def test_the_topic_is_told_that_an_evaluation_was_started(aws: Lab) -> None:
    config, sns, sqs = aws.client("config"), aws.client("sns"), aws.client("sqs")
    topic = sns.create_topic(Name="config")["TopicArn"]
    queue, arn = a_queue(aws, "told", "sns")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    (channel,) = config.describe_delivery_channels()["DeliveryChannels"]
    config.put_delivery_channel(DeliveryChannel={**channel, "snsTopicARN": topic})
    config.put_config_rule(ConfigRule=SSH)
    config.start_config_rules_evaluation(ConfigRuleNames=["restricted-ssh"])
    aws.settle()
    envelopes = []
    while received := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        envelopes += [json.loads(each["Body"]) for each in received]
    started = [each for each in envelopes if "ConfigRulesEvaluationStarted" in each["Message"]]
    assert [json.loads(each["Message"])["configRuleNames"] for each in started] == [["restricted-ssh"]]
    assert started[0]["Subject"].startswith("[AWS Config:us-east-1] Config Rules Evaluation Started")
