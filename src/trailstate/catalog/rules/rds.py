"""Rules over RDS instances: encryption, reach, backups, logs, upkeep, administrators."""

from collections.abc import Iterable, Mapping

from trailstate.catalog.reading import is_key, is_on, listed, not_held
from trailstate.compliance.form import (
    COMPLIANT,
    MISSING,
    NOT_APPLICABLE,
    Inventory,
    Item,
    Verdict,
    field_at,
    is_false,
    is_true,
    non_compliant,
    require,
    rule,
)

INSTANCE = "AWS::RDS::DBInstance"
DEFAULT_ADMINISTRATORS = ("admin", "postgres")
_IN_USE = frozenset({"available", "backing-up", "storage-optimization", "storage-full"})
_CLUSTERED = ("aurora", "docdb", "neptune")
_IAM_ENGINES = ("mysql", "mariadb", "postgres", "aurora")
_LOGS: Mapping[str, frozenset[str]] = {
    "aurora-postgresql": frozenset({"postgresql"}),
    "aurora": frozenset({"audit", "error", "general", "slowquery"}),
    "mariadb": frozenset({"audit", "error", "general", "slowquery"}),
    "mysql": frozenset({"audit", "error", "general", "slowquery"}),
    "oracle": frozenset({"alert", "audit", "trace", "listener"}),
    "postgres": frozenset({"postgresql", "upgrade"}),
    "sqlserver": frozenset({"error", "agent"}),
}
"""Logs an instance is expected to export, by the beginning of its engine's name, the first that fits."""

require("RDS_INSTANCE_PUBLIC_ACCESS_CHECK", INSTANCE, "configuration.publiclyAccessible", is_false)
require("RDS_AUTOMATIC_MINOR_VERSION_UPGRADE_ENABLED", INSTANCE, "configuration.autoMinorVersionUpgrade", is_true)


def engine_of(item: Item) -> str:
    return str(item["configuration"].get("engine") or "")


@rule("RDS_STORAGE_ENCRYPTED", INSTANCE, looks_at=("configuration.storageEncrypted",))
def rds_storage_encrypted(item: Item, _inventory: Inventory, *, kmsKeyId: str | None = None) -> Verdict:
    """The instance's storage is encrypted, with the key that is named if one is."""
    return storage_encrypted(item, (kmsKeyId,) if kmsKeyId else ())


def storage_encrypted(item: Item, keys: tuple[str, ...]) -> Verdict:
    """Whether an instance's or a cluster's storage is encrypted, with one of the keys if any are given."""
    encrypted, key = field_at(item, "configuration.storageEncrypted"), item["configuration"].get("kmsKeyId")
    if encrypted is MISSING:
        return not_held("configuration.storageEncrypted")
    if not encrypted:
        return non_compliant("The storage is not encrypted.")
    if keys and not is_key(key, keys):
        return non_compliant(f"The storage is encrypted with '{key}'; expected {listed(keys)}.")
    return COMPLIANT


@rule("RDS_MULTI_AZ_SUPPORT", INSTANCE)
def rds_multi_az_support(item: Item, _inventory: Inventory) -> Verdict:
    """The instance has a standby in another zone. Members of clusters are not judged: their cluster is."""
    if engine_of(item).startswith(_CLUSTERED):
        return NOT_APPLICABLE
    return is_on(item, "configuration.multiAZ", "The instance has no standby in another zone.")


@rule("RDS_INSTANCE_DELETION_PROTECTION_ENABLED", INSTANCE)
def rds_instance_deletion_protection_enabled(
    item: Item, _inventory: Inventory, *, databaseEngines: tuple[str, ...] | None = None
) -> Verdict:
    """The instance cannot be deleted by mistake; with a list of engines, only theirs are judged."""
    if databaseEngines and engine_of(item) not in databaseEngines:
        return NOT_APPLICABLE
    return is_on(item, "configuration.deletionProtection", "The instance is not protected from deletion.")


@rule("RDS_INSTANCE_IAM_AUTHENTICATION_ENABLED", INSTANCE)
def rds_instance_iam_authentication_enabled(item: Item, _inventory: Inventory) -> Verdict:
    """Users can sign in to the database with IAM. Engines that cannot do that are not judged."""
    if not engine_of(item).startswith(_IAM_ENGINES):
        return NOT_APPLICABLE
    return is_on(item, "configuration.iAMDatabaseAuthenticationEnabled", "IAM database authentication is off.")


@rule("RDS_ENHANCED_MONITORING_ENABLED", INSTANCE)
def rds_enhanced_monitoring_enabled(
    item: Item, _inventory: Inventory, *, monitoringInterval: int | None = None
) -> Verdict:
    """The instance is monitored in detail, every so many seconds if a number is given."""
    interval = field_at(item, "configuration.monitoringInterval")
    if interval is MISSING or not interval:
        return non_compliant("Enhanced monitoring is off.")
    if monitoringInterval and interval != monitoringInterval:
        return non_compliant(f"The monitoring interval is {interval} seconds; expected {monitoringInterval}.")
    return COMPLIANT


@rule("RDS_INSTANCE_DEFAULT_ADMIN_CHECK", INSTANCE)
def rds_instance_default_admin_check(
    item: Item, _inventory: Inventory, *, validAdminUserNames: tuple[str, ...] | None = None
) -> Verdict:
    """The administrator has a name of its own, one of those listed if any are. Members of clusters are not judged."""
    if engine_of(item).startswith(_CLUSTERED):
        return NOT_APPLICABLE
    return administrator(item, validAdminUserNames or (), DEFAULT_ADMINISTRATORS)


def administrator(item: Item, allowed: tuple[str, ...], defaults: tuple[str, ...]) -> Verdict:
    """Whether a database's master user has a name that is not the one everybody knows."""
    name = field_at(item, "configuration.masterUsername")
    if name is MISSING:
        return not_held("configuration.masterUsername")
    if allowed:
        return COMPLIANT if name in allowed else non_compliant(f"The administrator '{name}' is not among the listed.")
    return non_compliant(f"The administrator has the default name '{name}'.") if name in defaults else COMPLIANT


@rule("DB_INSTANCE_BACKUP_ENABLED", INSTANCE)
def db_instance_backup_enabled(
    item: Item,
    _inventory: Inventory,
    *,
    backupRetentionPeriod: int | None = None,
    backupRetentionMinimum: int | None = None,
    preferredBackupWindow: str | None = None,
    checkReadReplicas: bool | None = None,
) -> Verdict:
    """The instance is backed up; for so many days, at least for so many, or in the window, if those are given.

    Read replicas are judged unless the parameter says false.
    """
    database = item["configuration"]
    if checkReadReplicas is False and database.get("readReplicaSourceDBInstanceIdentifier"):
        return NOT_APPLICABLE
    days = field_at(item, "configuration.backupRetentionPeriod")
    if days is MISSING:
        return not_held("configuration.backupRetentionPeriod")
    window = database.get("preferredBackupWindow")
    if not days:
        return non_compliant("Automatic backups are off.")
    if backupRetentionPeriod and days != backupRetentionPeriod:
        return non_compliant(f"Backups are kept for {days} days; expected {backupRetentionPeriod}.")
    if backupRetentionMinimum and days < backupRetentionMinimum:
        return non_compliant(f"Backups are kept for {days} days; expected at least {backupRetentionMinimum}.")
    if preferredBackupWindow and window != preferredBackupWindow:
        return non_compliant(f"Backups are made in '{window}'; expected '{preferredBackupWindow}'.")
    return COMPLIANT


@rule("RDS_LOGGING_ENABLED", INSTANCE)
def rds_logging_enabled(
    item: Item, _inventory: Inventory, *, additionalLogs: Mapping[str, str] | None = None
) -> Verdict:
    """The instance exports the logs of its engine, and those added for the engine by the parameter.

    An instance that is not in use is not judged, nor is an engine without known logs.
    """
    engine = engine_of(item)
    if item["configuration"].get("dBInstanceStatus") not in _IN_USE:
        return NOT_APPLICABLE
    wanted = next((logs for beginning, logs in _LOGS.items() if engine.startswith(beginning)), frozenset())
    more = {log for name, log in (additionalLogs or {}).items() if engine.startswith(name)}
    return exports(item, wanted | more) if wanted | more else NOT_APPLICABLE


def exports(item: Item, wanted: Iterable[str]) -> Verdict:
    """Whether an instance or cluster sends those logs to CloudWatch Logs; one that sends none has no list."""
    found = field_at(item, "configuration.enabledCloudwatchLogsExports")
    lacking = sorted(set(wanted) - set(() if found is MISSING else found))
    return non_compliant(f"The logs {listed(lacking)} are not exported.") if lacking else COMPLIANT


@rule("RDS_POSTGRESQL_LOGS_TO_CLOUDWATCH", INSTANCE)
def rds_postgresql_logs_to_cloudwatch(
    item: Item, _inventory: Inventory, *, logTypes: tuple[str, ...] | None = None
) -> Verdict:
    """A PostgreSQL instance exports its logs, or those that are named."""
    if engine_of(item) != "postgres":
        return NOT_APPLICABLE
    return exports(item, logTypes or ("postgresql", "upgrade"))


@rule("RDS_SQL_SERVER_LOGS_TO_CLOUDWATCH", INSTANCE)
def rds_sql_server_logs_to_cloudwatch(
    item: Item, _inventory: Inventory, *, logTypes: tuple[str, ...] | None = None
) -> Verdict:
    """An SQL Server instance exports its logs, or those that are named."""
    if not engine_of(item).startswith("sqlserver"):
        return NOT_APPLICABLE
    return exports(item, logTypes or ("agent", "error"))


@rule("MARIADB_PUBLISH_LOGS_TO_CLOUDWATCH_LOGS", INSTANCE)
def mariadb_publish_logs_to_cloudwatch_logs(
    item: Item, _inventory: Inventory, *, logTypes: str | None = None
) -> Verdict:
    """A MariaDB instance exports its logs, or those that are named."""
    if engine_of(item) != "mariadb":
        return NOT_APPLICABLE
    named = [log.strip() for log in (logTypes or "audit,error,general,slowquery").split(",")]
    return exports(item, named)


@rule("RDS_DB_SECURITY_GROUP_NOT_ALLOWED", "AWS::RDS::DBSecurityGroup")
def rds_db_security_group_not_allowed(item: Item, _inventory: Inventory) -> Verdict:
    """There is no DB security group, a thing of the time before VPCs, but the default one."""
    name = field_at(item, "configuration.dBSecurityGroupName")
    if name is MISSING:
        return not_held("configuration.dBSecurityGroupName")
    return COMPLIANT if name == "default" else non_compliant(f"The DB security group '{name}' is not the default one.")
