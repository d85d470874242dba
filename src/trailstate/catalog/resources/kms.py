"""KMS: a key with its policy and whether it rotates."""

from typing import Any

from trailstate.catalog.touch import answered, asked
from trailstate.configuration.form import Describe, Fact, Part, ResourceType

GONE = ("NotFoundException",)
UNROTATED = (*GONE, "UnsupportedOperationException", "AccessDeniedException", "KMSInvalidStateException")


def _key(operation: str, at: str = "", absent: tuple[str, ...] = GONE, **more: Any) -> Describe:
    return Describe("kms", operation, {"KeyId": "{key}", **more}, at, absent)


def _key_id(text: str) -> str:
    """The id of an id or ARN; an alias tells none."""
    return "" if ":alias/" in text or text.startswith("alias/") else text.rsplit("/", 1)[-1]


KEY = ResourceType(
    name="AWS::KMS::Key",
    listing=Describe("kms", "ListKeys", at="Keys[]"),
    key="KeyId",
    describe=_key("DescribeKey", "KeyMetadata"),
    more={"Tags": _key("ListResourceTags", "Tags[]")},
    resource_name="{key}",
    arn="{Arn}",
    created="{CreationDate}",
    parts=(
        Part("Policy", _key("GetKeyPolicy", "Policy", PolicyName="default"), plain=True),
        Part("KeyRotationStatus", _key("GetKeyRotationStatus", "KeyRotationEnabled", UNROTATED), plain=True),
    ),
    facts=(Fact("KeyRotationStatus", _key("GetKeyRotationStatus", "", UNROTATED)),),
    touched_by=answered("keyMetadata.keyId", "CreateKey")
    | answered("replicaKeyMetadata.keyId", "ReplicateKey")
    | asked(
        "keyId",
        "CancelKeyDeletion",
        "DeleteImportedKeyMaterial",
        "DisableKey",
        "DisableKeyRotation",
        "EnableKey",
        "EnableKeyRotation",
        "ImportKeyMaterial",
        "PutKeyPolicy",
        "ScheduleKeyDeletion",
        "TagResource",
        "UntagResource",
        "UpdateKeyDescription",
        "UpdatePrimaryRegion",
    ),
    read_key=_key_id,
)

RESOURCES = (KEY,)
