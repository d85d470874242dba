"""Rules over what builds and deploys: CodeBuild projects, CloudFormation stacks, Step Functions."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from trailstate.catalog.reading import listed, not_held
from trailstate.compliance.form import (
    COMPLIANT,
    MISSING,
    NOT_APPLICABLE,
    Inventory,
    Item,
    Verdict,
    field_at,
    insufficient_data,
    is_given,
    is_true,
    non_compliant,
    require,
    rule,
)

PROJECT = "AWS::CodeBuild::Project"
STACK = "AWS::CloudFormation::Stack"
MACHINE = "AWS::StepFunctions::StateMachine"
_SECRET_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_WITH_CREDENTIALS = re.compile(r"^https?://[^/@]+@", re.IGNORECASE)
_LEVELS = ("OFF", "FATAL", "ERROR", "ALL")

require(
    "CLOUDFORMATION_STACK_SERVICE_ROLE_CHECK",
    STACK,
    "configuration.roleARN",
    is_given,
    absent=non_compliant("The stack has no service role."),
)
require(
    "CLOUDFORMATION_TERMINATION_PROTECTION_CHECK",
    STACK,
    "configuration.enableTerminationProtection",
    is_true,
    says="The stack is not protected from termination.",
)


@rule("CLOUDFORMATION_STACK_NOTIFICATION_CHECK", STACK)
def cloudformation_stack_notification_check(
    item: Item,
    _inventory: Inventory,
    *,
    snsTopic1: str | None = None,
    snsTopic2: str | None = None,
    snsTopic3: str | None = None,
    snsTopic4: str | None = None,
    snsTopic5: str | None = None,
) -> Verdict:
    """The stack announces its events to a topic; to one of those named if any are."""
    wanted = {topic for topic in (snsTopic1, snsTopic2, snsTopic3, snsTopic4, snsTopic5) if topic}
    found = field_at(item, "configuration.notificationARNs")
    if found is MISSING or not found:
        return non_compliant("The stack announces its events to no topic.")
    if wanted and not wanted & set(found):
        return non_compliant(f"The stack announces its events to {listed(found)}, which is not listed.")
    return COMPLIANT


def _of_project(item: Item, *names: str) -> Iterator[Mapping[str, Any]]:
    """Parts of a project that the item holds as one or as a list."""
    for name in names:
        found = item["configuration"].get(name) or ()
        yield from [found] if isinstance(found, Mapping) else found


@rule("CODEBUILD_PROJECT_ENVVAR_AWSCRED_CHECK", PROJECT)
def codebuild_project_envvar_awscred_check(item: Item, _inventory: Inventory) -> Verdict:
    """No access key stands in the project's environment as plain text."""
    if field_at(item, "configuration.environment") is MISSING:
        return not_held("configuration.environment")
    variables = item["configuration"]["environment"].get("environmentVariables") or ()
    found = [one["name"] for one in variables if one["name"] in _SECRET_VARIABLES and _is_plain(one)]
    return non_compliant(f"{listed(found)} stands in the environment as plain text.") if found else COMPLIANT


def _is_plain(variable: Mapping[str, Any]) -> bool:
    return bool(variable.get("type", "PLAINTEXT") == "PLAINTEXT")


@rule("CODEBUILD_PROJECT_SOURCE_REPO_URL_CHECK", PROJECT)
def codebuild_project_source_repo_url_check(item: Item, _inventory: Inventory) -> Verdict:
    """The address of the project's source carries no user name, password or token."""
    sources = list(_of_project(item, "source", "secondarySources"))
    if not sources:
        return not_held("configuration.source")
    repositories = [one for one in sources if one.get("type") in ("GITHUB", "GITHUB_ENTERPRISE", "BITBUCKET")]
    if not repositories:
        return NOT_APPLICABLE
    if any(_WITH_CREDENTIALS.match(one.get("location") or "") for one in repositories):
        return non_compliant("The address of a source repository carries credentials.")
    return COMPLIANT


@rule("CODEBUILD_PROJECT_ARTIFACT_ENCRYPTION", PROJECT)
def codebuild_project_artifact_encryption(item: Item, _inventory: Inventory) -> Verdict:
    """What the project makes is encrypted; AWS encrypts it unless told not to. No artifacts: not judged."""
    artifacts = list(_of_project(item, "artifacts", "secondaryArtifacts"))
    if not artifacts:
        return not_held("configuration.artifacts")
    made = [one for one in artifacts if one.get("type") != "NO_ARTIFACTS"]
    if not made:
        return NOT_APPLICABLE
    plain = any(one.get("encryptionDisabled") is True for one in made)
    return non_compliant("An artifact is not encrypted.") if plain else COMPLIANT


@rule("CODEBUILD_PROJECT_ENVIRONMENT_PRIVILEGED_CHECK", PROJECT)
def codebuild_project_environment_privileged_check(
    item: Item, _inventory: Inventory, *, exemptedProjects: tuple[str, ...] | None = None
) -> Verdict:
    """Builds do not run privileged, unless the project is excepted."""
    if item["resourceName"] in (exemptedProjects or ()):
        return COMPLIANT
    privileged = field_at(item, "configuration.environment.privilegedMode")
    if privileged is MISSING:
        return not_held("configuration.environment.privilegedMode")
    return non_compliant("Builds run privileged.") if privileged else COMPLIANT


def _logs(item: Item, name: str) -> Mapping[str, Any]:
    found = field_at(item, f"configuration.logsConfig.{name}")
    return {} if found is MISSING else found


@rule("CODEBUILD_PROJECT_LOGGING_ENABLED", PROJECT)
def codebuild_project_logging_enabled(
    item: Item, _inventory: Inventory, *, s3BucketNames: str | None = None, cloudWatchGroupNames: str | None = None
) -> Verdict:
    """Builds are logged, to one of the buckets or log groups if any are named.

    A project that was never told how to log, logs to CloudWatch Logs.
    """
    if not item["configuration"]:
        return not_held("configuration.logsConfig")
    cloudwatch, s3 = _logs(item, "cloudWatchLogs"), _logs(item, "s3Logs")
    to_group = cloudwatch.get("status", "ENABLED") == "ENABLED"
    to_bucket = s3.get("status") == "ENABLED"
    if not to_group and not to_bucket:
        return non_compliant("Builds are not logged.")
    group, bucket = cloudwatch.get("groupName"), (s3.get("location") or "").partition("/")[0]
    groups, buckets = _names(cloudWatchGroupNames), _names(s3BucketNames)
    fits = (to_group and (not groups or group in groups)) or (to_bucket and (not buckets or bucket in buckets))
    return COMPLIANT if fits else non_compliant("Builds are logged to no place that is listed.")


def _names(text: str | None) -> set[str]:
    return {name.strip() for name in (text or "").split(",") if name.strip()}


@rule("CODEBUILD_PROJECT_S3_LOGS_ENCRYPTED", PROJECT)
def codebuild_project_s3_logs_encrypted(
    item: Item, _inventory: Inventory, *, exemptedProjects: tuple[str, ...] | None = None
) -> Verdict:
    """Logs in S3 are encrypted. A project that logs to no bucket is not judged."""
    if item["resourceName"] in (exemptedProjects or ()):
        return COMPLIANT
    s3 = _logs(item, "s3Logs")
    if s3.get("status") != "ENABLED":
        return NOT_APPLICABLE
    return non_compliant("Logs in S3 are not encrypted.") if s3.get("encryptionDisabled") is True else COMPLIANT


@rule("STEP_FUNCTIONS_STATE_MACHINE_LOGGING_ENABLED", MACHINE)
def step_functions_state_machine_logging_enabled(
    item: Item,
    _inventory: Inventory,
    *,
    logLevel: str | None = None,
    cloudWatchLogGroupArns: tuple[str, ...] | None = None,
) -> Verdict:
    """The machine logs its executions, at the given level or above and to one of the groups, if those are given."""
    level = field_at(item, "configuration.LoggingConfiguration.Level")
    if level is MISSING or level == "OFF":
        return non_compliant("Executions are not logged.")
    if level not in _LEVELS or (logLevel and logLevel not in _LEVELS):
        return insufficient_data(f"The log levels '{level}' and '{logLevel}' cannot be compared.")
    if logLevel and _LEVELS.index(level) < _LEVELS.index(logLevel):
        return non_compliant(f"The log level is '{level}'; expected '{logLevel}'.")
    if cloudWatchLogGroupArns and not _groups(item) & set(cloudWatchLogGroupArns):
        return non_compliant("Executions are logged to no group that is listed.")
    return COMPLIANT


def _groups(item: Item) -> set[Any]:
    destinations = item["configuration"]["LoggingConfiguration"].get("Destinations") or ()
    return {(one.get("CloudWatchLogsLogGroup") or {}).get("LogGroupArn") for one in destinations}
