"""Rules over DynamoDB tables: encryption, recovery, copies, protection."""

from trailstate.catalog.reading import is_key, listed
from trailstate.compliance.form import (
    COMPLIANT,
    MISSING,
    Inventory,
    Item,
    Test,
    Verdict,
    equals,
    field_at,
    is_true,
    non_compliant,
    require,
    rule,
)

TABLE = "AWS::DynamoDB::Table"

require(
    "DYNAMODB_PITR_ENABLED",
    TABLE,
    "supplementaryConfiguration.ContinuousBackupsDescription.pointInTimeRecoveryDescription.pointInTimeRecoveryStatus",
    equals("ENABLED"),
    says="Point-in-time recovery is off.",
)
require(
    "DYNAMODB_TABLE_ENCRYPTION_ENABLED",
    TABLE,
    "configuration.ssedescription.status",
    Test(lambda status: status in ("ENABLED", "ENABLING"), "ENABLED"),
    absent=non_compliant("The table has no encryption with KMS; the item describes none."),
)
require("DYNAMODB_TABLE_DELETION_PROTECTION_ENABLED", TABLE, "configuration.deletionProtectionEnabled", is_true)


@rule("DYNAMODB_TABLE_ENCRYPTED_KMS", TABLE)
def dynamodb_table_encrypted_kms(
    item: Item, _inventory: Inventory, *, kmsKeyArns: tuple[str, ...] | None = None
) -> Verdict:
    """The table is encrypted with KMS, by one of the keys if any are named; AWS's own key does not count."""
    kind = field_at(item, "configuration.ssedescription.ssetype")
    if kind != "KMS":
        return non_compliant("The table is not encrypted with KMS.")
    key = item["configuration"]["ssedescription"].get("kmsmasterKeyArn")
    if kmsKeyArns and not is_key(key, kmsKeyArns):
        return non_compliant(f"The table is encrypted with '{key}'; expected one of {listed(kmsKeyArns)}.")
    return COMPLIANT


@rule("DYNAMODB_TABLE_CROSS_REGION_REPLICATION_ENABLED", TABLE)
def dynamodb_table_cross_region_replication_enabled(item: Item, _inventory: Inventory) -> Verdict:
    """The table has a copy in another Region; a table without copies has no list of them."""
    replicas = field_at(item, "configuration.replicas")
    others = [] if replicas is MISSING else [one for one in replicas if one.get("regionName") != item["awsRegion"]]
    return COMPLIANT if others else non_compliant("The table has no replica in another Region.")
