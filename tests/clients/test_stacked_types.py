"""Every resource type of ours in a stack: made, told by Ref and GetAtt, changed, and taken away with the stack."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from trailstate.testing import Lab, lab

SOURCE = "def handler(event, context):\n    return {'heard': event}\n"
CHANGED_SOURCE = "def handler(event, context):\n    return 'changed'\n"
WAIT = {"schemaVersion": "0.3", "mainSteps": [{"name": "w", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}}]}


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab() as started:
        yield started


def trust(service: str) -> dict[str, Any]:
    allow = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [allow]}


def a(kind: str, *after: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties} | ({"DependsOn": list(after)} if after else {})


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def get(name: str, attribute: str = "Arn") -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, attribute]}


def told(aws: Lab, stack: str) -> dict[str, str]:
    """The stack's outputs, once it is as it should be."""
    stacks = aws.client("cloudformation")
    (found,) = stacks.describe_stacks(StackName=stack)["Stacks"]
    events = stacks.describe_stack_events(StackName=stack)["StackEvents"]
    assert found["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), [
        each.get("ResourceStatusReason") for each in events
    ]
    return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", ())}


def put(aws: Lab, stack: str, resources: dict[str, Any], outputs: dict[str, Any], **more: Any) -> dict[str, str]:
    """Make the stack, or change it to this."""
    stacks = aws.client("cloudformation")
    known = {
        each["StackName"] for each in stacks.list_stacks()["StackSummaries"] if "DELETE" not in each["StackStatus"]
    }
    body = {"Resources": resources, "Outputs": {name: {"Value": value} for name, value in outputs.items()}}
    act = stacks.update_stack if stack in known else stacks.create_stack
    act(StackName=stack, TemplateBody=json.dumps(body), **more)
    return told(aws, stack)


# ---- topics, buses and rules ----


def telling(display: str = "Ops", *, is_changed: bool = False) -> dict[str, Any]:
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": ref("Topic"),
            }
        ],
    }
    target = {"Id": "topic", "Arn": ref("Topic"), "InputPath": "$.detail"}
    more = {"Id": "queue", "Arn": get("Queue")}
    return {
        "Topic": a(
            "AWS::SNS::Topic",
            TopicName="alerts",
            DisplayName=display,
            Subscription=[{"Protocol": "email", "Endpoint": "ops@example.com"}],
            Tags=[{"Key": "team", "Value": "web" if is_changed else "ops"}],
        ),
        "Policy": a("AWS::SNS::TopicPolicy", Topics=[ref("Topic")], PolicyDocument=policy),
        "Queue": a("AWS::SQS::Queue", QueueName="alerts"),
        "Heard": a(
            "AWS::SNS::Subscription",
            TopicArn=ref("Topic"),
            Protocol="sqs",
            Endpoint=get("Queue"),
            RawMessageDelivery=str(not is_changed).lower(),
            **({} if is_changed else {"FilterPolicyScope": "MessageBody", "FilterPolicy": {"state": ["paid"]}}),
        ),
        "Bus": a("AWS::Events::EventBus", Name="orders", Tags=[{"Key": "team", "Value": "web"}]),
        "Rule": a(
            "AWS::Events::Rule",
            EventBusName=ref("Bus"),
            EventPattern={"source": ["shop"]},
            State="ENABLED",
            Targets=[more] if is_changed else [target],
        ),
        "Tick": a("AWS::Events::Rule", Name="tick", ScheduleExpression="rate(1 hour)", State="DISABLED"),
        "Others": a(
            "AWS::Events::EventBusPolicy",
            EventBusName=ref("Bus"),
            StatementId="them",
            Action="events:PutEvents",
            Principal="210987654321",
        ),
        "Everybody": a(
            "AWS::Events::EventBusPolicy",
            "Others",
            EventBusName=ref("Bus"),
            StatementId="everybody",
            Statement={
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": "events:PutEvents",
                "Resource": get("Bus"),
                "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
            },
        ),
    }


TOLD = {
    "Topic": ref("Topic"),
    "TopicName": get("Topic", "TopicName"),
    "Heard": ref("Heard"),
    "Bus": ref("Bus"),
    "BusArn": get("Bus"),
    "Rule": ref("Rule"),
    "RuleArn": get("Rule"),
    "Tick": ref("Tick"),
    "TickArn": get("Tick"),
}


def test_topics_buses_and_rules(aws: Lab) -> None:
    sns, events = aws.client("sns"), aws.client("events")
    found = put(aws, "told", telling(), TOLD)
    place = f"us-east-1:{aws.account}"
    assert found["Topic"] == f"arn:aws:sns:{place}:alerts"
    assert found["TopicName"] == "alerts"
    assert found["Heard"].startswith(f"{found['Topic']}:")
    assert (found["Bus"], found["BusArn"]) == ("orders", f"arn:aws:events:{place}:event-bus/orders")
    bus, rule = found["Rule"].split("|")
    assert (bus, found["RuleArn"]) == ("orders", f"arn:aws:events:{place}:rule/orders/{rule}")
    assert found["Tick"] == "tick"
    assert found["TickArn"] == f"arn:aws:events:{place}:rule/tick"
    assert sns.get_topic_attributes(TopicArn=found["Topic"])["Attributes"]["DisplayName"] == "Ops"
    assert len(sns.list_subscriptions_by_topic(TopicArn=found["Topic"])["Subscriptions"]) == 2
    assert sns.list_tags_for_resource(ResourceArn=found["Topic"])["Tags"] == [{"Key": "team", "Value": "ops"}]
    attributes = sns.get_subscription_attributes(SubscriptionArn=found["Heard"])["Attributes"]
    assert (attributes["RawMessageDelivery"], json.loads(attributes["FilterPolicy"])) == ("true", {"state": ["paid"]})
    assert "events.amazonaws.com" in sns.get_topic_attributes(TopicArn=found["Topic"])["Attributes"]["Policy"]
    policy = json.loads(events.describe_event_bus(Name="orders")["Policy"])
    assert [each["Sid"] for each in policy["Statement"]] == ["them", "everybody"]
    (target,) = events.list_targets_by_rule(Rule=rule, EventBusName="orders")["Targets"]
    assert (target["Arn"], target["InputPath"]) == (found["Topic"], "$.detail")

    after = put(aws, "told", telling("Night shift", is_changed=True), TOLD)
    assert after == found, "nothing was made anew"
    assert sns.get_topic_attributes(TopicArn=found["Topic"])["Attributes"]["DisplayName"] == "Night shift"
    assert sns.list_tags_for_resource(ResourceArn=found["Topic"])["Tags"] == [{"Key": "team", "Value": "web"}]
    attributes = sns.get_subscription_attributes(SubscriptionArn=found["Heard"])["Attributes"]
    assert (attributes["RawMessageDelivery"], attributes.get("FilterPolicy", "")) == ("false", "")
    (target,) = events.list_targets_by_rule(Rule=rule, EventBusName="orders")["Targets"]
    assert target["Id"] == "queue"

    aws.client("cloudformation").delete_stack(StackName="told")
    assert found["Topic"] not in [each["TopicArn"] for each in sns.list_topics()["Topics"]]
    assert [each["Name"] for each in events.list_event_buses()["EventBuses"]] == ["default"]
    assert events.list_rules()["Rules"] == []


# ---- log groups, filters, alarms and functions ----


def watching(*, is_changed: bool = False) -> dict[str, Any]:
    return {
        "Topic": a("AWS::SNS::Topic"),
        "Role": a("AWS::IAM::Role", RoleName="runs", AssumeRolePolicyDocument=trust("lambda.amazonaws.com")),
        "Group": a(
            "AWS::Logs::LogGroup",
            LogGroupName="/trail",
            Tags=[{"Key": "team", "Value": "web"}],
            **({} if is_changed else {"RetentionInDays": 14}),
        ),
        "Stream": a("AWS::Logs::LogStream", LogGroupName=ref("Group"), LogStreamName="one"),
        "Filter": a(
            "AWS::Logs::MetricFilter",
            LogGroupName=ref("Group"),
            FilterPattern="{ $.errorCode = * }",
            MetricTransformations=[
                {
                    "MetricName": "Denied",
                    "MetricNamespace": "Audit",
                    "MetricValue": "2" if is_changed else "1",
                    "Dimensions": [{"Key": "who", "Value": "$.user"}],
                    "Unit": "Count",
                }
            ],
        ),
        "Alarm": a(
            "AWS::CloudWatch::Alarm",
            AlarmName="denied",
            Namespace="Audit",
            MetricName="Denied",
            Dimensions=[{"Name": "who", "Value": "eve"}],
            Statistic="Sum",
            Period="60",
            EvaluationPeriods="1",
            Threshold="5" if is_changed else "1",
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            AlarmActions=[ref("Topic")],
            Tags=[{"Key": "team", "Value": "web"}],
        ),
        "Both": a(
            "AWS::CloudWatch::CompositeAlarm",
            AlarmName="both",
            AlarmRule={"Fn::Sub": "ALARM(${Alarm})"},
            ActionsEnabled=not is_changed,
        ),
        "Function": a(
            "AWS::Lambda::Function",
            FunctionName="hears",
            Runtime="python3.12",
            Handler="index.handler",
            Role=get("Role"),
            Code={"ZipFile": CHANGED_SOURCE if is_changed else SOURCE},
            Timeout="5",
            Environment={"Variables": {"LEVEL": "1"}},
            Tags=[{"Key": "team", "Value": "ops" if is_changed else "web"}],
        ),
        "Permission": a(
            "AWS::Lambda::Permission",
            FunctionName=ref("Function"),
            Action="lambda:InvokeFunction",
            Principal="logs.amazonaws.com",
            SourceArn=get("Group"),
        ),
        "Subscription": a(
            "AWS::Logs::SubscriptionFilter",
            "Permission",
            LogGroupName=ref("Group"),
            FilterPattern="denied",
            DestinationArn=get("Function"),
        ),
        "Version": a("AWS::Lambda::Version", FunctionName=ref("Function"), Description="first"),
        "Alias": a(
            "AWS::Lambda::Alias", FunctionName=ref("Function"), FunctionVersion=get("Version", "Version"), Name="live"
        ),
    }


WATCHED = {
    "Group": ref("Group"),
    "GroupArn": get("Group"),
    "Stream": ref("Stream"),
    "Alarm": ref("Alarm"),
    "AlarmArn": get("Alarm"),
    "Function": ref("Function"),
    "FunctionArn": get("Function"),
    "Version": ref("Version"),
    "Alias": ref("Alias"),
}


def test_log_groups_filters_alarms_and_functions(aws: Lab) -> None:
    logs, cloudwatch, functions = aws.client("logs"), aws.client("cloudwatch"), aws.client("lambda")
    found = put(aws, "watched", watching(), WATCHED)
    place = f"us-east-1:{aws.account}"
    function = f"arn:aws:lambda:{place}:function:hears"
    assert found == {
        "Group": "/trail",
        "GroupArn": f"arn:aws:logs:{place}:log-group:/trail:*",
        "Stream": "one",
        "Alarm": "denied",
        "AlarmArn": f"arn:aws:cloudwatch:{place}:alarm:denied",
        "Function": "hears",
        "FunctionArn": function,
        "Version": f"{function}:1",
        "Alias": f"{function}:live",
    }
    (group,) = logs.describe_log_groups(logGroupNamePrefix="/trail")["logGroups"]
    assert group["retentionInDays"] == 14
    assert logs.list_tags_log_group(logGroupName="/trail")["tags"] == {"team": "web"}
    assert [each["logStreamName"] for each in logs.describe_log_streams(logGroupName="/trail")["logStreams"]] == ["one"]
    (kept,) = logs.describe_metric_filters(logGroupName="/trail")["metricFilters"]
    assert kept["metricTransformations"][0]["dimensions"] == {"who": "$.user"}
    (subscription,) = logs.describe_subscription_filters(logGroupName="/trail")["subscriptionFilters"]
    assert subscription["destinationArn"] == function
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=["denied"])["MetricAlarms"]
    assert (alarm["Threshold"], alarm["Period"], alarm["Dimensions"]) == (1.0, 60, [{"Name": "who", "Value": "eve"}])
    assert json.loads(functions.invoke(FunctionName="hears", Payload=b"7")["Payload"].read()) == {"heard": 7}
    assert functions.get_function(FunctionName="hears")["Tags"] == {"team": "web"}
    (statement,) = json.loads(functions.get_policy(FunctionName="hears")["Policy"])["Statement"]
    assert statement["Principal"] == {"Service": "logs.amazonaws.com"}

    assert put(aws, "watched", watching(is_changed=True), WATCHED) == found, "nothing was made anew"
    (group,) = logs.describe_log_groups(logGroupNamePrefix="/trail")["logGroups"]
    assert "retentionInDays" not in group
    (kept,) = logs.describe_metric_filters(logGroupName="/trail")["metricFilters"]
    assert kept["metricTransformations"][0]["metricValue"] == "2"
    assert cloudwatch.describe_alarms(AlarmNames=["denied"])["MetricAlarms"][0]["Threshold"] == 5.0
    both = cloudwatch.describe_alarms(AlarmNames=["both"], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    assert [each["ActionsEnabled"] for each in both] == [False]
    assert json.loads(functions.invoke(FunctionName="hears")["Payload"].read()) == "changed"
    assert functions.get_function(FunctionName="hears")["Tags"] == {"team": "ops"}

    aws.client("cloudformation").delete_stack(StackName="watched")
    assert logs.describe_log_groups(logGroupNamePrefix="/trail")["logGroups"] == []
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []
    assert functions.list_functions()["Functions"] == []


# ---- AWS Config ----


def recorded(*, is_changed: bool = False) -> dict[str, Any]:
    bucket = {"Fn::Sub": "config-of-${AWS::AccountId}"}
    return {
        "Bucket": a("AWS::S3::Bucket", BucketName=bucket),
        "BucketPolicy": a(
            "AWS::S3::BucketPolicy",
            Bucket=ref("Bucket"),
            PolicyDocument={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "config.amazonaws.com"},
                        "Action": "s3:*",
                        "Resource": "*",
                    }
                ],
            },
        ),
        "Role": a("AWS::IAM::Role", RoleName="config", AssumeRolePolicyDocument=trust("config.amazonaws.com")),
        "Recorder": a(
            "AWS::Config::ConfigurationRecorder",
            Name="all",
            RoleARN=get("Role"),
            RecordingGroup={"AllSupported": "true", "IncludeGlobalResourceTypes": "true"},
        ),
        "Channel": a(
            "AWS::Config::DeliveryChannel",
            "Recorder",
            "BucketPolicy",
            Name="all",
            S3BucketName=ref("Bucket"),
            ConfigSnapshotDeliveryProperties={"DeliveryFrequency": "Six_Hours"},
        ),
        "Rule": a(
            "AWS::Config::ConfigRule",
            "Channel",
            ConfigRuleName="versioned",
            Description="changed" if is_changed else "first",
            Scope={"ComplianceResourceTypes": ["AWS::S3::Bucket"]},
            Source={"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_VERSIONING_ENABLED"},
        ),
        "Repair": a(
            "AWS::Config::RemediationConfiguration",
            ConfigRuleName=ref("Rule"),
            TargetType="SSM_DOCUMENT",
            TargetId="AWS-ConfigureS3BucketVersioning",
            Parameters={
                "BucketName": {"ResourceValue": {"Value": "RESOURCE_ID"}},
                "AutomationAssumeRole": {"StaticValue": {"Values": [get("Role")]}},
            },
            Automatic=str(is_changed).lower(),
            MaximumAutomaticAttempts="3",
            RetryAttemptSeconds="60",
        ),
        "Pack": a(
            "AWS::Config::ConformancePack",
            "Channel",
            ConformancePackName="basics",
            TemplateBody=json.dumps(
                {
                    "Resources": {
                        "Volumes": {
                            "Type": "AWS::Config::ConfigRule",
                            "Properties": {
                                "ConfigRuleName": "volumes",
                                "Source": {"Owner": "AWS", "SourceIdentifier": "ENCRYPTED_VOLUMES"},
                            },
                        }
                    }
                }
            ),
        ),
        "Aggregator": a(
            "AWS::Config::ConfigurationAggregator",
            ConfigurationAggregatorName="everyone",
            AccountAggregationSources=[{"AccountIds": [{"Ref": "AWS::AccountId"}], "AllAwsRegions": "true"}],
        ),
        "Authorization": a(
            "AWS::Config::AggregationAuthorization", AuthorizedAccountId="210987654321", AuthorizedAwsRegion="us-east-1"
        ),
        "Query": a(
            "AWS::Config::StoredQuery", QueryName="buckets", QueryExpression="SELECT resourceId", QueryDescription="all"
        ),
        "Document": a("AWS::SSM::Document", Name="Wait", DocumentType="Automation", Content=WAIT),
    }


RECORDED = {
    "Rule": ref("Rule"),
    "RuleArn": get("Rule"),
    "RuleId": get("Rule", "ConfigRuleId"),
    "Recorder": ref("Recorder"),
    "Channel": ref("Channel"),
    "Pack": ref("Pack"),
    "AggregatorArn": get("Aggregator", "ConfigurationAggregatorArn"),
    "AuthorizationArn": get("Authorization", "AggregationAuthorizationArn"),
    "Document": ref("Document"),
}


def test_recorders_rules_remediations_and_packs(aws: Lab) -> None:
    config = aws.client("config")
    found = put(aws, "recorded", recorded(), RECORDED)
    (rule,) = config.describe_config_rules(ConfigRuleNames=["versioned"])["ConfigRules"]
    assert (found["RuleArn"], found["RuleId"]) == (rule["ConfigRuleArn"], rule["ConfigRuleId"])
    assert (found["Rule"], found["Recorder"], found["Channel"]) == ("versioned", "all", "all")
    assert found["AggregatorArn"].startswith(f"arn:aws:config:us-east-1:{aws.account}:config-aggregator/")
    assert found["AuthorizationArn"].endswith("aggregation-authorization/210987654321/us-east-1")
    (status,) = config.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
    assert status["recording"], "a recorder with a channel runs"
    assert aws.compliance("versioned", f"config-of-{aws.account}") == "NON_COMPLIANT"
    (repair,) = config.describe_remediation_configurations(ConfigRuleNames=["versioned"])["RemediationConfigurations"]
    assert (repair["TargetId"], repair["Automatic"]) == ("AWS-ConfigureS3BucketVersioning", False)
    assert [each["ConformancePackName"] for each in config.describe_conformance_packs()["ConformancePackDetails"]] == [
        "basics"
    ]
    assert config.get_stored_query(QueryName="buckets")["StoredQuery"]["Description"] == "all"

    assert put(aws, "recorded", recorded(is_changed=True), RECORDED) == found
    (rule,) = config.describe_config_rules(ConfigRuleNames=["versioned"])["ConfigRules"]
    assert rule["Description"] == "changed"
    (repair,) = config.describe_remediation_configurations(ConfigRuleNames=["versioned"])["RemediationConfigurations"]
    assert repair["Automatic"]

    aws.settle()  # a repair that is under way would hold the configuration
    aws.client("cloudformation").delete_stack(StackName="recorded")
    assert config.describe_configuration_recorders()["ConfigurationRecorders"] == []
    assert config.describe_delivery_channels()["DeliveryChannels"] == []
    assert config.describe_config_rules()["ConfigRules"] == []
    assert config.describe_configuration_aggregators()["ConfigurationAggregators"] == []


# ---- who acts, and what is refused ----


def test_a_stack_with_a_role_acts_as_that_role(aws: Lab) -> None:
    document = json.dumps(trust("cloudformation.amazonaws.com"))
    role = aws.client("iam").create_role(RoleName="stacks", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    put(aws, "as-role", {"Topic": a("AWS::SNS::Topic", TopicName="by-role")}, {}, RoleARN=role)
    put(aws, "as-role", {"Topic": a("AWS::SNS::Topic", TopicName="by-role", DisplayName="new")}, {})
    aws.client("cloudformation").delete_stack(StackName="as-role")
    for name in ("CreateTopic", "SetTopicAttributes", "DeleteTopic"):
        who = aws.recorded(eventName=name)[-1]["userIdentity"]
        assert who["arn"] == f"arn:aws:sts::{aws.account}:assumed-role/stacks/AWSCloudFormation", name
        assert who["invokedBy"] == "cloudformation.amazonaws.com"
    taken = aws.recorded(eventName="AssumeRole")[-1]
    assert taken["userIdentity"] == {"type": "AWSService", "invokedBy": "cloudformation.amazonaws.com"}


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (
            a("AWS::SNS::Topic", Colour="red"),
            "The property Colour of AWS::SNS::Topic is not supported by Trailstate yet",
        ),
        (a("AWS::Logs::LogGroup", RetentionInDays="2"), "retentionInDays"),
        (a("AWS::Logs::LogGroup", RetentionInDays="a week"), 'Expected a number; found "a week"'),
        (a("AWS::SNS::Topic", Subscription=[{"Protocol": "carrier pigeon", "Endpoint": "x"}]), "InvalidParameter"),
        (a("AWS::Events::Rule", EventPattern={"source": ["x"]}, Targets={"Id": "1"}), "Expected a list for TargetList"),
        (a("AWS::Events::Rule", EventPattern={"source": ["x"]}, Targets=["1"]), "Expected an object for Target"),
        (a("AWS::SNS::TopicPolicy", PolicyDocument={}), "its properties cannot be read: KeyError('Topics')"),
        (
            a("AWS::Events::EventBusPolicy", EventBusName="default", StatementId="x", Statement=["y"]),
            "its properties cannot be read",
        ),
        (a("AWS::SNS::Topic", Tags=["x"]), "Expected an object for Tag"),
        (a("AWS::Logs::LogGroup", Tags=["x"]), "its properties cannot be read"),
        (
            a("AWS::Events::Rule", EventPattern={"source": ["x"]}, Targets=[{"Id": "1", "Arn": "arn", "Colour": 1}]),
            "Encountered unsupported property Colour",
        ),
        (a("AWS::Events::Rule", EventPattern={"source": "x"}), "must be an object or an array"),
    ],
)
def test_what_a_resource_cannot_be_is_said_by_its_stack(aws: Lab, resource: dict[str, Any], expected: str) -> None:
    stacks = aws.client("cloudformation")
    stacks.create_stack(StackName="refused", TemplateBody=json.dumps({"Resources": {"It": resource}}))
    events = stacks.describe_stack_events(StackName="refused")["StackEvents"]
    (reason,) = [each["ResourceStatusReason"] for each in events if each["ResourceStatus"] == "ROLLBACK_COMPLETE"]
    stacks.delete_stack(StackName="refused")
    assert expected in reason


def test_an_attribute_that_a_type_has_not_is_refused(aws: Lab) -> None:
    group = a("AWS::Logs::LogGroup")
    wrong = {"Group": group, "Topic": a("AWS::SNS::Topic", DisplayName=get("Group", "Colour"))}
    with pytest.raises(ClientError, match="Colour"):
        put(aws, "colour", {"Group": group}, {"Colour": get("Group", "Colour")})
    stacks = aws.client("cloudformation")
    stacks.create_stack(StackName="colours", TemplateBody=json.dumps({"Resources": wrong}))
    assert stacks.describe_stacks(StackName="colours")["Stacks"][0]["StackStatus"] == "ROLLBACK_COMPLETE"
    groups = aws.client("logs").describe_log_groups(logGroupNamePrefix="colour")["logGroups"]
    assert groups == [], "what the stack had made is gone again"
