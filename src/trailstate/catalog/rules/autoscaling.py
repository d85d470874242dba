"""Rules over Auto Scaling groups, launch configurations and launch templates."""

from collections.abc import Mapping
from typing import Any

from trailstate.catalog.reading import not_held
from trailstate.catalog.rules.balancing_classic import in_zones
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
    non_compliant,
    require,
    rule,
)

GROUP = "AWS::AutoScaling::AutoScalingGroup"
CONFIGURATION = "AWS::AutoScaling::LaunchConfiguration"
TEMPLATE = "AWS::EC2::LaunchTemplate"

require(
    "AUTOSCALING_LAUNCHCONFIG_REQUIRES_IMDSV2",
    CONFIGURATION,
    "configuration.metadataOptions.httpTokens",
    equals("required"),
    absent=non_compliant("The launch configuration does not ask for metadata tokens."),
)
require(
    "AUTOSCALING_LAUNCH_CONFIG_HOP_LIMIT",
    CONFIGURATION,
    "configuration.metadataOptions.httpPutResponseHopLimit",
    Test(lambda hops: hops <= 1, "at most 1"),
)


@rule("AUTOSCALING_GROUP_ELB_HEALTHCHECK_REQUIRED", GROUP)
def autoscaling_group_elb_healthcheck_required(item: Item, _inventory: Inventory) -> Verdict:
    """A group behind a load balancer replaces what the balancer finds unwell. A group behind none is not judged."""
    group = item["configuration"]
    if not group.get("loadBalancerNames") and not group.get("targetGroupARNs"):
        return NOT_APPLICABLE
    kinds = field_at(item, "configuration.healthCheckType")
    if kinds is MISSING:
        return not_held("configuration.healthCheckType")
    return COMPLIANT if "ELB" in kinds.split(",") else non_compliant(f"The health check is '{kinds}'; expected ELB.")


@rule("AUTOSCALING_MULTIPLE_AZ", GROUP)
def autoscaling_multiple_az(item: Item, _inventory: Inventory, *, minAvailabilityZones: int | None = None) -> Verdict:
    """The group works in several zones, two when no number is given."""
    return in_zones(item, minAvailabilityZones or 2)


@rule("AUTOSCALING_CAPACITY_REBALANCING", GROUP)
def autoscaling_capacity_rebalancing(item: Item, _inventory: Inventory) -> Verdict:
    """A group of several instance types replaces Spot instances before they are taken. Others are not judged."""
    if not item["configuration"].get("mixedInstancesPolicy"):
        return NOT_APPLICABLE
    rebalances = item["configuration"].get("capacityRebalance")
    return COMPLIANT if rebalances is True else non_compliant("Capacity rebalancing is off.")


@rule("AUTOSCALING_MULTIPLE_INSTANCE_TYPES", GROUP)
def autoscaling_multiple_instance_types(item: Item, _inventory: Inventory) -> Verdict:
    """The group can start more than one type of instance."""
    if not _has_source(item):
        return not_held("configuration.launchTemplate")
    overrides = field_at(item, "configuration.mixedInstancesPolicy.launchTemplate.overrides")
    given = [] if overrides is MISSING else overrides
    several = len({one.get("instanceType") for one in given}) > 1 or any(
        one.get("instanceRequirements") for one in given
    )
    return COMPLIANT if several else non_compliant("The group starts one type of instance alone.")


def _has_source(item: Item) -> bool:
    sources = ("launchTemplate", "launchConfigurationName", "mixedInstancesPolicy")
    return any(item["configuration"].get(name) for name in sources)


@rule("AUTOSCALING_LAUNCH_TEMPLATE", GROUP)
def autoscaling_launch_template(item: Item, _inventory: Inventory) -> Verdict:
    """The group starts its instances from a launch template."""
    if not _has_source(item):
        return not_held("configuration.launchTemplate")
    if item["configuration"].get("launchConfigurationName"):
        return non_compliant("The group starts its instances from a launch configuration.")
    return COMPLIANT


@rule("AUTOSCALING_LAUNCH_CONFIG_PUBLIC_IP_DISABLED", CONFIGURATION)
def autoscaling_launch_config_public_ip_disabled(item: Item, _inventory: Inventory) -> Verdict:
    """Instances of the launch configuration get no public address by it; without a word the subnet decides."""
    if field_at(item, "configuration.launchConfigurationName") is MISSING:
        return not_held("configuration.launchConfigurationName")
    public = item["configuration"].get("associatePublicIpAddress")
    return non_compliant("Instances get a public address.") if public else COMPLIANT


def _data(item: Item) -> Any:
    return field_at(item, "configuration.LaunchTemplateData")


@rule("EC2_LAUNCH_TEMPLATE_PUBLIC_IP_DISABLED", TEMPLATE)
def ec2_launch_template_public_ip_disabled(
    item: Item, _inventory: Inventory, *, exemptedLaunchTemplates: tuple[str, ...] | None = None
) -> Verdict:
    """The template's default version gives no interface a public address, unless the template is excepted."""
    if item["resourceId"] in (exemptedLaunchTemplates or ()):
        return COMPLIANT
    if _data(item) is MISSING:
        return not_held("configuration.LaunchTemplateData")
    public = any(one.get("AssociatePublicIpAddress") for one in _data(item).get("NetworkInterfaces") or ())
    return non_compliant("An interface gets a public address.") if public else COMPLIANT


@rule("EC2_LAUNCH_TEMPLATE_IMDSV2_CHECK", TEMPLATE)
def ec2_launch_template_imdsv2_check(item: Item, _inventory: Inventory) -> Verdict:
    """The template's default version asks for metadata tokens."""
    if _data(item) is MISSING:
        return not_held("configuration.LaunchTemplateData")
    tokens = (_data(item).get("MetadataOptions") or {}).get("HttpTokens")
    return COMPLIANT if tokens == "required" else non_compliant("The template does not ask for metadata tokens.")


def _plain_volume(mapping: Mapping[str, Any]) -> bool:
    return bool(mapping.get("Ebs")) and mapping["Ebs"].get("Encrypted") is not True


@rule("EC2_LAUNCH_TEMPLATES_EBS_VOLUME_ENCRYPTED", TEMPLATE)
def ec2_launch_templates_ebs_volume_encrypted(item: Item, _inventory: Inventory) -> Verdict:
    """Volumes that the template maps are encrypted."""
    return _encrypts(item)


@rule("EC2_LAUNCHTEMPLATE_EBS_ENCRYPTED", TEMPLATE)
def ec2_launchtemplate_ebs_encrypted(item: Item, _inventory: Inventory) -> Verdict:
    """Volumes that the template's default version maps are encrypted."""
    return _encrypts(item)


def _encrypts(item: Item) -> Verdict:
    if _data(item) is MISSING:
        return not_held("configuration.LaunchTemplateData")
    mappings = [one for one in _data(item).get("BlockDeviceMappings") or () if one.get("Ebs")]
    if not mappings:
        return NOT_APPLICABLE
    return non_compliant("A volume is not encrypted.") if any(map(_plain_volume, mappings)) else COMPLIANT
