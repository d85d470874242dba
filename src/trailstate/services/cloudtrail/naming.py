"""What a trail may be called and how its ARN is written (CloudTrail user guide, "trail naming requirements")."""

import re
from typing import NamedTuple

from trailstate.values.arn import ACCOUNT
from trailstate.wire.fault import faults

fault = faults("cloudtrail")

NAME_CHARACTERS = range(3, 129)
_CHARACTERS = re.compile(r"[A-Za-z0-9._-]*")
_ADJACENT = re.compile(r"[._-]{2}")
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")
_BUCKET = re.compile(r"(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
PREFIX_CHARACTERS_MAX = 200
TOPIC_CHARACTERS_MAX = 256


class TrailArn(NamedTuple):
    region: str
    account: str
    name: str


def trail_arn(account: str, region: str, name: str) -> str:
    return f"arn:aws:cloudtrail:{region}:{account}:trail/{name}"


def read_trail_arn(text: str) -> TrailArn:
    """The parts of a trail's ARN; CloudTrailARNInvalidException for what is none."""
    parts = text.split(":", 5)
    kind, _, name = parts[5].partition("/") if len(parts) == 6 else ("", "", "")
    good = parts[0] == "arn" and parts[2:3] == ["cloudtrail"] and kind == "trail" and name
    if not (good and _REGION.fullmatch(parts[3]) and ACCOUNT.fullmatch(parts[4])):
        raise fault.CloudTrailARNInvalidException(
            f"'{text[:256]}' is not the ARN of a trail; expected"
            " arn:aws:cloudtrail:us-east-2:123456789012:trail/MyTrail"
        )
    check_name(name)
    return TrailArn(parts[3], parts[4], name)


def check_name(name: str) -> None:
    """InvalidTrailNameException for what no trail may be called."""
    wrong = _wrong_with(name)
    if wrong:
        raise fault.InvalidTrailNameException(wrong)


def _wrong_with(name: str) -> str | None:
    if len(name) < NAME_CHARACTERS.start:
        return (
            "Trail name too short. Minimum allowed length: 3 characters. "
            f"Specified name length: {len(name)} characters."
        )
    if len(name) >= NAME_CHARACTERS.stop:
        return (
            "Trail name too long. Maximum allowed length: 128 characters. "
            f"Specified name length: {len(name)} characters."
        )
    if not _CHARACTERS.fullmatch(name):
        return (
            "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-)"
            ", and underscores (_)."
        )
    if not name[0].isalnum():
        return "Trail name must starts with a letter or number."
    if not name[-1].isalnum():
        return "Trail name must ends with a letter or number."
    if _ADJACENT.search(name):
        return "Trail name cannot have adjacent periods (.), hyphens (-), or underscores (_)."
    return "Trail name cannot be in IP address format." if _ADDRESS.fullmatch(name) else None


def check_destination_names(document: dict[str, object]) -> None:
    """The forms of a bucket's name, a prefix and a topic's name, before anybody is asked about them."""
    bucket, prefix, topic = (str(document.get(each) or "") for each in ("S3BucketName", "S3KeyPrefix", "SnsTopicName"))
    if not _BUCKET.fullmatch(bucket) or ".." in bucket:
        raise fault.InvalidS3BucketNameException(f"'{bucket[:256]}' is not a valid name of an S3 bucket.")
    if len(prefix) > PREFIX_CHARACTERS_MAX:
        raise fault.InvalidS3PrefixException(
            f"An S3 key prefix has at most {PREFIX_CHARACTERS_MAX} characters; the request has {len(prefix)}."
        )
    if len(topic) > TOPIC_CHARACTERS_MAX:
        raise fault.InvalidSnsTopicNameException(
            f"The name of an SNS topic has 1 to {TOPIC_CHARACTERS_MAX} characters; the request has {len(topic)}."
        )
