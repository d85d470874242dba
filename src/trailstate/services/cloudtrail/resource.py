"""The ARNs of what CloudTrail keeps: trails and channels, and of the kinds that Trailstate has none of yet."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trailstate.services.cloudtrail.found import fault
from trailstate.services.cloudtrail.naming import TrailArn, read_trail_arn
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.trail.channel import channel_key
from trailstate.wire.call import Call

_ARN = re.compile(
    r"arn:aws:cloudtrail:([a-z0-9-]+):([0-9]{12}):(trail|channel|eventdatastore|dashboard)/(.+)", re.DOTALL
)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel by its ARN or the id at its end."""

    id: str
    region: str | None = None
    account: str | None = None

    def key(self, call: Call) -> ShelfKey:
        """Where the channel stands; one named by its id alone is of the call's account and region."""
        return channel_key(self.account or call.account, self.region or call.region, self.id)


def resource_of(arn: str) -> TrailArn | Channel:
    """The trail or channel of an ARN; CloudTrailARNInvalidException, or that the kind is not supported yet."""
    match = _ARN.fullmatch(arn)
    if match is None:
        raise fault.CloudTrailARNInvalidException(
            f"'{arn[:256]}' is not an ARN of CloudTrail; expected one such as"
            " arn:aws:cloudtrail:us-east-2:123456789012:trail/MyTrail"
        )
    region, account, kind, name = match.groups()
    if kind == "trail":
        return read_trail_arn(arn)
    if kind == "channel":
        return Channel(_channel_id(name), region, account)
    raise fault.ResourceTypeNotSupportedException(f"The resource type '{kind}' is not supported by Trailstate yet.")


def channel_of(named: str) -> Channel:
    """A channel by ARN or id; ChannelARNInvalidException."""
    if not named.startswith("arn:"):
        return Channel(_channel_id(named))
    match = _ARN.fullmatch(named)
    if match is None or match[3] != "channel":
        raise _not_a_channel(named)
    return Channel(_channel_id(match[4]), match[1], match[2])


def find_channel(call: Call, shelf: StagedShelf, named: str) -> tuple[ShelfKey, Mapping[str, Any]]:
    """A channel of the caller's account, by ARN or id."""
    key = channel_of(named).key(call)
    document = shelf.get(key) if key.account == call.account else None
    if document is None:
        raise fault.ChannelNotFoundException(f"There is no channel '{named}' in the account {call.account}.")
    return key, document


def _channel_id(text: str) -> str:
    if not _UUID.fullmatch(text):
        raise _not_a_channel(text)
    return text


def _not_a_channel(named: str) -> Exception:
    return fault.ChannelARNInvalidException(
        f"'{named[:256]}' is not the ARN or id of a channel; expected one such as"
        " arn:aws:cloudtrail:us-east-2:123456789012:channel/01234567-89ab-cdef-0123-456789abcdef"
    )


def check_region(call: Call, arn: str) -> None:
    """Tags are changed in the resource's home region only."""
    region = arn.split(":")[3]
    if region != call.region:
        raise fault.OperationNotPermittedException(
            f"The resource {arn} can be changed only from its home Region {region}; the request was"
            f" made in {call.region}."
        )
