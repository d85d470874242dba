"""Rules over KMS keys: rotation, deletion, who may use them. Keys that AWS manages are not judged."""

from trailstate.catalog.reading import fact, not_held, not_known
from trailstate.compliance.form import (
    COMPLIANT,
    MISSING,
    NOT_APPLICABLE,
    Inventory,
    Item,
    Verdict,
    field_at,
    non_compliant,
    rule,
)
from trailstate.values.statements import is_public, statements

KEY = "AWS::KMS::Key"
_ROTATION = "supplementaryConfiguration.KeyRotationStatus"
_POLICY = "supplementaryConfiguration.Policy"


def _is_customers(item: Item) -> bool:
    return bool(item["configuration"].get("keyManager") == "CUSTOMER")


@rule("CMK_BACKING_KEY_ROTATION_ENABLED", KEY)
def cmk_backing_key_rotation_enabled(item: Item, inventory: Inventory) -> Verdict:
    """A customer's symmetric key gets new material every year.

    Keys that KMS cannot rotate are not judged: asymmetric and HMAC keys, imported material, other key stores, and keys
    that are about to be deleted.
    """
    key = item["configuration"]
    if key.get("keyManager") is None or key.get("keyState") is None:
        return not_held("configuration.keyManager")
    symmetric = key.get("keySpec", key.get("customerMasterKeySpec")) == "SYMMETRIC_DEFAULT"
    rotates = (
        symmetric and key.get("origin") == "AWS_KMS" and key["keyState"] not in ("PendingDeletion", "PendingImport")
    )
    if not _is_customers(item) or not rotates:
        return NOT_APPLICABLE
    held = field_at(item, _ROTATION)
    status = fact(inventory, item, "KeyRotationStatus") if held is MISSING else held
    if status is MISSING:
        return not_known("the key's rotation")
    on = status.get("KeyRotationEnabled") if isinstance(status, dict) else status
    return COMPLIANT if on is True else non_compliant("The key's material is not rotated.")


@rule("KMS_CMK_NOT_SCHEDULED_FOR_DELETION", KEY)
def kms_cmk_not_scheduled_for_deletion(item: Item, _inventory: Inventory, *, kmsKeyIds: str | None = None) -> Verdict:
    """No customer's key is about to be deleted; with a list, only those keys are judged."""
    listed_ids = [each.strip() for each in (kmsKeyIds or "").split(",") if each.strip()]
    if not _is_customers(item) or (listed_ids and not {item["resourceId"], item["ARN"]} & set(listed_ids)):
        return NOT_APPLICABLE
    state = field_at(item, "configuration.keyState")
    if state is MISSING:
        return not_held("configuration.keyState")
    return non_compliant("The key is scheduled for deletion.") if state == "PendingDeletion" else COMPLIANT


@rule("KMS_KEY_POLICY_NO_PUBLIC_ACCESS", KEY)
def kms_key_policy_no_public_access(item: Item, _inventory: Inventory) -> Verdict:
    """The key's policy does not let everyone use it."""
    if not _is_customers(item):
        return NOT_APPLICABLE
    policy = field_at(item, _POLICY)
    if policy is MISSING:
        return not_held(_POLICY)
    return non_compliant("The key's policy lets everyone use it.") if is_public(statements(policy)) else COMPLIANT
