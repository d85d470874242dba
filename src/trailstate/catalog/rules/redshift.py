"""Rules over Redshift clusters, their parameters and subnets."""

from trailstate.catalog.reading import is_key, listed, not_held
from trailstate.catalog.rules.rds import administrator
from trailstate.compliance.form import (
    COMPLIANT,
    MISSING,
    Inventory,
    Item,
    Verdict,
    field_at,
    insufficient_data,
    is_false,
    is_true,
    non_compliant,
    require,
    rule,
)

CLUSTER = "AWS::Redshift::Cluster"
PARAMETERS = "AWS::Redshift::ClusterParameterGroup"
_LOGGING = "supplementaryConfiguration.LoggingStatus"

require("REDSHIFT_CLUSTER_PUBLIC_ACCESS_CHECK", CLUSTER, "configuration.publiclyAccessible", is_false)
require("REDSHIFT_ENHANCED_VPC_ROUTING_ENABLED", CLUSTER, "configuration.enhancedVpcRouting", is_true)


@rule("REDSHIFT_CLUSTER_CONFIGURATION_CHECK", CLUSTER)
def redshift_cluster_configuration_check(
    item: Item,
    _inventory: Inventory,
    *,
    clusterDbEncrypted: bool,
    loggingEnabled: bool,
    nodeTypes: tuple[str, ...] = ("dc1.large",),
) -> Verdict:
    """Encryption and logging of the cluster are as asked, and its nodes are of one of the types."""
    encrypted, logged = field_at(item, "configuration.encrypted"), field_at(item, f"{_LOGGING}.loggingEnabled")
    if encrypted is MISSING or logged is MISSING:
        return not_held("configuration.encrypted" if encrypted is MISSING else _LOGGING)
    if encrypted is not clusterDbEncrypted:
        return non_compliant(f"Encryption is {_switch(encrypted)}; expected {_switch(clusterDbEncrypted)}.")
    if logged is not loggingEnabled:
        return non_compliant(f"Audit logging is {_switch(logged)}; expected {_switch(loggingEnabled)}.")
    node = item["configuration"].get("nodeType")
    return COMPLIANT if node in nodeTypes else non_compliant(f"Nodes are '{node}'; expected {listed(nodeTypes)}.")


def _switch(on: bool) -> str:
    return "on" if on else "off"


@rule("REDSHIFT_AUDIT_LOGGING_ENABLED", CLUSTER)
def redshift_audit_logging_enabled(
    item: Item, _inventory: Inventory, *, bucketNames: tuple[str, ...] | None = None
) -> Verdict:
    """The cluster logs who connects and what they ask, to one of the buckets if any are named."""
    status = field_at(item, _LOGGING)
    if status is MISSING:
        return not_held(_LOGGING)
    if status.get("loggingEnabled") is not True:
        return non_compliant("Audit logging is off.")
    bucket = status.get("bucketName")
    if bucketNames and bucket not in bucketNames:
        return non_compliant(f"Audit logs go to '{bucket}', which is not listed.")
    return COMPLIANT


@rule("REDSHIFT_BACKUP_ENABLED", CLUSTER)
def redshift_backup_enabled(
    item: Item, _inventory: Inventory, *, MinRetentionPeriod: int | None = None, MaxRetentionPeriod: int | None = None
) -> Verdict:
    """Snapshots of the cluster are made by themselves and kept for the days between the given ones."""
    days = field_at(item, "configuration.automatedSnapshotRetentionPeriod")
    if days is MISSING:
        return not_held("configuration.automatedSnapshotRetentionPeriod")
    if not days:
        return non_compliant("Automatic snapshots are off.")
    if days < (MinRetentionPeriod or 0):
        return non_compliant(f"Snapshots are kept for {days} days; expected at least {MinRetentionPeriod}.")
    if MaxRetentionPeriod and days > MaxRetentionPeriod:
        return non_compliant(f"Snapshots are kept for {days} days; expected at most {MaxRetentionPeriod}.")
    return COMPLIANT


@rule("REDSHIFT_CLUSTER_KMS_ENABLED", CLUSTER)
def redshift_cluster_kms_enabled(
    item: Item, _inventory: Inventory, *, kmsKeyArns: tuple[str, ...] | None = None
) -> Verdict:
    """The cluster is encrypted with KMS, by one of the keys if any are named."""
    if field_at(item, "configuration.encrypted") is MISSING:
        return not_held("configuration.encrypted")
    key = item["configuration"].get("kmsKeyId")
    if not item["configuration"]["encrypted"] or not key:
        return non_compliant("The cluster is not encrypted with KMS.")
    if kmsKeyArns and not is_key(key, kmsKeyArns):
        return non_compliant(f"The cluster is encrypted with '{key}'; expected one of {listed(kmsKeyArns)}.")
    return COMPLIANT


@rule("REDSHIFT_CLUSTER_MAINTENANCESETTINGS_CHECK", CLUSTER)
def redshift_cluster_maintenancesettings_check(
    item: Item,
    _inventory: Inventory,
    *,
    allowVersionUpgrade: bool,
    preferredMaintenanceWindow: str | None = None,
    automatedSnapshotRetentionPeriod: int = 1,
) -> Verdict:
    """Upgrades and the maintenance window are as asked, and snapshots are kept for so many days at least."""
    cluster = item["configuration"]
    for name in ("allowVersionUpgrade", "automatedSnapshotRetentionPeriod"):
        if cluster.get(name) is None:
            return not_held(f"configuration.{name}")
    if cluster["allowVersionUpgrade"] is not allowVersionUpgrade:
        return non_compliant(f"Version upgrades are {_switch(cluster['allowVersionUpgrade'])}.")
    window, days = cluster.get("preferredMaintenanceWindow"), cluster["automatedSnapshotRetentionPeriod"]
    if preferredMaintenanceWindow and window != preferredMaintenanceWindow:
        return non_compliant(f"Maintenance is in '{window}'; expected '{preferredMaintenanceWindow}'.")
    if days < automatedSnapshotRetentionPeriod:
        return non_compliant(f"Snapshots are kept for {days} days; expected {automatedSnapshotRetentionPeriod}.")
    return COMPLIANT


@rule("REDSHIFT_DEFAULT_ADMIN_CHECK", CLUSTER)
def redshift_default_admin_check(
    item: Item, _inventory: Inventory, *, validAdminUserNames: tuple[str, ...] | None = None
) -> Verdict:
    """The administrator has a name of its own, one of those listed if any are."""
    return administrator(item, validAdminUserNames or (), ("awsuser",))


@rule("REDSHIFT_DEFAULT_DB_NAME_CHECK", CLUSTER)
def redshift_default_db_name_check(
    item: Item, _inventory: Inventory, *, validDatabaseNames: tuple[str, ...] | None = None
) -> Verdict:
    """The database has a name of its own, one of those listed if any are."""
    name = field_at(item, "configuration.dBName")
    if name is MISSING:
        return not_held("configuration.dBName")
    if validDatabaseNames:
        return COMPLIANT if name in validDatabaseNames else non_compliant(f"The name '{name}' is not listed.")
    return non_compliant("The database has the default name 'dev'.") if name == "dev" else COMPLIANT


@rule("REDSHIFT_CLUSTER_MULTI_AZ_ENABLED", CLUSTER)
def redshift_cluster_multi_az_enabled(item: Item, _inventory: Inventory) -> Verdict:
    """The cluster runs in several zones."""
    state = field_at(item, "configuration.multiAZ")
    if state is MISSING:
        return not_held("configuration.multiAZ")
    on = str(state).lower() in ("enabled", "true")
    return COMPLIANT if on else non_compliant("The cluster runs in one zone.")


@rule("REDSHIFT_REQUIRE_TLS_SSL", (CLUSTER, PARAMETERS), also_on=(PARAMETERS,))
def redshift_require_tls_ssl(item: Item, inventory: Inventory) -> Verdict:
    """Clients must connect with TLS: the parameter require_ssl is true, in every parameter group of a cluster."""
    if item["resourceType"] == PARAMETERS:
        return _requires_tls(item)
    groups = field_at(item, "configuration.clusterParameterGroups")
    if groups is MISSING or not groups:
        return not_held("configuration.clusterParameterGroups")
    for name in (one.get("parameterGroupName") for one in groups):
        group = _group(inventory, name)
        unknown = insufficient_data(f"The parameter group '{name}' is not known here.")
        verdict = unknown if group is None else _requires_tls(group)
        if verdict != COMPLIANT:
            return verdict
    return COMPLIANT


def _group(inventory: Inventory, name: str | None) -> Item | None:
    known = inventory.items(PARAMETERS)
    return next((one for one in known if one["configuration"].get("parameterGroupName") == name), None)


def _requires_tls(group: Item) -> Verdict:
    parameters = field_at(group, "supplementaryConfiguration.Parameters")
    if parameters is MISSING:
        return not_held("supplementaryConfiguration.Parameters")
    values = {one.get("parameterName"): str(one.get("parameterValue")).lower() for one in parameters}
    return COMPLIANT if values.get("require_ssl") == "true" else non_compliant("The parameter require_ssl is not true.")


@rule("REDSHIFT_CLUSTER_SUBNET_GROUP_MULTI_AZ", "AWS::Redshift::ClusterSubnetGroup")
def redshift_cluster_subnet_group_multi_az(item: Item, _inventory: Inventory) -> Verdict:
    """The subnet group covers more than one zone."""
    subnets = field_at(item, "configuration.subnets")
    if subnets is MISSING:
        return not_held("configuration.subnets")
    zones = {field_at(one, "subnetAvailabilityZone.name") for one in subnets}
    return COMPLIANT if len(zones) > 1 else non_compliant("The subnet group covers one zone.")
