"""What keeps and answers: Secrets Manager secret, AWS Backup vault and plan, Athena workgroup."""

from typing import Any

from trailstate.catalog.touch import REQUEST, RESPONSE, asked, at, named_after
from trailstate.configuration.form import REGIONAL, Describe, Look, Relation, ResourceType, Seen

NO_SECRET = ("ResourceNotFoundException",)

SECRET = ResourceType(
    name="AWS::SecretsManager::Secret",
    listing=Describe("secretsmanager", "ListSecrets", at="SecretList[]"),
    key="ARN",
    describe=Describe("secretsmanager", "DescribeSecret", {"SecretId": "{key}"}, "", NO_SECRET),
    resource_name="{Name}",
    arn="{ARN}",
    id="{ARN}",
    created="{CreatedDate}",
    zone=REGIONAL,
    relations=(
        Relation(
            "AWS::Lambda::Function",
            "Is associated with ",
            at="RotationLambdaARN",
            read=lambda text: text.split(":function:", 1)[-1],
        ),
        Relation("AWS::KMS::Key", "Is associated with ", at="KmsKeyId", read=lambda text: text.rsplit("/", 1)[-1]),
    ),
    touched_by=at(f"{RESPONSE}.arn", "CreateSecret")
    | at(
        (f"{REQUEST}.secretId",),
        "CancelRotateSecret",
        "DeleteResourcePolicy",
        "DeleteSecret",
        "PutResourcePolicy",
        "PutSecretValue",
        "RemoveRegionsFromReplication",
        "ReplicateSecretToRegions",
        "RestoreSecret",
        "RotateSecret",
        "TagResource",
        "UntagResource",
        "UpdateSecret",
        "UpdateSecretVersionStage",
    ),
)

NO_VAULT = ("ResourceNotFoundException",)


def _vault(look: Look) -> Any:
    vault = look.ask(Describe("backup", "DescribeBackupVault", {"BackupVaultName": "{key}"}, "", NO_VAULT))
    if vault is None:
        return None
    days = {name: vault[name] for name in ("MinRetentionDays", "MaxRetentionDays") if vault.get(name) is not None}
    return {**vault, "LockConfiguration": days}


VAULT = ResourceType(
    name="AWS::Backup::BackupVault",
    listing=Describe("backup", "ListBackupVaults", at="BackupVaultList[]"),
    key="BackupVaultName",
    describe=_vault,
    resource_name="{key}",
    arn="{BackupVaultArn}",
    created="{CreationDate}",
    zone=REGIONAL,
    keeps=("LockConfiguration",),
    touched_by=asked(
        "backupVaultName",
        "CreateBackupVault",
        "DeleteBackupVault",
        "DeleteBackupVaultAccessPolicy",
        "DeleteBackupVaultLockConfiguration",
        "DeleteBackupVaultNotifications",
        "PutBackupVaultAccessPolicy",
        "PutBackupVaultLockConfiguration",
        "PutBackupVaultNotifications",
    )
    | asked("resourceArn", "TagResource", "UntagResource"),
    read_key=named_after(":backup-vault:"),
)


def _plan(look: Look) -> Any:
    """A deleted plan is still answered, with the date of its end."""
    plan = look.ask(Describe("backup", "GetBackupPlan", {"BackupPlanId": "{key}"}, "", NO_VAULT))
    return None if plan is None or plan.get("DeletionDate") else plan


PLAN = ResourceType(
    name="AWS::Backup::BackupPlan",
    listing=Describe("backup", "ListBackupPlans", at="BackupPlansList[]"),
    key="BackupPlanId",
    describe=_plan,
    more={"Tags": Describe("backup", "ListTags", {"ResourceArn": "{BackupPlanArn}"}, "Tags", NO_VAULT)},
    resource_name="{BackupPlan.BackupPlanName}",
    arn="{BackupPlanArn}",
    created="{CreationDate}",
    zone=REGIONAL,
    renames={"BackupPlan.Rules": "BackupPlanRule", "BackupPlan.Rules.TargetBackupVaultName": "TargetBackupVault"},
    touched_by=at(f"{RESPONSE}.backupPlanId", "CreateBackupPlan")
    | asked("backupPlanId", "CreateBackupSelection", "DeleteBackupPlan", "DeleteBackupSelection", "UpdateBackupPlan")
    | asked("resourceArn", "TagResource", "UntagResource"),
    read_key=named_after(":backup-plan:"),
)

NO_WORKGROUP = ("InvalidRequestException", "ResourceNotFoundException")
WORKGROUP_ARN = "arn:aws:athena:{region}:{account}:workgroup/{key}"


def _timeless(configuration: dict[str, Any], _seen: Seen) -> dict[str, Any]:
    """The simulator says of every workgroup that it was made just now: that would be a change at each look."""
    configuration.pop("CreationTime", None)
    return configuration


WORKGROUP = ResourceType(
    name="AWS::Athena::WorkGroup",
    listing=Describe("athena", "ListWorkGroups", at="WorkGroups[]"),
    key="Name",
    describe=Describe("athena", "GetWorkGroup", {"WorkGroup": "{key}"}, "WorkGroup", NO_WORKGROUP),
    more={"Tags": Describe("athena", "ListTagsForResource", {"ResourceARN": WORKGROUP_ARN}, "Tags[]", NO_WORKGROUP)},
    resource_name="{key}",
    arn=WORKGROUP_ARN,
    zone=REGIONAL,
    renames={"Configuration": "WorkGroupConfiguration"},
    finish=_timeless,
    touched_by=asked("name", "CreateWorkGroup")
    | asked("workGroup", "DeleteWorkGroup", "UpdateWorkGroup")
    | asked("resourceARN", "TagResource", "UntagResource"),
    read_key=named_after(":workgroup/"),
)

RESOURCES = (SECRET, VAULT, PLAN, WORKGROUP)
