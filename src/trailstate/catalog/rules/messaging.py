"""Rules over SNS topics, SQS queues and Kinesis streams: encryption, who may send, what becomes of failures."""

from trailstate.catalog.reading import is_key, listed
from trailstate.compliance.form import (
    COMPLIANT,
    MISSING,
    Inventory,
    Item,
    Verdict,
    field_at,
    insufficient_data,
    is_given,
    non_compliant,
    require,
    rule,
)
from trailstate.values.statements import Statement, is_public, statements, whole_services

TOPIC, QUEUE, STREAM = "AWS::SNS::Topic", "AWS::SQS::Queue", "AWS::Kinesis::Stream"
_FEEDBACK = tuple(
    f"{protocol}{outcome}FeedbackRoleArn"
    for protocol in ("Application", "Firehose", "HTTP", "Lambda", "SQS")
    for outcome in ("Success", "Failure")
)

require(
    "SQS_QUEUE_DLQ_CHECK",
    QUEUE,
    "configuration.RedrivePolicy",
    is_given,
    absent=non_compliant("The queue has no dead-letter queue."),
)
require(
    "KINESIS_STREAM_ENCRYPTED",
    STREAM,
    "configuration.StreamEncryption",
    is_given,
    absent=non_compliant("The stream is not encrypted."),
)


@rule("SNS_ENCRYPTED_KMS", TOPIC)
def sns_encrypted_kms(item: Item, _inventory: Inventory, *, kmsKeyIds: tuple[str, ...] | None = None) -> Verdict:
    """Messages of the topic are encrypted with KMS, by one of the keys if any are named."""
    key = item["configuration"].get("KmsMasterKeyId")
    if not key:
        return non_compliant("The topic is not encrypted with KMS.")
    if kmsKeyIds and not is_key(key, kmsKeyIds):
        return non_compliant(f"The topic is encrypted with '{key}'; expected one of {listed(kmsKeyIds)}.")
    return COMPLIANT


@rule("SNS_TOPIC_MESSAGE_DELIVERY_NOTIFICATION_ENABLED", TOPIC)
def sns_topic_message_delivery_notification_enabled(item: Item, _inventory: Inventory) -> Verdict:
    """What becomes of the topic's messages is logged, for one protocol at least."""
    if any(item["configuration"].get(name) for name in _FEEDBACK):
        return COMPLIANT
    return non_compliant("The topic logs the delivery of no message.")


def _policy(item: Item) -> tuple[Statement, ...] | None:
    """The resource's own policy; None when the item does not say. A queue without one has no such attribute."""
    for name in ("Policy", "PolicyDocument"):
        for part in ("configuration", "supplementaryConfiguration"):
            found = field_at(item, f"{part}.{name}")
            if found is not MISSING:
                return statements(found)
    held = item["configuration"]
    return () if "Policy" in held or "QueueArn" in held else None


_NO_POLICY = insufficient_data("The configuration item does not hold the resource's policy.")


@rule("SNS_TOPIC_NO_PUBLIC_ACCESS", TOPIC)
def sns_topic_no_public_access(item: Item, _inventory: Inventory) -> Verdict:
    """The topic's policy does not let everyone in."""
    return _not_public(item)


@rule("SQS_QUEUE_NO_PUBLIC_ACCESS", QUEUE)
def sqs_queue_no_public_access(item: Item, _inventory: Inventory) -> Verdict:
    """The queue's policy does not let everyone in."""
    return _not_public(item)


def _not_public(item: Item) -> Verdict:
    policy = _policy(item)
    if policy is None:
        return _NO_POLICY
    return non_compliant("The policy lets everyone in.") if is_public(policy) else COMPLIANT


@rule("SQS_QUEUE_POLICY_FULL_ACCESS_CHECK", QUEUE)
def sqs_queue_policy_full_access_check(item: Item, _inventory: Inventory) -> Verdict:
    """The queue's policy gives nobody every action."""
    policy = _policy(item)
    if policy is None:
        return _NO_POLICY
    whole = [action for one in policy for action in whole_services(one)]
    return non_compliant(f"The policy allows {listed(whole)}.") if whole else COMPLIANT


@rule("KINESIS_STREAM_BACKUP_RETENTION_CHECK", STREAM)
def kinesis_stream_backup_retention_check(
    item: Item, _inventory: Inventory, *, minimumBackupRetentionPeriod: str | None = None
) -> Verdict:
    """Records stay in the stream for at least so many hours, 168 when no number is given."""
    hours, least = field_at(item, "configuration.RetentionPeriodHours"), int(minimumBackupRetentionPeriod or 168)
    if hours is MISSING:
        return insufficient_data("The configuration item does not hold 'configuration.RetentionPeriodHours'.")
    return COMPLIANT if hours >= least else non_compliant(f"Records stay {hours} hours; expected at least {least}.")
