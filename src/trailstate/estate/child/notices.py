"""What S3 notices in the simulator goes up as calls: to topics, buses and functions, which are the house's.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html

moto looks for them among its own and, finding none, says nothing. As at AWS, the act that was noticed succeeds whether
or not the notice does.
"""

import json
from typing import Any

from trailstate.estate.child.sources import replace
from trailstate.estate.child.stacks import Call

SERVICE = "s3.amazonaws.com"
SUBJECT = "Amazon S3 Notification"


def leave_to_the_house(call: Call) -> None:
    """From here on notices of buckets come to what the house has."""
    from moto.s3 import notifications

    def to_topic(account: str, event: Any, topic: str, region: str) -> None:
        parameters = {"TopicArn": topic, "Message": json.dumps(event), "Subject": SUBJECT}
        call(account, region, "sns", "Publish", parameters, by=SERVICE, source=_source(event))

    def to_function(account: str, event: Any, function: str, region: str) -> None:
        parameters = {"FunctionName": function, "InvocationType": "Event", "Payload": json.dumps(event).encode()}
        call(account, region, "lambda", "Invoke", parameters, by=SERVICE, source=_source(event))

    def to_bus(account: str, bucket: Any, event: str, key: Any) -> None:
        entry = {
            "Source": "aws.s3",
            "DetailType": notifications._detail_type(event),  # noqa: SLF001
            "Detail": json.dumps(_detail(account, bucket, event, key)),
            "Resources": [bucket.arn],
        }
        call(account, bucket.region_name, "events", "PutEvents", {"Entries": [entry]}, by=SERVICE, source=bucket.arn)

    replace(notifications, "_send_sns_message", to_topic)
    replace(notifications, "_invoke_awslambda", to_function)
    replace(notifications, "_send_event_bridge_message", to_bus)


def _source(event: dict[str, Any]) -> str:
    """The bucket that an event is about."""
    name = event["Records"][0]["s3"]["bucket"]["name"] if "Records" in event else event["Bucket"]
    return f"arn:aws:s3:::{name}"


def _detail(account: str, bucket: Any, event: str, key: Any) -> dict[str, Any]:
    held = {"key": key.name, "size": key.size, "etag": key.etag.replace('"', "")}
    version = {"version-id": key.version_id} if getattr(key, "version_id", None) else {}
    return {
        "version": "0",
        "bucket": {"name": bucket.name},
        "object": {**held, **version},
        "requester": account,
        "reason": event.split(":")[1],
    }
