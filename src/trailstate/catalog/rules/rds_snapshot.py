"""Rules over snapshots of databases: encrypted, and shared with nobody in general."""

from typing import Any

from trailstate.catalog.reading import fact, is_on, not_known
from trailstate.catalog.rules.rds import engine_of
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

SNAPSHOT = "AWS::RDS::DBSnapshot"
CLUSTER_SNAPSHOT = "AWS::RDS::DBClusterSnapshot"
_BOTH = (CLUSTER_SNAPSHOT, SNAPSHOT)
_ENCRYPTED = {SNAPSHOT: "configuration.encrypted", CLUSTER_SNAPSHOT: "configuration.storageEncrypted"}
_SHARED = {SNAPSHOT: "DBSnapshotAttributes", CLUSTER_SNAPSHOT: "DBClusterSnapshotAttributes"}


@rule("RDS_SNAPSHOT_ENCRYPTED", _BOTH)
def rds_snapshot_encrypted(item: Item, _inventory: Inventory) -> Verdict:
    """The snapshot is encrypted."""
    return is_on(item, _ENCRYPTED[item["resourceType"]], "The snapshot is not encrypted.")


@rule("RDS_SNAPSHOTS_PUBLIC_PROHIBITED", _BOTH)
def rds_snapshots_public_prohibited(item: Item, inventory: Inventory) -> Verdict:
    """Not everybody may restore the snapshot."""
    return _not_public(item, inventory)


def _not_public(item: Item, inventory: Inventory) -> Verdict:
    attributes = _attributes(item, inventory)
    if attributes is MISSING:
        return not_known("whom the snapshot is shared with")
    shared = [value for one in attributes or () for value in _values(one)]
    return non_compliant("Everybody may restore the snapshot.") if "all" in shared else COMPLIANT


def _attributes(item: Item, inventory: Inventory) -> Any:
    held = field_at(item, f"supplementaryConfiguration.{_SHARED[item['resourceType']]}")
    return fact(inventory, item, "Attributes") if held is MISSING else held


def _values(attribute: dict[str, Any]) -> list[str]:
    """The accounts an attribute names, in the item's spelling or in the API's."""
    return attribute.get("attributeValues") or attribute.get("AttributeValues") or []


def _public_of(identifier: str, engine: str) -> None:
    @rule(identifier, CLUSTER_SNAPSHOT)
    def judge(item: Item, inventory: Inventory) -> Verdict:
        manual = item["configuration"].get("snapshotType") == "manual"
        return _not_public(item, inventory) if manual and engine_of(item) == engine else NOT_APPLICABLE


_public_of("NEPTUNE_CLUSTER_SNAPSHOT_PUBLIC_PROHIBITED", "neptune")
_public_of("DOCDB_CLUSTER_SNAPSHOT_PUBLIC_PROHIBITED", "docdb")


@rule("NEPTUNE_CLUSTER_SNAPSHOT_ENCRYPTED", CLUSTER_SNAPSHOT)
def neptune_cluster_snapshot_encrypted(item: Item, _inventory: Inventory) -> Verdict:
    """A Neptune cluster's snapshot is encrypted."""
    if engine_of(item) != "neptune":
        return NOT_APPLICABLE
    return is_on(item, _ENCRYPTED[CLUSTER_SNAPSHOT], "The snapshot is not encrypted.")


@rule("NEPTUNE_CLUSTER_SNAPSHOT_IAM_DATABASE_AUTH_ENABLED", CLUSTER_SNAPSHOT)
def neptune_cluster_snapshot_iam_database_auth_enabled(item: Item, _inventory: Inventory) -> Verdict:
    """What is restored from a Neptune cluster's snapshot lets users sign in with IAM."""
    if engine_of(item) != "neptune":
        return NOT_APPLICABLE
    path = "configuration.iamdatabaseAuthenticationEnabled"
    return is_on(item, path, "IAM authentication is off in the snapshot.")
