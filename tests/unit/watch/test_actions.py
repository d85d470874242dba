"""What follows from events and alarms besides topics: functions run, automations start, events stand on the bus."""

import base64
import gzip
import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from tests.clients.receivers import a_function, a_queue, got, let_in, needs_sandbox

from trailstate.testing import Lab, lab


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab() as started:
        yield started


def alarm(aws: Lab, name: str, action: str) -> None:
    aws.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="App",
        MetricName=name,
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[action],
    )
    aws.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a drill")
    aws.settle()


@needs_sandbox
def test_matching_events_are_handed_to_a_function(aws: Lab) -> None:
    arn = a_function(aws, "listener", "logs.amazonaws.com")
    logs = aws.client("logs")
    logs.create_log_group(logGroupName="heard")
    logs.create_log_stream(logGroupName="heard", logStreamName="s")
    logs.put_subscription_filter(logGroupName="heard", filterName="all", filterPattern="ERROR", destinationArn=arn)
    assert logs.describe_subscription_filters(logGroupName="heard")["subscriptionFilters"][0]["destinationArn"] == arn
    now = int(aws.now().timestamp() * 1000)
    events = [{"timestamp": now, "message": "ERROR one"}, {"timestamp": now, "message": "fine"}]
    logs.put_log_events(logGroupName="heard", logStreamName="s", logEvents=events)
    aws.settle()
    (event,) = got(aws, "listener")
    data = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    assert (data["messageType"], data["logGroup"], data["logStream"]) == ("DATA_MESSAGE", "heard", "s")
    assert [each["message"] for each in data["logEvents"]] == ["ERROR one"]
    with pytest.raises(ClientError, match="Could not execute the lambda function"):
        logs.put_subscription_filter(
            logGroupName="heard", filterName="x", filterPattern="", destinationArn=arn.replace("listener", "nobody")
        )


@needs_sandbox
def test_an_alarm_calls_a_function_with_its_state(aws: Lab) -> None:
    alarm(aws, "calls", a_function(aws, "called", "lambda.alarms.cloudwatch.amazonaws.com"))
    (event,) = got(aws, "called")
    assert event["source"] == "aws.cloudwatch"
    assert event["alarmData"]["alarmName"] == "calls"
    assert event["alarmData"]["state"]["value"] == "ALARM"
    assert event["alarmData"]["previousState"]["value"] == "INSUFFICIENT_DATA"


def test_an_alarm_starts_an_automation(aws: Lab) -> None:
    content = {
        "schemaVersion": "0.3",
        "mainSteps": [{"name": "wait", "action": "aws:sleep", "isEnd": True, "inputs": {"Duration": "PT1S"}}],
    }
    aws.client("ssm").create_document(Name="mend", Content=json.dumps(content), DocumentType="Automation")
    alarm(aws, "mends", f"arn:aws:ssm:us-east-1:{aws.account}:automation-definition/mend:$DEFAULT")
    found = aws.client("ssm").describe_automation_executions()["AutomationExecutionMetadataList"]
    assert [each["DocumentName"] for each in found] == ["mend"]


def test_each_change_of_state_is_an_event_on_the_bus(aws: Lab) -> None:
    queue, _ = a_queue(aws, "bus", "events")
    events = aws.client("events")
    events.put_rule(
        Name="alarms", EventPattern=json.dumps({"source": ["aws.cloudwatch"], "detail": {"alarmName": ["told"]}})
    )
    arn = f"arn:aws:sqs:us-east-1:{aws.account}:bus"
    aws.client("sqs").set_queue_attributes(
        QueueUrl=queue,
        Attributes={
            "Policy": json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "events.amazonaws.com"},
                            "Action": "sqs:SendMessage",
                            "Resource": arn,
                        }
                    ],
                }
            )
        },
    )
    events.put_targets(Rule="alarms", Targets=[{"Id": "q", "Arn": arn}])
    alarm(aws, "told", f"arn:aws:sns:us-east-1:{aws.account}:nowhere")
    (message,) = aws.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    event = json.loads(message["Body"])
    assert event["detail-type"] == "CloudWatch Alarm State Change"
    assert event["detail"]["state"]["value"] == "ALARM"
    assert event["resources"] == [f"arn:aws:cloudwatch:us-east-1:{aws.account}:alarm:told"]


def test_an_action_that_fails_stands_in_the_history(aws: Lab) -> None:
    alarm(aws, "in-vain", f"arn:aws:sns:us-east-1:{aws.account}:nowhere")
    history = aws.client("cloudwatch").describe_alarm_history(AlarmName="in-vain", HistoryItemType="Action")
    (item,) = history["AlarmHistoryItems"]
    assert item["HistorySummary"].startswith("Failed to execute action")
    assert json.loads(item["HistoryData"])["actionState"] == "Failed"


def test_a_topic_hears_alarms_unless_its_policy_shuts_them_out(aws: Lab) -> None:
    sns, cloudwatch = aws.client("sns"), aws.client("cloudwatch")
    topic = sns.create_topic(Name="policed")["TopicArn"]
    mine = f"arn:aws:cloudwatch:us-east-1:{aws.account}:alarm:policed"

    def outcome() -> str:
        for state in ("OK", "ALARM"):
            cloudwatch.set_alarm_state(AlarmName="policed", StateValue=state, StateReason="tried")
        aws.settle()
        items = cloudwatch.describe_alarm_history(AlarmName="policed", HistoryItemType="Action")["AlarmHistoryItems"]
        return str(items[0]["HistorySummary"]).partition(" action")[0]

    alarm(aws, "policed", topic)
    assert outcome() == "Successfully executed"
    let_in(aws, topic, "events")
    assert outcome() == "Failed to execute"
    let_in(aws, topic, "cloudwatch", ArnLike={"aws:SourceArn": f"{mine}-of-another-name"})
    assert outcome() == "Failed to execute"
    let_in(aws, topic, "cloudwatch", ArnLike={"aws:SourceArn": mine})
    assert outcome() == "Successfully executed"
