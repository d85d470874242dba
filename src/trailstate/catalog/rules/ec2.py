"""Rules over EC2: instances, volumes, networks."""

from trailstate.compliance.form import COMPLIANT, NOT_APPLICABLE, Inventory, Item, Verdict, non_compliant, rule

VOLUME = "AWS::EC2::Volume"


@rule("ENCRYPTED_VOLUMES", VOLUME)
def encrypted_volumes(item: Item, _inventory: Inventory, *, kmsId: str | None = None) -> Verdict:
    """Volumes in use are encrypted, with the key that is named if one is. An unattached volume is not judged."""
    volume = item["configuration"]
    if not volume["attachments"]:
        return NOT_APPLICABLE
    if not volume["encrypted"]:
        return non_compliant("The volume is attached and not encrypted.")
    key = volume.get("kmsKeyId") or ""
    if kmsId and kmsId not in (key, key.rpartition("/")[2]):
        return non_compliant(f"The volume is encrypted with '{key}'; expected the key '{kmsId}'.")
    return COMPLIANT
