"""Rules over S3 buckets as they are set up: encryption, versions, logging, copies, life cycle, locks.

A bucket's parts stand in `supplementaryConfiguration`. The item leaves a part out when it was never set up, so its
absence says "not configured"; versioning and logging always have a part, so their absence says nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from trailstate.catalog.reading import is_key, listed, not_held
from trailstate.compliance.form import (
    COMPLIANT,
    MISSING,
    NOT_APPLICABLE,
    Inventory,
    Item,
    Verdict,
    field_at,
    insufficient_data,
    non_compliant,
    rule,
)
from trailstate.values.statements import Statement, has_condition, statements

BUCKET = "AWS::S3::Bucket"
_SUPPLEMENT = "supplementaryConfiguration"
_OBJECT_WRITES = "s3:PutObject"


def part(item: Item, path: str) -> Any:
    """A part of the bucket's set-up, MISSING when it was never set up or is null."""
    return field_at(item, f"{_SUPPLEMENT}.{path}")


def field_or(item: Item, path: str, otherwise: Any) -> Any:
    """A part of the set-up, or what its absence means."""
    found = part(item, path)
    return otherwise if found is MISSING else found


def policy_of(item: Item) -> tuple[Statement, ...]:
    """The statements of the bucket's policy; none when it has no policy."""
    text = part(item, "BucketPolicy.policyText")
    return () if text is MISSING else statements(text)


@rule("S3_BUCKET_LOGGING_ENABLED", BUCKET)
def s3_bucket_logging_enabled(
    item: Item, _inventory: Inventory, *, targetBucket: str | None = None, targetPrefix: str | None = None
) -> Verdict:
    """Requests to the bucket are logged, to the bucket and under the prefix that are named if any are."""
    logging = part(item, "BucketLoggingConfiguration")
    if logging is MISSING:
        return not_held(f"{_SUPPLEMENT}.BucketLoggingConfiguration")
    target, prefix = logging.get("destinationBucketName"), logging.get("logFilePrefix") or ""
    if not target:
        return non_compliant("Server access logging is off.")
    if targetBucket and target != targetBucket:
        return non_compliant(f"Access logs go to the bucket '{target}'; expected '{targetBucket}'.")
    if targetPrefix and prefix != targetPrefix:
        return non_compliant(f"Access logs go under the prefix '{prefix}'; expected '{targetPrefix}'.")
    return COMPLIANT


@rule("S3_BUCKET_VERSIONING_ENABLED", BUCKET)
def s3_bucket_versioning_enabled(
    item: Item, _inventory: Inventory, *, isMfaDeleteEnabled: str | None = None
) -> Verdict:
    """Versions are kept; with the parameter "true", deleting one needs MFA too."""
    versioning = part(item, "BucketVersioningConfiguration")
    if versioning is MISSING:
        return not_held(f"{_SUPPLEMENT}.BucketVersioningConfiguration")
    if versioning.get("status") != "Enabled":
        return non_compliant(f"Versioning is '{versioning.get('status') or 'Off'}'; expected 'Enabled'.")
    needs_mfa = (isMfaDeleteEnabled or "").lower() == "true"
    if needs_mfa and versioning.get("isMfaDeleteEnabled") is not True:
        return non_compliant("Versions can be deleted without MFA.")
    return COMPLIANT


@rule("S3_BUCKET_MFA_DELETE_ENABLED", BUCKET)
def s3_bucket_mfa_delete_enabled(item: Item, _inventory: Inventory) -> Verdict:
    """Deleting a version for good needs MFA."""
    versioning = part(item, "BucketVersioningConfiguration")
    if versioning is MISSING:
        return not_held(f"{_SUPPLEMENT}.BucketVersioningConfiguration")
    if versioning.get("isMfaDeleteEnabled") is not True:
        return non_compliant("Versions can be deleted without MFA.")
    return COMPLIANT


def _default_encryption(item: Item) -> Mapping[str, Any]:
    for each in field_or(item, "ServerSideEncryptionConfiguration.rules", ()):
        default: Mapping[str, Any] | None = each.get("applyServerSideEncryptionByDefault")
        if default and default.get("sseAlgorithm"):
            return default
    return {}


@rule("S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED", BUCKET)
def s3_bucket_server_side_encryption_enabled(item: Item, _inventory: Inventory) -> Verdict:
    """Objects are encrypted by default, or the policy refuses those that arrive without encryption."""
    if _default_encryption(item) or any(_refuses_plain_objects(one) for one in policy_of(item)):
        return COMPLIANT
    return non_compliant("The bucket has no default encryption, and its policy does not refuse unencrypted objects.")


def _refuses_plain_objects(statement: Statement) -> bool:
    plain = has_condition(statement, "Null", "s3:x-amz-server-side-encryption", "true") or any(
        operator.lower() == "stringnotequals" and key.lower() == "s3:x-amz-server-side-encryption"
        for operator, key, _ in statement.conditions[:1]
        if len(statement.conditions) == 1
    )
    return plain and not statement.allows and statement.everyone and statement.covers_action(_OBJECT_WRITES)


@rule("S3_DEFAULT_ENCRYPTION_KMS", BUCKET)
def s3_default_encryption_kms(
    item: Item, _inventory: Inventory, *, kmsKeyArns: tuple[str, ...] | None = None
) -> Verdict:
    """Objects are encrypted by default with KMS, by one of the named keys if any are named."""
    default = _default_encryption(item)
    algorithm, key = default.get("sseAlgorithm"), default.get("kmsMasterKeyID")
    if algorithm not in ("aws:kms", "aws:kms:dsse"):
        return non_compliant(f"Default encryption is {algorithm or 'off'}; expected aws:kms.")
    if kmsKeyArns and not is_key(key, kmsKeyArns):
        return non_compliant(f"Default encryption uses the key '{key}'; expected one of {listed(kmsKeyArns)}.")
    return COMPLIANT


def _replications(item: Item) -> Iterator[Mapping[str, Any]]:
    """The rules that copy objects now; they stand in a map by their names."""
    rules = field_or(item, "BucketReplicationConfiguration.rules", {})
    found = rules.values() if isinstance(rules, Mapping) else rules
    return (each for each in found if each.get("status") == "Enabled")


def _copies_abroad(inventory: Inventory, replication: Mapping[str, Any]) -> bool | None:
    """Whether the copy goes to another Region; None when the target is no bucket we know."""
    target = field_at(replication, "destinationConfig.bucketARN")
    if target is MISSING:
        return None
    name = target.rpartition(":")[2]
    regions = [bucket["awsRegion"] for bucket in inventory.everywhere(BUCKET) if bucket["resourceId"] == name]
    return regions[0] != inventory.region if regions else None


@rule("S3_BUCKET_REPLICATION_ENABLED", BUCKET, also_on=(BUCKET,))
def s3_bucket_replication_enabled(item: Item, inventory: Inventory, *, ReplicationType: str | None = None) -> Verdict:
    """Objects are copied to another bucket; of the given kind (CROSS-REGION or SAME-REGION) if one is given."""
    active = list(_replications(item))
    if not active:
        return non_compliant("No replication rule is enabled.")
    if not ReplicationType:
        return COMPLIANT
    return _replicates(active, inventory, abroad=ReplicationType.upper().startswith("CROSS"))


def _replicates(active: list[Mapping[str, Any]], inventory: Inventory, *, abroad: bool) -> Verdict:
    found = {_copies_abroad(inventory, each) for each in active}
    if abroad in found:
        return COMPLIANT
    if None in found:
        return insufficient_data("The Region of the bucket that receives the copies is not known here.")
    return non_compliant(f"No replication rule copies to {'another' if abroad else 'the same'} Region.")


@rule("S3_BUCKET_DEFAULT_LOCK_ENABLED", BUCKET)
def s3_bucket_default_lock_enabled(item: Item, _inventory: Inventory, *, mode: str | None = None) -> Verdict:
    """Objects are locked for a time by default, in the given mode (GOVERNANCE or COMPLIANCE) if one is given."""
    if field_or(item, "ObjectLockConfiguration.objectLockEnabled", "") != "Enabled":
        return non_compliant("Object lock is off.")
    found = field_or(item, "ObjectLockConfiguration.rule.defaultRetention.mode", None)
    if mode and found != mode:
        return non_compliant(f"Objects are locked by default in the mode '{found}'; expected '{mode}'.")
    return COMPLIANT


def _life_cycle(item: Item) -> list[Mapping[str, Any]]:
    rules = field_or(item, "BucketLifecycleConfiguration.rules", ())
    return [each for each in rules if each.get("status") == "Enabled"]


@rule("S3_VERSION_LIFECYCLE_POLICY_CHECK", BUCKET)
def s3_version_lifecycle_policy_check(
    item: Item, _inventory: Inventory, *, bucketNames: tuple[str, ...] | None = None
) -> Verdict:
    """A bucket that keeps versions has an active life-cycle rule. Other buckets are not judged."""
    if bucketNames and item["resourceName"] not in bucketNames:
        return NOT_APPLICABLE
    status = part(item, "BucketVersioningConfiguration")
    if status is MISSING:
        return not_held(f"{_SUPPLEMENT}.BucketVersioningConfiguration")
    if status.get("status") != "Enabled":
        return NOT_APPLICABLE
    return COMPLIANT if _life_cycle(item) else non_compliant("Versions are kept and no life-cycle rule is enabled.")


@rule("S3_LIFECYCLE_POLICY_CHECK", BUCKET)
def s3_lifecycle_policy_check(
    item: Item,
    _inventory: Inventory,
    *,
    targetTransitionDays: int | None = None,
    targetExpirationDays: int | None = None,
    targetTransitionStorageClass: str | None = None,
    targetPrefix: str | None = None,
    bucketNames: tuple[str, ...] | None = None,
) -> Verdict:
    """An active life-cycle rule exists that is like the one described by the parameters."""
    if bucketNames and item["resourceName"] not in bucketNames:
        return NOT_APPLICABLE
    active = _life_cycle(item)
    if not active:
        return non_compliant("No life-cycle rule is enabled.")
    wanted = (targetTransitionDays, targetTransitionStorageClass, targetExpirationDays, targetPrefix)
    if any(_is_like(each, *wanted) for each in active):
        return COMPLIANT
    return non_compliant("No enabled life-cycle rule has the days, storage class and prefix that are asked for.")


def _is_like(
    each: Mapping[str, Any], days: int | None, storage_class: str | None, expiration: int | None, prefix: str | None
) -> bool:
    moves = [(move.get("days"), move.get("storageClass")) for move in each.get("transitions") or ()]
    moved = (days is None and storage_class is None) or any(
        (days is None or found_days == days) and (storage_class is None or found_class == storage_class)
        for found_days, found_class in moves
    )
    expires = expiration is None or each.get("expirationInDays") == expiration
    return moved and expires and (prefix is None or _prefix(each) == prefix)


def _prefix(each: Mapping[str, Any]) -> str:
    nested = field_at(each, "filter.predicate.prefix")
    return str(each.get("prefix") or ("" if nested is MISSING else nested))


@rule("S3_EVENT_NOTIFICATIONS_ENABLED", BUCKET)
def s3_event_notifications_enabled(
    item: Item,
    _inventory: Inventory,
    *,
    destinationArn: str | None = None,
    eventTypes: tuple[str, ...] | None = None,
) -> Verdict:
    """The bucket announces events, those types and to that destination if they are given."""
    given = field_or(item, "BucketNotificationConfiguration", {})
    found = list((given.get("configurations") or {}).values())
    if not found and given.get("eventBridgeConfiguration") is None:
        return non_compliant("The bucket announces no events.")
    if not destinationArn and not eventTypes:
        return COMPLIANT
    if any(_announces(each, destinationArn, eventTypes or ()) for each in found):
        return COMPLIANT
    return non_compliant("No notification has the event types and the destination that are asked for.")


def _announces(each: Mapping[str, Any], destination: str | None, types: tuple[str, ...]) -> bool:
    targets = {each.get(name) for name in ("queueARN", "topicARN", "functionARN")}
    return (destination is None or destination in targets) and set(types) <= set(each.get("events") or ())
