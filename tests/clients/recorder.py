"""A configuration recorder that is on, put by boto3."""

from trailstate.testing import Lab


def start_recorder(aws: Lab, region: str = "us-east-1", key: str | None = None) -> None:
    """What `aws configservice subscribe` would do."""
    config = aws.client("config", region=region, key=key)
    account = key or aws.account
    bucket = f"config-{account}-{region}"
    if region == "us-east-1":
        aws.client("s3", key=key).create_bucket(Bucket=bucket)
    else:
        location = {"LocationConstraint": region}
        aws.client("s3", region=region, key=key).create_bucket(Bucket=bucket, CreateBucketConfiguration=location)
    role = f"arn:aws:iam::{account}:role/config"
    group = {"allSupported": True, "includeGlobalResourceTypes": True}
    config.put_configuration_recorder(
        ConfigurationRecorder={"name": "default", "roleARN": role, "recordingGroup": group}
    )
    config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": bucket})
    config.start_configuration_recorder(ConfigurationRecorderName="default")
