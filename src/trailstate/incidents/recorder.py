"""The recorder of the account where incidents are played: scenes add the types they need, and none takes any away."""

from typing import Any

from trailstate.incidents.stage import Stage

BY_NAME = "INCLUSION_BY_RESOURCE_TYPES"
NOTHING: dict[str, Any] = {"recordingStrategy": {"useOnly": BY_NAME}, "resourceTypes": []}


def record(stage: Stage, *types: str) -> None:
    """Have these types recorded from now on, beside those that are already, and delivered to a bucket.

    A recorder that does not go by names stays as it is.
    """
    config = stage.client("config")
    known = next(iter(config.describe_configuration_recorders()["ConfigurationRecorders"]), None)
    group: dict[str, Any] = known["recordingGroup"] if known else NOTHING
    name = known["name"] if known else "default"
    if group["recordingStrategy"]["useOnly"] == BY_NAME:
        role = f"arn:aws:iam::{stage.account}:role/config"
        named = {"resourceTypes": sorted({*group["resourceTypes"], *types})}
        config.put_configuration_recorder(
            ConfigurationRecorder={"name": name, "roleARN": role, "recordingGroup": named}
        )
    if not config.describe_delivery_channels()["DeliveryChannels"]:
        bucket = f"config-{stage.account}"
        stage.client("s3").create_bucket(Bucket=bucket)
        config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": bucket})
    config.start_configuration_recorder(ConfigurationRecorderName=name)
