"""Rules over what EC2 keeps: EBS volumes, their encryption by default, Elastic IP addresses."""

from trailstate.catalog.reading import fact, is_key, not_held, not_known
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
from trailstate.compliance.inventory import ACCOUNT_TYPE

VOLUME = "AWS::EC2::Volume"
ADDRESS = "AWS::EC2::EIP"

_PLAIN_VOLUME = non_compliant("The volume is attached and not encrypted.")


@rule("ENCRYPTED_VOLUMES", VOLUME)
def encrypted_volumes(item: Item, _inventory: Inventory, *, kmsId: str | None = None) -> Verdict:
    """Volumes in use are encrypted, with the key that is named if one is. An unattached volume is not judged."""
    volume = item["configuration"]
    if not volume.get("attachments"):
        return NOT_APPLICABLE
    encrypted = volume.get("encrypted")
    if encrypted is None:
        return not_held("configuration.encrypted")
    if not encrypted:
        return _PLAIN_VOLUME
    if kmsId and not is_key(key := volume.get("kmsKeyId") or "", (kmsId,)):
        return non_compliant(f"The volume is encrypted with '{key}'; expected the key '{kmsId}'.")
    return COMPLIANT


@rule("EC2_VOLUME_INUSE_CHECK", VOLUME)
def ec2_volume_inuse_check(item: Item, _inventory: Inventory, *, deleteOnTermination: bool | None = None) -> Verdict:
    """The volume is attached to an instance; with the parameter, it also goes when its instance goes."""
    attachments = field_at(item, "configuration.attachments")
    if attachments is MISSING:
        return not_held("configuration.attachments")
    if not attachments:
        return non_compliant("The volume is attached to no instance.")
    if deleteOnTermination and not all(one.get("deleteOnTermination") for one in attachments):
        return non_compliant("The volume stays when its instance is terminated.")
    return COMPLIANT


@rule("EC2_EBS_ENCRYPTION_BY_DEFAULT", ACCOUNT_TYPE)
def ec2_ebs_encryption_by_default(item: Item, inventory: Inventory) -> Verdict:
    """New volumes of the Region are encrypted without being asked."""
    known = fact(inventory, item, "EbsEncryptionByDefault")
    if known is MISSING or inventory.region not in (known or {}):
        return not_known(f"encryption by default in {inventory.region}")
    if not known[inventory.region]:
        return non_compliant(f"EBS encryption by default is off in {inventory.region}.")
    return COMPLIANT


@rule("EIP_ATTACHED", ADDRESS)
def eip_attached(item: Item, _inventory: Inventory) -> Verdict:
    """The address that is paid for is used: by an instance or by a network interface."""
    address = item["configuration"]
    if not address.get("publicIp"):
        return not_held("configuration.publicIp")
    if address.get("instanceId") or address.get("networkInterfaceId"):
        return COMPLIANT
    return non_compliant("The address is attached to neither an instance nor a network interface.")
