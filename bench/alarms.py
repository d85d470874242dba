"""How long after the end of its period an alarm's message is with its receiver; the ceiling is one second.

python -m bench.alarms [--rounds 3]

A lab of its own on the running clock: an event is put into a log group, a metric filter counts it, an alarm of ten
seconds tells a topic, a queue gets the message and is asked all the time. Put to message is shown beside.
"""

import argparse
import json
import statistics
import time
from datetime import UTC, datetime
from typing import Any

from tests.clients.receivers import a_queue

from trailstate.testing import Lab, lab

PERIOD_SECONDS = 10
WAIT_SECONDS_MAX = 40.0


def prepared(aws: Lab) -> str:
    """Everything from the log group to the queue, whose URL it returns."""
    logs, sns = aws.client("logs"), aws.client("sns")
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    transformation = {"metricName": "m", "metricNamespace": "Bench", "metricValue": "1"}
    logs.put_metric_filter(
        logGroupName="g", filterName="f", filterPattern="{ $.a = 1 }", metricTransformations=[transformation]
    )
    topic = sns.create_topic(Name="t")["TopicArn"]
    queue, arn = a_queue(aws, "q", "sns")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    aws.client("cloudwatch").put_metric_alarm(
        AlarmName="a",
        Namespace="Bench",
        MetricName="m",
        Statistic="Sum",
        Period=PERIOD_SECONDS,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
        AlarmActions=[topic],
    )
    return queue


def one_round(aws: Lab, queue: str) -> dict[str, float]:
    """Seconds from the end of the period and from the put to the message."""
    put_at = datetime.now(UTC).timestamp()
    event = {"timestamp": int(put_at * 1000), "message": '{"a": 1}'}
    aws.client("logs").put_log_events(logGroupName="g", logStreamName="s", logEvents=[event])
    end = (int(put_at) // PERIOD_SECONDS + 1) * PERIOD_SECONDS
    time.sleep(max(0.0, end - time.time()))
    while datetime.now(UTC).timestamp() < end + WAIT_SECONDS_MAX:
        messages: list[Any] = aws.client("sqs").receive_message(QueueUrl=queue).get("Messages", [])
        if messages:
            arrived = datetime.now(UTC).timestamp()
            aws.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=messages[0]["ReceiptHandle"])
            return {"after_period_s": arrived - end, "after_put_s": arrived - put_at}
    raise SystemExit("no message came")


def main() -> None:
    parser = argparse.ArgumentParser(description="Record to alarm.")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    rounds = []
    with lab() as aws:
        queue = prepared(aws)
        for number in range(arguments.rounds):
            if number:
                time.sleep(3.5 * PERIOD_SECONDS)  # until the alarm is OK again
            rounds.append(one_round(aws, queue))
    for name in ("after_period_s", "after_put_s"):
        values = [each[name] for each in rounds]
        print(f"{name}: median {statistics.median(values):.2f}, longest {max(values):.2f}")
    print(json.dumps({"rounds": rounds}))


if __name__ == "__main__":
    main()
