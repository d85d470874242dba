"""Rules over what keeps data and secrets: EFS, Backup, Athena, Secrets Manager, ACM."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from trailstate.catalog.reading import days_since, is_key, listed, not_held
from trailstate.compliance.form import (
    COMPLIANT,
    MISSING,
    NOT_APPLICABLE,
    Inventory,
    Item,
    Test,
    Verdict,
    equals,
    field_at,
    insufficient_data,
    is_true,
    non_compliant,
    require,
    rule,
)
from trailstate.values.statements import Statement, statements

FILE_SYSTEM, ACCESS_POINT = "AWS::EFS::FileSystem", "AWS::EFS::AccessPoint"
WORKGROUP = "AWS::Athena::WorkGroup"
SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 (a resource type)
CERTIFICATE = "AWS::ACM::Certificate"
VAULT, PLAN = "AWS::Backup::BackupVault", "AWS::Backup::BackupPlan"
_WORKGROUP = "configuration.WorkGroupConfiguration"
_DELETES = ("backup:DeleteRecoveryPoint", "backup:UpdateRecoveryPointLifecycle", "backup:PutBackupVaultAccessPolicy")

require("EFS_AUTOMATIC_BACKUPS_ENABLED", FILE_SYSTEM, "configuration.BackupPolicy.Status", equals("ENABLED"))
require(
    "ATHENA_WORKGROUP_ENCRYPTED_AT_REST",
    WORKGROUP,
    f"{_WORKGROUP}.ResultConfiguration.EncryptionConfiguration.EncryptionOption",
    Test(bool, "given"),
    absent=non_compliant("Results of queries are not encrypted."),
)
require(
    "ATHENA_WORKGROUP_ENFORCE_WORKGROUP_CONFIGURATION",
    WORKGROUP,
    f"{_WORKGROUP}.EnforceWorkGroupConfiguration",
    is_true,
)
require("ATHENA_WORKGROUP_LOGGING_ENABLED", WORKGROUP, f"{_WORKGROUP}.PublishCloudWatchMetricsEnabled", is_true)
require(
    "ATHENA_WORKGROUP_ENGINE_VERSION_AUTO_UPGRADE",
    WORKGROUP,
    f"{_WORKGROUP}.EngineVersion.SelectedEngineVersion",
    equals("AUTO"),
)
require(
    "ACM_CERTIFICATE_TRANSPARENT_LOGGING_ENABLED",
    CERTIFICATE,
    "configuration.options.certificateTransparencyLoggingPreference",
    equals("ENABLED"),
)


@rule("EFS_FILESYSTEM_CT_ENCRYPTED", FILE_SYSTEM)
def efs_filesystem_ct_encrypted(item: Item, _inventory: Inventory, *, kmsKeyArns: str | None = None) -> Verdict:
    """The file system is encrypted, with one of the keys if any are named."""
    return _encrypted(item, kmsKeyArns)


@rule("EFS_ENCRYPTED_CHECK", FILE_SYSTEM)
def efs_encrypted_check(item: Item, _inventory: Inventory, *, KmsKeyId: str | None = None) -> Verdict:
    """The file system is encrypted, with the key that is named if one is."""
    return _encrypted(item, KmsKeyId)


def _encrypted(item: Item, keys: str | None) -> Verdict:
    encrypted, key = field_at(item, "configuration.Encrypted"), item["configuration"].get("KmsKeyId")
    wanted = [one.strip() for one in (keys or "").split(",") if one.strip()]
    if encrypted is MISSING:
        return not_held("configuration.Encrypted")
    if not encrypted:
        return non_compliant("The file system is not encrypted.")
    if wanted and not is_key(key, wanted):
        return non_compliant(f"The file system is encrypted with '{key}'; expected one of {listed(wanted)}.")
    return COMPLIANT


@rule("EFS_ACCESS_POINT_ENFORCE_USER_IDENTITY", ACCESS_POINT)
def efs_access_point_enforce_user_identity(
    item: Item,
    _inventory: Inventory,
    *,
    approvedUids: tuple[str, ...] | None = None,
    approvedGids: tuple[str, ...] | None = None,
) -> Verdict:
    """Whoever comes by the access point acts as one POSIX user, of the approved ids if any are named."""
    user = field_at(item, "configuration.PosixUser")
    if user is MISSING:
        return non_compliant("The access point enforces no user.")
    for name, approved in (("Uid", approvedUids), ("Gid", approvedGids)):
        if approved and str(user.get(name)) not in approved:
            return non_compliant(f"The access point's {name} is {user.get(name)}, which is not approved.")
    return COMPLIANT


@rule("EFS_ACCESS_POINT_ENFORCE_ROOT_DIRECTORY", ACCESS_POINT)
def efs_access_point_enforce_root_directory(
    item: Item, _inventory: Inventory, *, approvedDirectories: tuple[str, ...] | None = None
) -> Verdict:
    """The access point shows a directory below the file system's root, an approved one if any are named."""
    path = field_at(item, "configuration.RootDirectory.Path")
    if path is MISSING or path == "/":
        return non_compliant("The access point shows the whole file system.")
    if approvedDirectories and path not in approvedDirectories:
        return non_compliant(f"The access point shows '{path}', which is not approved.")
    return COMPLIANT


# ---- secrets and certificates ----


@rule("SECRETSMANAGER_USING_CMK", SECRET)
def secretsmanager_using_cmk(
    item: Item, _inventory: Inventory, *, kmsKeyArns: tuple[str, ...] | None = None
) -> Verdict:
    """The secret is encrypted with a customer's key, with one of those named if any are; without a word it is AWS's."""
    key = item["configuration"].get("KMSKeyId") or item["configuration"].get("KmsKeyId")
    if not key or key.endswith("alias/aws/secretsmanager"):
        return non_compliant("The secret is encrypted with AWS's own key.")
    if kmsKeyArns and not is_key(key, kmsKeyArns):
        return non_compliant(f"The secret is encrypted with '{key}'; expected one of {listed(kmsKeyArns)}.")
    return COMPLIANT


@rule("SECRETSMANAGER_ROTATION_ENABLED_CHECK", SECRET)
def secretsmanager_rotation_enabled_check(
    item: Item,
    _inventory: Inventory,
    *,
    maximumAllowedRotationFrequency: int | None = None,
    maximumAllowedRotationFrequencyInHours: int | None = None,
) -> Verdict:
    """The secret is changed by itself; every so many days or hours at the latest, if a number is given."""
    if item["configuration"].get("RotationEnabled") is not True:
        return non_compliant("The secret is not rotated.")
    most = maximumAllowedRotationFrequencyInHours or 24 * (maximumAllowedRotationFrequency or 0)
    if not most:
        return COMPLIANT
    hours = _hours_between(item["configuration"].get("RotationRules") or {})
    if hours is None:
        return insufficient_data("The item does not say how often the secret is rotated in days or hours.")
    return COMPLIANT if hours <= most else non_compliant(f"The secret is rotated every {hours} hours; at most {most}.")


def _hours_between(rules: Mapping[str, Any]) -> int | None:
    """How often the rules rotate: a number of days or hours, or a rate of one or the other."""
    if rules.get("AutomaticallyAfterHours"):
        return int(rules["AutomaticallyAfterHours"])
    if rules.get("AutomaticallyAfterDays"):
        return int(rules["AutomaticallyAfterDays"]) * 24
    rate = re.fullmatch(
        r"rate\((\d+) (day|hour)s?\)", rules.get("ScheduleExpression") or rules.get("RotationScheduleExpression") or ""
    )
    return None if rate is None else int(rate[1]) * (24 if rate[2] == "day" else 1)


@rule("ACM_CERTIFICATE_EXPIRATION_CHECK", CERTIFICATE)
def acm_certificate_expiration_check(item: Item, inventory: Inventory, *, daysToExpiration: int = 14) -> Verdict:
    """The certificate is valid for longer than the days given. One that was never issued is not judged."""
    if item["configuration"].get("status") not in (None, "ISSUED", "EXPIRED"):
        return NOT_APPLICABLE
    end = field_at(item, "configuration.notAfter")
    if end is MISSING:
        return not_held("configuration.notAfter")
    left = -days_since(inventory, _iso(end))
    return (
        COMPLIANT if left > daysToExpiration else non_compliant(f"The certificate is valid for {int(left)} days more.")
    )


def _iso(moment: str | float) -> str:
    """Items hold times as ISO 8601 text or as milliseconds."""
    return moment if isinstance(moment, str) else datetime.fromtimestamp(moment / 1000, UTC).isoformat()


@rule("ACM_CERTIFICATE_RSA_CHECK", CERTIFICATE)
def acm_certificate_rsa_check(item: Item, _inventory: Inventory) -> Verdict:
    """An RSA certificate's key has 2048 bits at least. Certificates of other algorithms are not judged."""
    algorithm = field_at(item, "configuration.keyAlgorithm")
    if algorithm is MISSING:
        return not_held("configuration.keyAlgorithm")
    bits = re.fullmatch(r"RSA[-_](\d+)", algorithm)
    if bits is None:
        return NOT_APPLICABLE
    return COMPLIANT if int(bits[1]) >= 2048 else non_compliant(f"The key is {algorithm}; expected 2048 bits or more.")


# ---- backups ----


@rule("BACKUP_RECOVERY_POINT_MANUAL_DELETION_DISABLED", VAULT)
def backup_recovery_point_manual_deletion_disabled(
    item: Item, _inventory: Inventory, *, principalArnList: tuple[str, ...] | None = None
) -> Verdict:
    """The vault's policy refuses everyone to delete or shorten what it keeps; the principals named may be excepted."""
    policy = field_at(item, "configuration.AccessPolicy")
    if policy is MISSING:
        return non_compliant("The vault has no policy.")
    refused = [one for one in statements(policy) if _refuses_all(one, principalArnList or ())]
    lacking = [action for action in _DELETES if not any(one.covers_action(action) for one in refused)]
    return non_compliant(f"The vault's policy does not refuse {listed(lacking)}.") if lacking else COMPLIANT


def _refuses_all(statement: Statement, excepted: tuple[str, ...]) -> bool:
    """Refused to everyone; the only condition may except principals, of those given."""
    exceptions = [
        operator.lower().startswith(("stringnot", "arnnot"))
        and key.lower() == "aws:principalarn"
        and set(values) <= set(excepted)
        for operator, key, values in statement.conditions
    ]
    return not statement.allows and statement.everyone and all(exceptions)


@rule("BACKUP_PLAN_MIN_FREQUENCY_AND_MIN_RETENTION_CHECK", PLAN)
def backup_plan_min_frequency_and_min_retention_check(
    item: Item,
    _inventory: Inventory,
    *,
    requiredFrequencyUnit: str = "days",
    requiredFrequencyValue: int = 1,
    requiredRetentionDays: int = 35,
) -> Verdict:
    """A rule of the plan makes backups often enough and keeps them long enough."""
    rules = field_at(item, "configuration.BackupPlan.BackupPlanRule")
    if rules is MISSING:
        return not_held("configuration.BackupPlan.BackupPlanRule")
    most = requiredFrequencyValue * (1 if requiredFrequencyUnit == "hours" else 24)
    kept = [one for one in rules if _days_kept(one) >= requiredRetentionDays]
    hours = [_hours_apart(str(one.get("ScheduleExpression") or "")) for one in kept]
    if any(one is not None and one <= most for one in hours):
        return COMPLIANT
    if None in hours:
        return insufficient_data("How often a rule of the plan makes backups cannot be read from its schedule.")
    return non_compliant(f"No rule makes backups every {most} hours and keeps them {requiredRetentionDays} days.")


def _days_kept(backup_rule: Mapping[str, Any]) -> float:
    """Backups without an end are kept for ever."""
    days = (backup_rule.get("Lifecycle") or {}).get("DeleteAfterDays")
    return float("inf") if days in (None, -1) else float(days)


def _hours_apart(schedule: str) -> int | None:
    """The longest time between two runs of a schedule, for the plain forms; None for one that needs a calendar."""
    rate = re.fullmatch(r"rate\((\d+) (hour|day)s?\)", schedule)
    if rate:
        return int(rate[1]) * (24 if rate[2] == "day" else 1)
    cron = re.fullmatch(r"cron\((\d+) (\S+) (\S+) (\S+) (\S+) \*\)", schedule)
    if cron is None or cron[4] != "*":
        return None
    return _hours_of_cron(cron[2], cron[3], cron[5])


def _hours_of_cron(hour: str, day: str, weekday: str) -> int | None:
    """`hour` may be `*`, a number or a step; the day either every day or, once a week, one named weekday."""
    every_day = day in ("*", "?") and weekday in ("*", "?")
    step = re.fullmatch(r"(?:\*|\d+)/(\d+)", hour)
    if every_day:
        return 1 if hour == "*" else int(step[1]) if step else 24 if hour.isdigit() else None
    once_a_week = day in ("*", "?") and re.fullmatch(r"[1-7]|[A-Z]{3}", weekday) and hour.isdigit()
    return 7 * 24 if once_a_week else None
