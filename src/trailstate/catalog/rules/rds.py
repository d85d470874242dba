"""Rules over RDS: instances, clusters, snapshots."""

from trailstate.compliance.form import is_false, require

INSTANCE = "AWS::RDS::DBInstance"

require("RDS_INSTANCE_PUBLIC_ACCESS_CHECK", INSTANCE, "configuration.publiclyAccessible", is_false)
