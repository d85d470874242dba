"""Rules over clusters of RDS, Aurora, Neptune and DocumentDB; a rule for one engine does not judge another's."""

from collections.abc import Iterable

from trailstate.catalog.reading import is_on, not_held
from trailstate.catalog.rules.rds import (
    DEFAULT_ADMINISTRATORS,
    administrator,
    engine_of,
    exports,
    storage_encrypted,
)
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

CLUSTER = "AWS::RDS::DBCluster"
_AURORA_MYSQL = ("aurora", "aurora-mysql")
_AURORA_POSTGRESQL = ("aurora-postgresql",)
_MYSQL = (*_AURORA_MYSQL, "mysql")
_POSTGRESQL = (*_AURORA_POSTGRESQL, "postgres")
_RDS = (*_MYSQL, *_POSTGRESQL)
_NEPTUNE, _DOCDB = ("neptune",), ("docdb",)

_FLAGS = (
    ("RDS_CLUSTER_DELETION_PROTECTION_ENABLED", _RDS, "deletionProtection", "The cluster can be deleted by mistake."),
    (
        "NEPTUNE_CLUSTER_DELETION_PROTECTION_ENABLED",
        _NEPTUNE,
        "deletionProtection",
        "The cluster can be deleted by mistake.",
    ),
    (
        "DOCDB_CLUSTER_DELETION_PROTECTION_ENABLED",
        _DOCDB,
        "deletionProtection",
        "The cluster can be deleted by mistake.",
    ),
    ("RDS_CLUSTER_MULTI_AZ_ENABLED", _RDS, "multiAZ", "The cluster is in one zone."),
    ("NEPTUNE_CLUSTER_MULTI_AZ_ENABLED", _NEPTUNE, "multiAZ", "The cluster is in one zone."),
    ("RDS_CLUSTER_IAM_AUTHENTICATION_ENABLED", _RDS, "iamdatabaseAuthenticationEnabled", "IAM authentication is off."),
    (
        "NEPTUNE_CLUSTER_IAM_DATABASE_AUTHENTICATION",
        _NEPTUNE,
        "iamdatabaseAuthenticationEnabled",
        "IAM authentication is off.",
    ),
    ("RDS_CLUSTER_ENCRYPTED_AT_REST", _RDS, "storageEncrypted", "The storage is not encrypted."),
    ("NEPTUNE_CLUSTER_COPY_TAGS_TO_SNAPSHOT_ENABLED", _NEPTUNE, "copyTagsToSnapshot", "Snapshots do not get the tags."),
    ("RDS_MYSQL_CLUSTER_COPY_TAGS_TO_SNAPSHOT_CHECK", _MYSQL, "copyTagsToSnapshot", "Snapshots do not get the tags."),
    (
        "RDS_PGSQL_CLUSTER_COPY_TAGS_TO_SNAPSHOT_CHECK",
        _POSTGRESQL,
        "copyTagsToSnapshot",
        "Snapshots do not get the tags.",
    ),
)
"""Rules that are one flag of clusters of some engines: (identifier, engines, flag, what is wrong when it is off)."""

_AUDIT_LOGS = (
    ("NEPTUNE_CLUSTER_CLOUDWATCH_LOG_EXPORT_ENABLED", _NEPTUNE, "audit"),
    ("DOCDB_CLUSTER_AUDIT_LOGGING_ENABLED", _DOCDB, "audit"),
    ("RDS_AURORA_MYSQL_AUDIT_LOGGING_ENABLED", _AURORA_MYSQL, "audit"),
    ("RDS_AURORA_POSTGRESQL_LOGS_TO_CLOUDWATCH", _AURORA_POSTGRESQL, "postgresql"),
)
"""Rules that are one log to export: (identifier, engines, log)."""


def _flag(identifier: str, engines: Iterable[str], name: str, sentence: str) -> None:
    @rule(identifier, CLUSTER)
    def judge(item: Item, _inventory: Inventory) -> Verdict:
        if engine_of(item) not in engines:
            return NOT_APPLICABLE
        return is_on(item, f"configuration.{name}", sentence)


def _log(identifier: str, engines: Iterable[str], log: str) -> None:
    @rule(identifier, CLUSTER)
    def judge(item: Item, _inventory: Inventory) -> Verdict:
        return exports(item, (log,)) if engine_of(item) in engines else NOT_APPLICABLE


for _row in _FLAGS:
    _flag(*_row)
for _each in _AUDIT_LOGS:
    _log(*_each)


@rule("NEPTUNE_CLUSTER_ENCRYPTED", CLUSTER)
def neptune_cluster_encrypted(
    item: Item, _inventory: Inventory, *, KmsKeyArns: tuple[str, ...] | None = None
) -> Verdict:
    """A Neptune cluster's storage is encrypted, with one of the keys if any are named."""
    return storage_encrypted(item, KmsKeyArns or ()) if engine_of(item) in _NEPTUNE else NOT_APPLICABLE


@rule("DOCDB_CLUSTER_ENCRYPTED", CLUSTER)
def docdb_cluster_encrypted(item: Item, _inventory: Inventory, *, kmsKeyArns: tuple[str, ...] | None = None) -> Verdict:
    """A DocumentDB cluster's storage is encrypted, with one of the keys if any are named."""
    return storage_encrypted(item, kmsKeyArns or ()) if engine_of(item) in _DOCDB else NOT_APPLICABLE


@rule("RDS_CLUSTER_DEFAULT_ADMIN_CHECK", CLUSTER)
def rds_cluster_default_admin_check(
    item: Item, _inventory: Inventory, *, validAdminUserNames: tuple[str, ...] | None = None
) -> Verdict:
    """The administrator has a name of its own, one of those listed if any are."""
    if engine_of(item) not in _RDS:
        return NOT_APPLICABLE
    return administrator(item, validAdminUserNames or (), DEFAULT_ADMINISTRATORS)


@rule("RDS_CLUSTER_BACKUP_RETENTION_CHECK", CLUSTER)
def rds_cluster_backup_retention_check(
    item: Item, _inventory: Inventory, *, minimumBackupRetentionPeriod: int = 7
) -> Verdict:
    """Backups of the cluster are kept for at least so many days."""
    return _kept(item, minimumBackupRetentionPeriod) if engine_of(item) in _RDS else NOT_APPLICABLE


@rule("NEPTUNE_CLUSTER_BACKUP_RETENTION_CHECK", CLUSTER)
def neptune_cluster_backup_retention_check(
    item: Item, _inventory: Inventory, *, minimumBackupRetentionPeriod: int | None = None
) -> Verdict:
    """Backups of a Neptune cluster are kept for at least so many days, 7 when no number is given."""
    return _kept(item, minimumBackupRetentionPeriod or 7) if engine_of(item) in _NEPTUNE else NOT_APPLICABLE


@rule("DOCDB_CLUSTER_BACKUP_RETENTION_CHECK", CLUSTER)
def docdb_cluster_backup_retention_check(
    item: Item, _inventory: Inventory, *, minimumBackupRetentionPeriod: int | None = None
) -> Verdict:
    """Backups of a DocumentDB cluster are kept for at least so many days, 7 when no number is given."""
    return _kept(item, minimumBackupRetentionPeriod or 7) if engine_of(item) in _DOCDB else NOT_APPLICABLE


def _kept(item: Item, least: int) -> Verdict:
    days = field_at(item, "configuration.backupRetentionPeriod")
    if days is MISSING:
        return not_held("configuration.backupRetentionPeriod")
    return (
        COMPLIANT if days >= least else non_compliant(f"Backups are kept for {days} days; expected at least {least}.")
    )


@rule("RDS_CLUSTER_AUTO_MINOR_VERSION_UPGRADE_ENABLE", CLUSTER)
def rds_cluster_auto_minor_version_upgrade_enable(item: Item, _inventory: Inventory) -> Verdict:
    """A multi-AZ DB cluster takes minor versions by itself. In Aurora that is for each instance to decide."""
    if engine_of(item) not in ("mysql", "postgres"):
        return NOT_APPLICABLE
    return is_on(item, "configuration.autoMinorVersionUpgrade", "Minor versions are not taken automatically.")


@rule("AURORA_MYSQL_BACKTRACKING_ENABLED", CLUSTER)
def aurora_mysql_backtracking_enabled(
    item: Item, _inventory: Inventory, *, BacktrackWindowInHours: float | None = None
) -> Verdict:
    """An Aurora MySQL cluster can be wound back; for at least so many hours, if a number is given."""
    if engine_of(item) not in _AURORA_MYSQL:
        return NOT_APPLICABLE
    seconds = field_at(item, "configuration.backtrackWindow")
    hours = 0 if seconds is MISSING else seconds / 3600
    if not hours:
        return non_compliant("The cluster cannot be wound back.")
    if BacktrackWindowInHours and hours < BacktrackWindowInHours:
        return non_compliant(f"The cluster can be wound back {hours:g} hours; expected {BacktrackWindowInHours:g}.")
    return COMPLIANT
