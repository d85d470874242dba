"""Rules over Lambda functions: who may call them, where they run, how they fail and log."""

from typing import Any

from trailstate.catalog.reading import fact, listed, not_held, not_known
from trailstate.compliance.form import (
    COMPLIANT,
    MISSING,
    NOT_APPLICABLE,
    Inventory,
    Item,
    Verdict,
    equals,
    field_at,
    insufficient_data,
    non_compliant,
    require,
    rule,
)
from trailstate.values.statements import is_public, statements

FUNCTION = "AWS::Lambda::Function"
SUBNET = "AWS::EC2::Subnet"

require("LAMBDA_FUNCTION_XRAY_ENABLED", FUNCTION, "configuration.tracingConfig.mode", equals("Active"))
require("LAMBDA_FUNCTION_LOG_FORMAT_JSON", FUNCTION, "configuration.loggingConfig.logFormat", equals("JSON"))


@rule("LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED", FUNCTION)
def lambda_function_public_access_prohibited(item: Item, inventory: Inventory) -> Verdict:
    """The function's own policy does not let everybody call it."""
    held = field_at(item, "supplementaryConfiguration.Policy")
    policy = fact(inventory, item, "Policy") if held is MISSING else held
    if policy is MISSING:
        return not_known("the function's policy")
    return non_compliant("The function's policy lets everyone call it.") if is_public(statements(policy)) else COMPLIANT


@rule("LAMBDA_INSIDE_VPC", FUNCTION)
def lambda_inside_vpc(item: Item, _inventory: Inventory, *, subnetIds: tuple[str, ...] | None = None) -> Verdict:
    """The function runs in a VPC; in the given subnets if any are given."""
    found = _subnets(item)
    if not found:
        return non_compliant("The function runs in no VPC.")
    others = [one for one in found if subnetIds and one not in subnetIds]
    return non_compliant(f"The function runs in {listed(others)}, which is not listed.") if others else COMPLIANT


def _subnets(item: Item) -> tuple[str, ...]:
    """The function's subnets; the item leaves them out for a function outside every VPC."""
    found = field_at(item, "configuration.vpcConfig.subnetIds")
    return () if found is MISSING else tuple(found)


@rule("LAMBDA_VPC_MULTI_AZ_CHECK", FUNCTION, also_on=(SUBNET,))
def lambda_vpc_multi_az_check(item: Item, inventory: Inventory, *, availabilityZones: int | None = None) -> Verdict:
    """A function in a VPC runs in several zones, two when no number is given."""
    subnets = _subnets(item)
    if not subnets:
        return NOT_APPLICABLE
    known = [inventory.item(SUBNET, one) for one in subnets]
    zones = {one["configuration"].get("availabilityZone") for one in known if one}
    least = availabilityZones or 2
    if len(zones) >= least:
        return COMPLIANT
    if None in known:
        return insufficient_data("Not all of the function's subnets are known here.")
    return non_compliant(f"The function runs in {len(zones)} zones; expected at least {least}.")


@rule("LAMBDA_CONCURRENCY_CHECK", FUNCTION)
def lambda_concurrency_check(
    item: Item,
    _inventory: Inventory,
    *,
    ConcurrencyLimitLow: str | None = None,
    ConcurrencyLimitHigh: str | None = None,
) -> Verdict:
    """The function has a limit of its own on how often it runs at once, between the given ones if they are given."""
    limit = field_at(item, "supplementaryConfiguration.Concurrency.reservedConcurrentExecutions")
    if limit is MISSING:
        return non_compliant("The function has no concurrency limit of its own.")
    if ConcurrencyLimitLow and limit < int(ConcurrencyLimitLow):
        return non_compliant(f"The concurrency limit is {limit}; expected at least {ConcurrencyLimitLow}.")
    if ConcurrencyLimitHigh and limit > int(ConcurrencyLimitHigh):
        return non_compliant(f"The concurrency limit is {limit}; expected at most {ConcurrencyLimitHigh}.")
    return COMPLIANT


@rule("LAMBDA_DLQ_CHECK", FUNCTION)
def lambda_dlq_check(item: Item, _inventory: Inventory, *, dlqArns: tuple[str, ...] | None = None) -> Verdict:
    """Events the function fails on go to a dead-letter queue; to one of those given if any are."""
    target = field_at(item, "configuration.deadLetterConfig.targetArn")
    if target is MISSING or not target:
        return non_compliant("The function has no dead-letter queue.")
    if dlqArns and target not in dlqArns:
        return non_compliant(f"The dead-letter queue is '{target}', which is not listed.")
    return COMPLIANT


@rule("LAMBDA_FUNCTION_SETTINGS_CHECK", FUNCTION)
def lambda_function_settings_check(
    item: Item,
    _inventory: Inventory,
    *,
    runtime: tuple[str, ...],
    role: str | None = None,
    memorySize: int = 128,
    timeout: int = 3,
) -> Verdict:
    """The function has one of the runtimes, and the role, memory and timeout given. Images are not judged."""
    function = item["configuration"]
    if function.get("packageType") == "Image":
        return NOT_APPLICABLE
    wanted: dict[str, tuple[Any, ...]] = {"runtime": runtime, "memorySize": (memorySize,), "timeout": (timeout,)}
    if role:
        wanted["role"] = (role,)
    for name, values in wanted.items():
        if function.get(name) is None:
            return not_held(f"configuration.{name}")
        if function[name] not in values:
            return non_compliant(f"'{name}' is '{function[name]}'; expected {listed(map(str, values))}.")
    return COMPLIANT


@rule("LAMBDA_FUNCTION_APPLICATION_LOG_LEVEL_CHECK", FUNCTION)
def lambda_function_application_log_level_check(item: Item, _inventory: Inventory, *, logLevel: str) -> Verdict:
    """A function that logs JSON logs its application at the given level."""
    return _logs_at(item, "applicationLogLevel", logLevel)


@rule("LAMBDA_FUNCTION_SYSTEM_LOG_LEVEL_CHECK", FUNCTION)
def lambda_function_system_log_level_check(item: Item, _inventory: Inventory, *, logLevel: str) -> Verdict:
    """A function that logs JSON logs the system at the given level."""
    return _logs_at(item, "systemLogLevel", logLevel)


def _logs_at(item: Item, name: str, wanted: str) -> Verdict:
    form = field_at(item, "configuration.loggingConfig.logFormat")
    if form is MISSING:
        return not_held("configuration.loggingConfig")
    if form != "JSON":
        return NOT_APPLICABLE
    found = item["configuration"]["loggingConfig"].get(name)
    return COMPLIANT if found == wanted else non_compliant(f"'{name}' is '{found}'; expected '{wanted}'.")
