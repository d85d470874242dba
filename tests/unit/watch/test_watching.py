"""From a log event to an alarm and to somebody who is told, through real clients."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.clients.receivers import a_queue

from trailstate.testing import Lab, lab


@pytest.fixture(scope="module")
def aws() -> Iterator[Lab]:
    with lab() as started:
        yield started


@pytest.fixture
def group(aws: Lab, request: pytest.FixtureRequest) -> str:
    """A group of the test's own with the stream `app`."""
    name = f"/app/{request.node.name}"[:100].replace("[", "-").replace("]", "")
    aws.client("logs").create_log_group(logGroupName=name)
    aws.client("logs").create_log_stream(logGroupName=name, logStreamName="app")
    return name


def put(aws: Lab, group: str, *messages: str, stream: str = "app") -> dict[str, Any]:
    now = int(aws.now().timestamp() * 1000)
    events = [{"timestamp": now, "message": each} for each in messages]
    answer: dict[str, Any] = aws.client("logs").put_log_events(
        logGroupName=group, logStreamName=stream, logEvents=events
    )
    return answer


def queue_behind(aws: Lab, name: str) -> tuple[str, str]:
    """A topic, and the queue that hears everything it is told."""
    topic = aws.client("sns").create_topic(Name=name)["TopicArn"]
    queue, arn = a_queue(aws, name, "sns")
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return topic, queue


def told(aws: Lab, queue: str) -> list[dict[str, Any]]:
    messages = aws.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    for each in messages:
        aws.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])
    return [json.loads(json.loads(each["Body"])["Message"]) for each in messages]


def alarm(aws: Lab, name: str, **settings: Any) -> None:
    wanted = {
        "AlarmName": name,
        "Namespace": "App",
        "MetricName": name,
        "Statistic": "Sum",
        "Period": 10,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    }
    aws.client("cloudwatch").put_metric_alarm(**wanted | settings)


def state(aws: Lab, name: str) -> str:
    found = aws.client("cloudwatch").describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    return str((found["MetricAlarms"] + found["CompositeAlarms"])[0]["StateValue"])


def test_a_matching_log_event_raises_an_alarm_that_tells_a_topic_once(aws: Lab, group: str) -> None:
    topic, queue = queue_behind(aws, "errors")
    aws.client("logs").put_metric_filter(
        logGroupName=group,
        filterName="errors",
        filterPattern="{ $.level = ERROR }",
        metricTransformations=[{"metricName": "errors", "metricNamespace": "App", "metricValue": "1"}],
    )
    alarm(aws, "errors", AlarmActions=[topic], AlarmDescription="something broke")
    put(aws, group, '{"level": "INFO"}', '{"level": "ERROR"}')
    aws.advance(10)
    (message,) = told(aws, queue)
    assert (message["AlarmName"], message["NewStateValue"]) == ("errors", "ALARM")
    assert message["Trigger"]["MetricName"] == "errors"
    assert "1 out of the last 1 datapoints [1.0 (" in message["NewStateReason"]
    aws.advance("2m")
    assert state(aws, "errors") == "OK"
    assert told(aws, queue) == []
    history = aws.client("cloudwatch").describe_alarm_history(AlarmName="errors", HistoryItemType="StateUpdate")
    changes = [each["HistorySummary"] for each in reversed(history["AlarmHistoryItems"])]
    assert changes[-2:] == ["Alarm updated from OK to ALARM", "Alarm updated from ALARM to OK"] or changes == [
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        "Alarm updated from ALARM to OK",
    ]


def test_events_are_read_as_they_were_put(aws: Lab, group: str) -> None:
    logs = aws.client("logs")
    put(aws, group, "one", "two", "three")
    page = logs.get_log_events(logGroupName=group, logStreamName="app", startFromHead=True, limit=2)
    assert [each["message"] for each in page["events"]] == ["one", "two"]
    page = logs.get_log_events(logGroupName=group, logStreamName="app", nextToken=page["nextForwardToken"])
    assert [each["message"] for each in page["events"]] == ["three"]
    end = logs.get_log_events(logGroupName=group, logStreamName="app", nextToken=page["nextForwardToken"])
    assert end["events"] == []
    assert end["nextForwardToken"] == page["nextForwardToken"]
    newest = logs.get_log_events(logGroupName=group, logStreamName="app", limit=1)
    assert [each["message"] for each in newest["events"]] == ["three"]
    back = logs.get_log_events(logGroupName=group, logStreamName="app", nextToken=newest["nextBackwardToken"])
    assert [each["message"] for each in back["events"]] == ["one", "two"]


def test_a_group_is_searched_by_pattern_and_stream(aws: Lab, group: str) -> None:
    logs = aws.client("logs")
    logs.create_log_stream(logGroupName=group, logStreamName="web")
    put(aws, group, "GET /a 200", "GET /b 500")
    put(aws, group, "POST /c 500", stream="web")
    found = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group, filterPattern="[method, path, status = 5*]", PaginationConfig={"PageSize": 1}
    )
    events = [each for page in found for each in page["events"]]
    assert [(each["logStreamName"], each["message"]) for each in events] == [
        ("app", "GET /b 500"),
        ("web", "POST /c 500"),
    ]
    assert len({each["eventId"] for each in events}) == 2
    of_web = logs.filter_log_events(logGroupName=group, logStreamNamePrefix="w")["events"]
    assert [each["message"] for each in of_web] == ["POST /c 500"]


def test_a_group_made_again_does_not_show_what_the_earlier_one_held(aws: Lab, group: str) -> None:
    logs = aws.client("logs")
    put(aws, group, "old")
    logs.delete_log_group(logGroupName=group)
    logs.create_log_group(logGroupName=group)
    assert logs.describe_log_streams(logGroupName=group)["logStreams"] == []
    assert logs.filter_log_events(logGroupName=group)["events"] == []


def test_retention_lets_events_go(aws: Lab, group: str) -> None:
    logs = aws.client("logs")
    put(aws, group, "short-lived")
    logs.put_retention_policy(logGroupName=group, retentionInDays=1)
    described = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]
    assert described["retentionInDays"] == 1
    assert described["arn"].endswith(f":log-group:{group}:*")
    aws.advance("1d1h1m")
    assert logs.filter_log_events(logGroupName=group)["events"] == []


def test_events_out_of_time_are_told_and_not_kept(aws: Lab, group: str) -> None:
    now = int(aws.now().timestamp() * 1000)
    answer = aws.client("logs").put_log_events(
        logGroupName=group,
        logStreamName="app",
        logEvents=[{"timestamp": now - 15 * 86_400_000, "message": "ancient"}],
    )
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1, "expiredLogEventEndIndex": 1} or answer[
        "rejectedLogEventsInfo"
    ] == {"tooOldLogEventEndIndex": 1}
    assert aws.client("logs").filter_log_events(logGroupName=group)["events"] == []


@pytest.mark.parametrize(
    ("operation", "members", "code"),
    [
        ("put_retention_policy", {"logGroupName": "none", "retentionInDays": 1}, "ResourceNotFoundException"),
        ("get_log_events", {"logGroupName": "none", "logStreamName": "x"}, "ResourceNotFoundException"),
        ("describe_log_streams", {"logGroupName": "none"}, "ResourceNotFoundException"),
        ("test_metric_filter", {"filterPattern": "{ $.a = }", "logEventMessages": ["x"]}, "InvalidParameterException"),
        ("describe_log_groups", {"nextToken": "forged"}, "InvalidParameterException"),
        ("start_query", {"startTime": 1, "endTime": 2, "queryString": "fields @message"}, "UnknownOperationException"),
    ],
)
def test_refusals_of_logs_are_modelled(aws: Lab, operation: str, members: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(aws.client("logs"), operation)(**members)
    assert refused.value.response["Error"]["Code"] == code


def test_a_filter_is_tried_and_tells_the_values_it_names(aws: Lab) -> None:
    answer = aws.client("logs").test_metric_filter(
        filterPattern="[ip, user, status = 404]", logEventMessages=["10.0.0.1 dana 404", "10.0.0.1 dana 200"]
    )
    assert answer["matches"] == [
        {
            "eventNumber": 1,
            "eventMessage": "10.0.0.1 dana 404",
            "extractedValues": {"$ip": "10.0.0.1", "$user": "dana", "$status": "404"},
        }
    ]


def test_metric_filters_take_values_and_dimensions_from_events(aws: Lab, group: str) -> None:
    transformation = {
        "metricName": "bytes",
        "metricNamespace": "Web",
        "metricValue": "$.bytes",
        "dimensions": {"Host": "$.host"},
    }
    aws.client("logs").put_metric_filter(
        logGroupName=group, filterName="bytes", filterPattern="{ $.bytes > 0 }", metricTransformations=[transformation]
    )
    put(aws, group, '{"bytes": 7, "host": "a"}', '{"bytes": 5, "host": "b"}', '{"bytes": 3, "host": "a"}')
    aws.settle()
    listed = aws.client("cloudwatch").list_metrics(Namespace="Web")["Metrics"]
    assert [each["Dimensions"][0]["Value"] for each in listed] == ["a", "b"]
    assert statistics(aws, "Web", "bytes", [{"Name": "Host", "Value": "a"}], "Sum") == [10.0]


def statistics(aws: Lab, namespace: str, name: str, dimensions: list[dict[str, str]], statistic: str) -> list[float]:
    now = aws.now()
    found = aws.client("cloudwatch").get_metric_data(
        MetricDataQueries=[
            {
                "Id": "wanted",
                "MetricStat": {
                    "Metric": {"Namespace": namespace, "MetricName": name, "Dimensions": dimensions},
                    "Period": 3600,
                    "Stat": statistic,
                },
            }
        ],
        StartTime=now.replace(minute=0, second=0, microsecond=0),
        EndTime=now.replace(minute=59, second=59),
    )
    return [float(value) for value in found["MetricDataResults"][0]["Values"]]


def test_a_quiet_minute_gets_the_default_value(aws: Lab, group: str) -> None:
    transformation = {"metricName": "quiet", "metricNamespace": "App", "metricValue": "1", "defaultValue": 0.0}
    aws.client("logs").put_metric_filter(
        logGroupName=group, filterName="quiet", filterPattern="ERROR", metricTransformations=[transformation]
    )
    put(aws, group, "all is well")
    aws.settle()
    assert statistics(aws, "App", "quiet", [], "Minimum") == [0.0]


def test_data_are_read_back_as_statistics_and_percentiles(aws: Lab) -> None:
    cloudwatch = aws.client("cloudwatch")
    cloudwatch.put_metric_data(
        Namespace="Load", MetricData=[{"MetricName": "ms", "Values": [float(value) for value in range(1, 101)]}]
    )
    assert statistics(aws, "Load", "ms", [], "p50") == [50.5]
    assert statistics(aws, "Load", "ms", [], "p100") == [100.0]
    assert statistics(aws, "Load", "ms", [], "SampleCount") == [100.0]
    cloudwatch.put_metric_data(
        Namespace="Load",
        MetricData=[
            {
                "MetricName": "set",
                "StatisticValues": {"SampleCount": 4.0, "Sum": 10.0, "Minimum": 1.0, "Maximum": 4.0},
            }
        ],
    )
    assert statistics(aws, "Load", "set", [], "Average") == [2.5]
    assert statistics(aws, "Load", "set", [], "p99") == []


def test_a_composite_alarm_follows_its_children(aws: Lab) -> None:
    topic, queue = queue_behind(aws, "both")
    for name in ("left", "right"):
        alarm(aws, name)
    aws.client("cloudwatch").put_composite_alarm(
        AlarmName="both", AlarmRule='ALARM("left") AND ALARM(right)', AlarmActions=[topic]
    )
    aws.client("cloudwatch").put_metric_data(Namespace="App", MetricData=[{"MetricName": "left", "Value": 1.0}])
    aws.advance(10)
    assert (state(aws, "left"), state(aws, "both")) == ("ALARM", "OK")
    for name in ("left", "right"):
        aws.client("cloudwatch").put_metric_data(Namespace="App", MetricData=[{"MetricName": name, "Value": 1.0}])
    aws.advance(10)
    assert state(aws, "both") == "ALARM"
    (message,) = told(aws, queue)
    assert message["AlarmRule"] == 'ALARM("left") AND ALARM(right)'
    with pytest.raises(ClientError, match="composite alarm both looks at it"):
        aws.client("cloudwatch").delete_alarms(AlarmNames=["left"])
    aws.client("cloudwatch").delete_alarms(AlarmNames=["left", "right", "both"])


def test_a_state_that_is_set_acts_and_the_next_period_corrects_it(aws: Lab) -> None:
    topic, queue = queue_behind(aws, "drill")
    alarm(aws, "drill", AlarmActions=[topic])
    aws.client("cloudwatch").set_alarm_state(AlarmName="drill", StateValue="ALARM", StateReason="a drill")
    aws.settle()
    (message,) = told(aws, queue)
    assert message["NewStateReason"] == "a drill"
    aws.advance(10)
    assert state(aws, "drill") == "OK"


def test_actions_that_are_disabled_are_not_taken(aws: Lab) -> None:
    topic, queue = queue_behind(aws, "silent")
    alarm(aws, "silent", AlarmActions=[topic])
    aws.client("cloudwatch").disable_alarm_actions(AlarmNames=["silent"])
    aws.client("cloudwatch").set_alarm_state(AlarmName="silent", StateValue="ALARM", StateReason="a drill")
    aws.settle()
    assert told(aws, queue) == []


def test_alarms_carry_tags(aws: Lab) -> None:
    cloudwatch = aws.client("cloudwatch")
    alarm(aws, "tagged", Tags=[{"Key": "team", "Value": "blue"}])
    arn = cloudwatch.describe_alarms(AlarmNames=["tagged"])["MetricAlarms"][0]["AlarmArn"]
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "tier", "Value": "1"}])
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "tier", "Value": "1"}]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"Statistic": "Sum", "ExtendedStatistic": "p99"}, "Exactly one of Statistic"),
        ({"Period": 7}, "Period must be"),
        ({"EvaluationPeriods": 1, "DatapointsToAlarm": 2}, "DatapointsToAlarm must be"),
        ({"TreatMissingData": "perhaps"}, "must be one of"),
        ({"AlarmActions": ["arn:aws:autoscaling:us-east-1:123456789012:x"]}, "is not supported by Trailstate yet"),
        ({"AlarmActions": ["somebody"]}, "Invalid arn syntax"),
        ({"EvaluationPeriods": 100_000}, "more than a week"),
    ],
)
def test_refusals_of_alarms_say_what_was_expected(aws: Lab, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ClientError, match=said) as refused:
        alarm(aws, "refused", **settings)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def a_query(name: str, metric: str, *, returns: bool = False) -> dict[str, Any]:
    stat = {"Metric": {"Namespace": "Math", "MetricName": metric}, "Period": 60, "Stat": "Sum"}
    return {"Id": name, "MetricStat": stat, "ReturnData": returns}


RATE = [
    a_query("failed", "Failed"),
    a_query("asked", "Asked"),
    {"Id": "rate", "Expression": "100 * FILL(failed, 0) / asked", "Label": "failures in percent"},
]


def put_math(aws: Lab, failed: float | None, asked: float) -> None:
    data = [("Asked", asked), *([("Failed", failed)] if failed is not None else [])]
    aws.client("cloudwatch").put_metric_data(
        Namespace="Math", MetricData=[{"MetricName": name, "Value": number} for name, number in data]
    )


def test_expressions_are_computed_from_metrics(aws: Lab) -> None:
    cloudwatch, began = aws.client("cloudwatch"), aws.now()
    for failed, asked in ((1, 10), (None, 20), (5, 20)):
        put_math(aws, failed, asked)
        aws.advance("1m")
    asked = {"StartTime": began - timedelta(minutes=1), "EndTime": aws.now(), "ScanBy": "TimestampAscending"}
    (found,) = cloudwatch.get_metric_data(MetricDataQueries=RATE, **asked)["MetricDataResults"]
    assert (found["Id"], found["Label"], found["Values"]) == ("rate", "failures in percent", [10.0, 0.0, 25.0])
    with pytest.raises(ClientError, match="Error in expression 'e1': expected the id of a query; found 'nothing'"):
        cloudwatch.get_metric_data(MetricDataQueries=[{"Id": "e1", "Expression": "nothing * 2"}], **asked)
    centuries = {"StartTime": aws.now() - timedelta(days=100_000), "EndTime": aws.now()}
    with pytest.raises(ClientError, match="may look at 100800 periods"):
        cloudwatch.get_metric_data(MetricDataQueries=RATE, **centuries)
    heavy = [{"Id": f"e{number}", "Expression": "+".join(["SUM(METRICS())"] * 130)} for number in range(400)]
    with pytest.raises(ClientError, match="Ask for less at a time"):
        cloudwatch.get_metric_data(MetricDataQueries=[*RATE, *heavy], **asked)
    scalar = [a_query("asked", "Asked"), {"Id": "e1", "Expression": "SUM(asked)"}]
    with pytest.raises(ClientError, match="expected an expression that gives one time series"):
        cloudwatch.get_metric_data(MetricDataQueries=scalar, **asked)


def test_an_alarm_on_an_expression(aws: Lab) -> None:
    cloudwatch = aws.client("cloudwatch")
    topic, queue = queue_behind(aws, "math")
    settings = {
        "AlarmName": "failing",
        "EvaluationPeriods": 1,
        "Threshold": 20.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "AlarmActions": [topic],
    }
    cloudwatch.put_metric_alarm(Metrics=RATE, **settings)
    (described,) = cloudwatch.describe_alarms(AlarmNames=["failing"])["MetricAlarms"]
    assert [each["Id"] for each in described["Metrics"]] == ["failed", "asked", "rate"]
    assert "MetricName" not in described
    for failed, asked, state in ((1, 10, "OK"), (5, 20, "ALARM"), (None, 20, "OK")):
        aws.advance("1m")
        put_math(aws, failed, asked)
        aws.advance("1m")
        (described,) = cloudwatch.describe_alarms(AlarmNames=["failing"])["MetricAlarms"]
        assert described["StateValue"] == state, described["StateReason"]
    (message,) = aws.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    told = json.loads(json.loads(message["Body"])["Message"])
    assert told["NewStateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [25.0 (")
    assert (told["Trigger"]["Period"], told["Trigger"]["Metrics"][2]["Expression"]) == (60, RATE[2]["Expression"])
    assert told["Trigger"]["Metrics"][0]["MetricStat"]["Metric"]["MetricName"] == "Failed"
    for wrong, said in (
        ({"Metrics": RATE[:2]}, "Exactly one element"),
        ({"Metrics": RATE, "Namespace": "Math"}, "together with Namespace"),
        ({"Metrics": [*RATE[:2], {"Id": "e", "Expression": "AVG(asked)"}]}, "one time series"),
        ({"Metrics": [*RATE[:2], {"Id": "e", "Expression": "asked +"}]}, "expected more"),
        ({"Metrics": [*RATE[:2], {"Id": "e", "Expression": "asked" + "+asked" * 300}]}, "at most 1000000 are taken"),
    ):
        with pytest.raises(ClientError, match=said):
            cloudwatch.put_metric_alarm(**{**settings, "EvaluationPeriods": 10_000}, **wrong)
