"""Rules over CloudTrail's trails one by one, and over the buckets they write to."""

from trailstate.catalog.reading import days_since, fact, not_held, not_known
from trailstate.catalog.rules.s3 import BUCKET, part
from trailstate.catalog.rules.s3_public import s3_bucket_public_read_prohibited, s3_bucket_public_write_prohibited
from trailstate.compliance.form import (
    COMPLIANT,
    MISSING,
    Inventory,
    Item,
    Verdict,
    field_at,
    insufficient_data,
    is_given,
    is_true,
    non_compliant,
    require,
    rule,
)

TRAIL = "AWS::CloudTrail::Trail"
_HOURS_A_DAY = 24

require(
    "CLOUD_TRAIL_ENCRYPTION_ENABLED",
    TRAIL,
    "configuration.kmsKeyId",
    is_given,
    absent=non_compliant("The trail's log files are not encrypted with a KMS key."),
)
require("CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED", TRAIL, "configuration.logFileValidationEnabled", is_true)


@rule("CLOUD_TRAIL_CLOUD_WATCH_LOGS_ENABLED", TRAIL)
def cloud_trail_cloud_watch_logs_enabled(
    item: Item, inventory: Inventory, *, expectedDeliveryWindowAge: int | None = None
) -> Verdict:
    """The trail sends its events to CloudWatch Logs; within that many hours, if a number is given."""
    if not item["configuration"].get("cloudWatchLogsLogGroupArn"):
        return non_compliant("The trail sends its events to no log group.")
    if expectedDeliveryWindowAge is None:
        return COMPLIANT
    status = fact(inventory, item, "Status")
    if status is MISSING:
        return not_known("the trail's status")
    delivered = status.get("LatestCloudWatchLogsDeliveryTime")
    if delivered and days_since(inventory, delivered) * _HOURS_A_DAY <= expectedDeliveryWindowAge:
        return COMPLIANT
    return non_compliant(f"No event reached the log group in the last {expectedDeliveryWindowAge} hours.")


def _log_bucket(item: Item, inventory: Inventory) -> Item | Verdict:
    name = field_at(item, "configuration.s3BucketName")
    if name is MISSING:
        return not_held("configuration.s3BucketName")
    buckets = {bucket["resourceId"]: bucket for bucket in inventory.everywhere(BUCKET)}
    return buckets.get(name) or insufficient_data(f"The log bucket '{name}' is not known here.")


@rule("CLOUDTRAIL_S3_BUCKET_ACCESS_LOGGING", TRAIL)
def cloudtrail_s3_bucket_access_logging(item: Item, inventory: Inventory) -> Verdict:
    """Requests to the bucket with the trail's log files are themselves logged."""
    bucket = _log_bucket(item, inventory)
    if isinstance(bucket, Verdict):
        return bucket
    target = part(bucket, "BucketLoggingConfiguration.destinationBucketName")
    return non_compliant("The log bucket has no server access logging.") if target is MISSING else COMPLIANT


@rule("CLOUDTRAIL_S3_BUCKET_PUBLIC_ACCESS_PROHIBITED", TRAIL)
def cloudtrail_s3_bucket_public_access_prohibited(item: Item, inventory: Inventory) -> Verdict:
    """Nobody outside reads or writes the bucket with the trail's log files."""
    bucket = _log_bucket(item, inventory)
    if isinstance(bucket, Verdict):
        return bucket
    verdicts = (
        judge(bucket, inventory) for judge in (s3_bucket_public_read_prohibited, s3_bucket_public_write_prohibited)
    )
    return next((verdict for verdict in verdicts if verdict != COMPLIANT), COMPLIANT)
