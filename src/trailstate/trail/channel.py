"""Channels and the event data store behind them: where an application's own audit events come in.

Follows CreateChannel and the CloudTrail user guide, "Create an integration with an event source outside of AWS". A
channel is one Shelf document of kind `trail.channel` at (account, region, id). Every account has one event data store
in each Region, always there; it is the only destination that a channel can have.
"""

from trailstate.stores.interface import ShelfKey

CHANNEL = "trail.channel"
POLICY = "trail.policy"
"""A channel's resource policy, as text, under the channel's id."""
SUCCESS = "trail.ingestion_success"
ATTEMPT = "trail.ingestion_attempt"
"""The newest event that a channel took in, and the newest that it was offered, under the channel's id."""

STORE_ID = "00000000-0000-4000-8000-000000000000"


def event_data_store_arn(account: str, region: str) -> str:
    """The built-in event data store of an account in a Region."""
    return f"arn:aws:cloudtrail:{region}:{account}:eventdatastore/{STORE_ID}"


def channel_key(account: str, region: str, channel_id: str) -> ShelfKey:
    return ShelfKey(account, region, CHANNEL, channel_id)


def channel_arn(key: ShelfKey) -> str:
    return f"arn:aws:cloudtrail:{key.region}:{key.account}:channel/{key.name}"


def beside(key: ShelfKey, kind: str) -> ShelfKey:
    """Where something else about the same channel stands."""
    return ShelfKey(key.account, key.region, kind, key.name)
