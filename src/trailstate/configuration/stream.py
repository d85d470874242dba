"""Every new item is told: to the channel's topic and to the event bus, in the order of the history.

A follower of the configuration history, with its cursor in the store: after a crash the last few items may be told
again, never left out. A message that is refused shows in the channel's status and is not tried again, as with AWS.
"""

from collections.abc import Sequence
from datetime import datetime

from trailstate.configuration.delivery import oversized_file, oversized_key
from trailstate.configuration.history import ConfigurationHistory
from trailstate.configuration.item import Item
from trailstate.configuration.notice import MESSAGE_BYTES_MAX, Message, Messenger, item_changed, oversized
from trailstate.configuration.recorder import Home
from trailstate.configuration.shipment import STREAM, Channel, channel_of, item_on, put_object, told_of
from trailstate.stores.interface import CONFIGURATION, Commit, Entry, ShelfChange, ShelfKey, Store
from trailstate.wire.call import Door
from trailstate.wire.fault import Fault
from trailstate.world import World


class Stream:
    """Follows the configuration history and tells of what is new in it."""

    name = "configuration-stream"
    ledger = CONFIGURATION
    linger_seconds = 0.05

    def __init__(
        self, world: World, store: Store, door: Door, history: ConfigurationHistory, messenger: Messenger
    ) -> None:
        self._world = world
        self._store = store
        self._door = door
        self._history = history
        self._messenger = messenger

    def cursor(self) -> int:
        return self._store.cursor(self.name)

    def apply(self, entries: Sequence[Entry]) -> None:
        if not self._history.catch_up():
            return  # the item before each must be known; what is told now is told with the next batch
        changes: dict[ShelfKey, ShelfChange] = {}
        for entry in entries:
            home = Home(entry.account, entry.region)
            item = item_on(entry, home)
            if item is not None:
                changes |= {change.key: change for change in self._tell(home, item)}
        self._store.commit(Commit(shelf=list(changes.values()), cursors={self.name: entries[-1].position}))

    def _tell(self, home: Home, item: Item) -> list[ShelfChange]:
        now = self._world.now()
        channel = channel_of(self._store, home)
        before = self._before(home, item)
        message = item_changed(home, before, item, now)
        if channel is not None and len(message.text.encode()) > MESSAGE_BYTES_MAX:
            message = self._oversized(home, channel, before, item, now)
        try:
            self._messenger.send(home, channel.get("snsTopicARN") if channel else None, message, now)
        except Fault as fault:
            return told_of(self._store, home, channel, STREAM, now, fault) if channel else []
        return told_of(self._store, home, channel, STREAM, now, None) if channel else []

    def _before(self, home: Home, item: Item) -> Item | None:
        state = item["configurationStateId"]
        found = self._history.history(
            home.account, home.region, item["resourceType"], item["resourceId"], after=state, limit=1
        )
        return found[0].item if found else None

    def _oversized(self, home: Home, channel: Channel, before: Item | None, item: Item, now: datetime) -> Message:
        key = oversized_key(channel, home, item, now)
        delivered: dict[str, str | None] = {
            "s3BucketLocation": f"{channel['s3BucketName']}/{key}",
            "errorCode": None,
            "errorMessage": None,
        }
        try:
            put_object(self._door, home, channel, key, oversized_file(item))
        except Fault as fault:
            told = (
                f"Failed to deliver notification to bucket: {channel['s3BucketName']} for account {home.account} "
                f"in region {home.region}."
            )
            delivered = {"s3BucketLocation": None, "errorCode": fault.code, "errorMessage": told}
        return oversized(home, before, item, delivered, now)
