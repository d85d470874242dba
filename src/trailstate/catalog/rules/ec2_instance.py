"""Rules over EC2 instances: how they were started, what they may reach, how they are watched.

An instance that is terminated is on its way out of the inventory and is not judged by what it was.
"""

import re
from collections.abc import Mapping
from typing import Any

from trailstate.catalog.reading import days_since, fact, listed, not_held
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
    non_compliant,
    require,
    rule,
)

INSTANCE = "AWS::EC2::Instance"

_EBS_OPTIMIZED_ON_REQUEST = frozenset(
    f"{family}.{size}"
    for family, sizes in {
        "c1": "xlarge",
        "c3": "xlarge 2xlarge 4xlarge",
        "g2": "2xlarge",
        "i2": "xlarge 2xlarge 4xlarge",
        "m1": "large xlarge",
        "m2": "2xlarge 4xlarge",
        "m3": "xlarge 2xlarge",
        "r3": "xlarge 2xlarge 4xlarge",
    }.items()
    for size in sizes.split()
)
"""Types that are EBS-optimized when asked; later ones always are, small ones never (EC2 user guide)."""

require(
    "EC2_INSTANCE_DETAILED_MONITORING_ENABLED",
    INSTANCE,
    "configuration.monitoring.state",
    Test(lambda state: state in ("enabled", "pending"), "enabled"),
)
require("EC2_PARAVIRTUAL_INSTANCE_CHECK", INSTANCE, "configuration.virtualizationType", equals("hvm"))


@rule("EC2_INSTANCE_NO_PUBLIC_IP", INSTANCE)
def ec2_instance_no_public_ip(item: Item, _inventory: Inventory) -> Verdict:
    """The instance has no public IPv4 address, on any of its interfaces."""
    interfaces = field_at(item, "configuration.networkInterfaces")
    if interfaces is MISSING:
        return not_held("configuration.networkInterfaces")
    found = [item["configuration"].get("publicIpAddress"), *(_public_address(one) for one in interfaces)]
    address = next((one for one in found if one), None)
    return non_compliant(f"The instance has the public address {address}.") if address else COMPLIANT


def _public_address(interface: Mapping[str, Any]) -> str | None:
    return (interface.get("association") or {}).get("publicIp")


@rule("INSTANCES_IN_VPC", INSTANCE)
def instances_in_vpc(item: Item, _inventory: Inventory, *, vpcId: str | None = None) -> Verdict:
    """The instance is in a VPC; in the one that is named if one is."""
    if _state(item) == "terminated":
        return NOT_APPLICABLE
    found = item["configuration"].get("vpcId")
    if not found:
        return non_compliant("The instance is in no VPC.")
    if vpcId and found != vpcId:
        return non_compliant(f"The instance is in '{found}'; expected '{vpcId}'.")
    return COMPLIANT


def _state(item: Item) -> Any:
    return field_at(item, "configuration.state.name")


@rule("EC2_IMDSV2_CHECK", INSTANCE)
def ec2_imdsv2_check(item: Item, inventory: Inventory) -> Verdict:
    """The instance hands out its metadata to sessions with a token alone."""
    tokens = _metadata(item, inventory).get("httpTokens")
    if tokens is None:
        return not_held("configuration.metadataOptions.httpTokens")
    return COMPLIANT if tokens == "required" else non_compliant(f"Metadata tokens are '{tokens}'; expected 'required'.")


@rule("EC2_TOKEN_HOP_LIMIT_CHECK", INSTANCE)
def ec2_token_hop_limit_check(item: Item, inventory: Inventory, *, tokenHopLimit: int | None = None) -> Verdict:
    """Metadata answers travel no further than that many hops; one, when no number is given."""
    hops, most = _metadata(item, inventory).get("httpPutResponseHopLimit"), tokenHopLimit or 1
    if hops is None:
        return not_held("configuration.metadataOptions.httpPutResponseHopLimit")
    return (
        COMPLIANT
        if int(hops) <= most
        else non_compliant(f"Metadata answers travel {hops} hops; at most {most} allowed.")
    )


def _metadata(item: Item, inventory: Inventory) -> Mapping[str, Any]:
    """The metadata options; some items lack them, then the fact beside them has them in the API's spelling."""
    held = item["configuration"].get("metadataOptions")
    beside = fact(inventory, item, "MetadataOptions")
    if held or beside is MISSING:
        return held or {}
    return {name[0].lower() + name[1:]: value for name, value in (beside or {}).items()}


@rule("EBS_OPTIMIZED_INSTANCE", INSTANCE)
def ebs_optimized_instance(item: Item, _inventory: Inventory) -> Verdict:
    """An instance that can be EBS-optimized on request is. Types that always or never are, are not judged."""
    kind = item["configuration"].get("instanceType")
    if kind is None:
        return not_held("configuration.instanceType")
    if item["configuration"].get("ebsOptimized") is True:
        return COMPLIANT
    if kind not in _EBS_OPTIMIZED_ON_REQUEST:
        return NOT_APPLICABLE
    return non_compliant(f"The instance is not EBS-optimized; its type '{kind}' can be.")


@rule("EC2_NO_AMAZON_KEY_PAIR", INSTANCE)
def ec2_no_amazon_key_pair(item: Item, _inventory: Inventory) -> Verdict:
    """The running instance was started without a key pair. Others are not judged."""
    if _state(item) is MISSING:
        return not_held("configuration.state.name")
    if _state(item) != "running":
        return NOT_APPLICABLE
    key = item["configuration"].get("keyName")
    return non_compliant(f"The instance was started with the key pair '{key}'.") if key else COMPLIANT


@rule("EC2_INSTANCE_MULTIPLE_ENI_CHECK", INSTANCE)
def ec2_instance_multiple_eni_check(
    item: Item, _inventory: Inventory, *, NetworkInterfaceIds: tuple[str, ...] | None = None
) -> Verdict:
    """The instance has one network interface; interfaces that are named are not counted."""
    interfaces = field_at(item, "configuration.networkInterfaces")
    if interfaces is MISSING:
        return not_held("configuration.networkInterfaces")
    counted = [one for one in interfaces if one.get("networkInterfaceId") not in (NetworkInterfaceIds or ())]
    return non_compliant(f"The instance has {len(counted)} network interfaces.") if len(counted) > 1 else COMPLIANT


@rule("EC2_INSTANCE_PROFILE_ATTACHED", INSTANCE)
def ec2_instance_profile_attached(
    item: Item, _inventory: Inventory, *, IamInstanceProfileArnList: tuple[str, ...] | None = None
) -> Verdict:
    """The instance has a role by an instance profile; by one of those named if any are."""
    if _state(item) == "terminated":
        return NOT_APPLICABLE
    found = field_at(item, "configuration.iamInstanceProfile.arn")
    if found is MISSING:
        return non_compliant("The instance has no instance profile.")
    if IamInstanceProfileArnList and found not in IamInstanceProfileArnList:
        return non_compliant(f"The instance has the profile '{found}', which is not listed.")
    return COMPLIANT


@rule("DESIRED_INSTANCE_TYPE", INSTANCE)
def desired_instance_type(item: Item, _inventory: Inventory, *, instanceType: tuple[str, ...]) -> Verdict:
    """The instance has one of the given types."""
    kind = item["configuration"].get("instanceType")
    if kind is None:
        return not_held("configuration.instanceType")
    return (
        COMPLIANT if kind in instanceType else non_compliant(f"The type is '{kind}'; expected {listed(instanceType)}.")
    )


@rule("DESIRED_INSTANCE_TENANCY", INSTANCE)
def desired_instance_tenancy(
    item: Item,
    _inventory: Inventory,
    *,
    tenancy: str,
    imageId: tuple[str, ...] | None = None,
    hostId: tuple[str, ...] | None = None,
) -> Verdict:
    """Instances have the given tenancy, on one of the given hosts if any are. `imageId` narrows which are judged."""
    placement = item["configuration"].get("placement") or {}
    if imageId and item["configuration"].get("imageId") not in imageId:
        return NOT_APPLICABLE
    if placement.get("tenancy") is None:
        return not_held("configuration.placement.tenancy")
    if placement["tenancy"].lower() != tenancy.lower():
        return non_compliant(f"The tenancy is '{placement['tenancy']}'; expected '{tenancy}'.")
    if hostId and placement.get("hostId") not in hostId:
        return non_compliant(f"The instance is on the host '{placement.get('hostId')}', which is not listed.")
    return COMPLIANT


@rule("APPROVED_AMIS_BY_ID", INSTANCE)
def approved_amis_by_id(item: Item, _inventory: Inventory, *, amiIds: tuple[str, ...]) -> Verdict:
    """The instance runs one of the given images."""
    image = item["configuration"].get("imageId")
    if image is None:
        return not_held("configuration.imageId")
    return COMPLIANT if image in amiIds else non_compliant(f"The image '{image}' is not among the approved ones.")


_STOPPED_AT = re.compile(r"\((\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) (?:GMT|UTC)\)")


@rule("EC2_STOPPED_INSTANCE", INSTANCE)
def ec2_stopped_instance(item: Item, inventory: Inventory, *, AllowedDays: int = 30) -> Verdict:
    """No instance stays stopped for longer than the days allowed. One that runs is not judged."""
    if _state(item) is MISSING:
        return not_held("configuration.state.name")
    if _state(item) != "stopped":
        return NOT_APPLICABLE
    stopped = _STOPPED_AT.search(item["configuration"].get("stateTransitionReason") or "")
    if stopped is None:
        return insufficient_data("The item does not say when the instance was stopped.")
    days = days_since(inventory, f"{stopped[1]}T{stopped[2]}Z")
    return COMPLIANT if days <= AllowedDays else non_compliant(f"The instance has been stopped for {int(days)} days.")
