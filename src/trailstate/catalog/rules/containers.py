"""Rules over ECS task definitions, services and clusters, and ECR repositories.

A definition that is no longer active runs nothing new and is not judged.
"""

from collections.abc import Callable, Mapping
from typing import Any

from trailstate.catalog.reading import every, is_key, listed, not_held
from trailstate.compliance.form import (
    COMPLIANT,
    MISSING,
    NOT_APPLICABLE,
    Inventory,
    Item,
    Verdict,
    equals,
    field_at,
    is_given,
    non_compliant,
    require,
    rule,
)

DEFINITION, SERVICE, CLUSTER = "AWS::ECS::TaskDefinition", "AWS::ECS::Service", "AWS::ECS::Cluster"
REPOSITORY = "AWS::ECR::Repository"
_CONTAINERS = "configuration.ContainerDefinitions"
_ROOT = (None, "", "0", "root", "0:0", "root:root")

require("ECR_PRIVATE_TAG_IMMUTABILITY_ENABLED", REPOSITORY, "configuration.ImageTagMutability", equals("IMMUTABLE"))
require(
    "ECR_PRIVATE_LIFECYCLE_POLICY_CONFIGURED",
    REPOSITORY,
    "configuration.LifecyclePolicy",
    is_given,
    absent=non_compliant("The repository has no lifecycle policy."),
)
require(
    "ECR_PRIVATE_IMAGE_SCANNING_ENABLED",
    REPOSITORY,
    "configuration.ImageScanningConfiguration.ScanOnPush",
    equals(True),
    says="Images are not scanned when they are pushed.",
)


def _is_active(item: Item) -> bool:
    return bool(item["configuration"].get("Status", "ACTIVE") == "ACTIVE")


def _each(item: Item, holds: Callable[[Mapping[str, Any]], bool], sentence: str) -> Verdict:
    """Judge every container of an active definition."""
    return every(field_at(item, _CONTAINERS), _CONTAINERS, holds, sentence) if _is_active(item) else NOT_APPLICABLE


def _containers_rule(identifier: str, holds: Callable[[Mapping[str, Any]], bool], sentence: str) -> None:
    @rule(identifier, DEFINITION)
    def judge(item: Item, _inventory: Inventory) -> Verdict:
        return _each(item, holds, sentence)


_containers_rule(
    "ECS_CONTAINERS_READONLY_ACCESS",
    lambda one: one.get("ReadonlyRootFilesystem") is True,
    "A container may write to its root file system.",
)
_containers_rule(
    "ECS_CONTAINERS_NONPRIVILEGED", lambda one: one.get("Privileged") is not True, "A container is privileged."
)
_containers_rule(
    "ECS_TASK_DEFINITION_NONROOT_USER", lambda one: one.get("User") not in _ROOT, "A container runs as root."
)
_containers_rule(
    "ECS_TASK_DEFINITION_MEMORY_HARD_LIMIT", lambda one: bool(one.get("Memory")), "A container has no memory limit."
)
_containers_rule(
    "ECS_TASK_DEFINITION_LOG_CONFIGURATION",
    lambda one: bool(one.get("LogConfiguration")),
    "A container has no log configuration.",
)


@rule("ECS_TASK_DEFINITION_USER_FOR_HOST_MODE_CHECK", DEFINITION)
def ecs_task_definition_user_for_host_mode_check(
    item: Item, _inventory: Inventory, *, SkipInactiveTaskDefinitions: bool | None = None
) -> Verdict:
    """On the host's network, each container is privileged on purpose or runs as somebody but root."""
    if SkipInactiveTaskDefinitions and not _is_active(item):
        return NOT_APPLICABLE
    if field_at(item, _CONTAINERS) is MISSING:
        return not_held(_CONTAINERS)
    if item["configuration"].get("NetworkMode") != "host":
        return NOT_APPLICABLE
    return every(
        item["configuration"]["ContainerDefinitions"],
        _CONTAINERS,
        lambda one: one.get("Privileged") is True or one.get("User") not in _ROOT,
        "A container runs as root on the host's network.",
    )


@rule("ECS_NO_ENVIRONMENT_SECRETS", DEFINITION)
def ecs_no_environment_secrets(item: Item, _inventory: Inventory, *, secretKeys: tuple[str, ...]) -> Verdict:
    """No container has a variable of its environment by one of the names that stand for secrets."""
    return _each(item, lambda one: not _variables(one) & set(secretKeys), "A container's environment holds a secret.")


def _variables(container: Mapping[str, Any]) -> set[str]:
    return {one.get("Name", "") for one in container.get("Environment") or ()}


def _mode_rule(identifier: str, field: str, holds: Callable[[str | None], bool], sentence: str) -> None:
    @rule(identifier, DEFINITION)
    def judge(item: Item, _inventory: Inventory) -> Verdict:
        if field_at(item, _CONTAINERS) is MISSING:
            return not_held(_CONTAINERS)
        if not _is_active(item):
            return NOT_APPLICABLE
        return COMPLIANT if holds(item["configuration"].get(field)) else non_compliant(sentence)


_mode_rule(
    "ECS_TASK_DEFINITION_PID_MODE_CHECK", "PidMode", lambda mode: mode != "host", "Containers see the host's processes."
)
_mode_rule(
    "ECS_AWSVPC_NETWORKING_ENABLED", "NetworkMode", lambda mode: mode == "awsvpc", "The network mode is not awsvpc."
)
_mode_rule(
    "ECS_TASK_DEFINITION_NETWORK_MODE_NOT_HOST",
    "NetworkMode",
    lambda mode: mode != "host",
    "Containers use the host's network.",
)


@rule("ECS_TASK_DEFINITION_EFS_ENCRYPTION_ENABLED", DEFINITION)
def ecs_task_definition_efs_encryption_enabled(item: Item, _inventory: Inventory) -> Verdict:
    """Traffic to EFS volumes is encrypted. A definition without such volumes is not judged."""
    if field_at(item, _CONTAINERS) is MISSING:
        return not_held(_CONTAINERS)
    volumes = [one.get("EfsVolumeConfiguration") for one in item["configuration"].get("Volumes") or ()]
    return every(
        [one for one in volumes if one],
        "configuration.Volumes",
        lambda one: one.get("TransitEncryption") == "ENABLED",
        "Traffic to an EFS volume is not encrypted.",
    )


@rule("ECS_CONTAINER_INSIGHTS_ENABLED", CLUSTER)
def ecs_container_insights_enabled(item: Item, _inventory: Inventory) -> Verdict:
    """The cluster measures its containers."""
    settings = field_at(item, "configuration.ClusterSettings")
    if settings is MISSING:
        return not_held("configuration.ClusterSettings")
    values = [one.get("Value") for one in settings if one.get("Name") == "containerInsights"]
    on = any(value in ("enabled", "enhanced") for value in values)
    return COMPLIANT if on else non_compliant("Container Insights is off.")


@rule("ECS_FARGATE_LATEST_PLATFORM_VERSION", SERVICE)
def ecs_fargate_latest_platform_version(
    item: Item, _inventory: Inventory, *, latestLinuxVersion: str | None = None, latestWindowsVersion: str | None = None
) -> Verdict:
    """A Fargate service takes the latest platform, or one of the versions named as latest. Others are not judged."""
    if item["configuration"].get("LaunchType") is None:
        return not_held("configuration.LaunchType")
    if item["configuration"]["LaunchType"] != "FARGATE":
        return NOT_APPLICABLE
    version = item["configuration"].get("PlatformVersion") or "LATEST"
    if version in ("LATEST", latestLinuxVersion, latestWindowsVersion):
        return COMPLIANT
    return non_compliant(f"The platform version is '{version}', not the latest.")


@rule("ECS_SERVICE_PROPAGATE_TAGS_ENABLED", SERVICE)
def ecs_service_propagate_tags_enabled(item: Item, _inventory: Inventory) -> Verdict:
    """Tasks get the tags of their service or definition; without a word they get none."""
    source = item["configuration"].get("PropagateTags") or "NONE"
    return non_compliant("Tasks get no tags.") if source == "NONE" else COMPLIANT


@rule("ECR_REPOSITORY_CMK_ENCRYPTION_ENABLED", REPOSITORY)
def ecr_repository_cmk_encryption_enabled(
    item: Item, _inventory: Inventory, *, kmsKeyArns: tuple[str, ...] | None = None
) -> Verdict:
    """Images are encrypted with a customer's key, with one of those named if any are."""
    encryption = field_at(item, "configuration.EncryptionConfiguration")
    if encryption is MISSING:
        return not_held("configuration.EncryptionConfiguration")
    key = encryption.get("KmsKey") or ""
    if encryption.get("EncryptionType") == "AES256" or not key or "alias/aws/" in key:
        return non_compliant("Images are not encrypted with a customer's key.")
    if kmsKeyArns and not is_key(key, kmsKeyArns):
        return non_compliant(f"Images are encrypted with '{key}'; expected one of {listed(kmsKeyArns)}.")
    return COMPLIANT
