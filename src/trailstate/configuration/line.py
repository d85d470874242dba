"""A line of the configuration history's ledger: `{"item", "facts", "cause", "key", "news"}`.

The item in the form of files and events, what is known beside it, the call that caused it, the key under which the API
knows the resource, and whether the item is new or only facts beside it are. A line of new facts has the state id of the
one before, and takes its place.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec

from trailstate.configuration.item import GONE, Item, digest
from trailstate.stores.interface import CONFIGURATION, Append, Entry

ITEM = "item"
FACTS = "facts"

_encode = msgspec.json.Encoder(order="sorted").encode
_in_order = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Recorded:
    """One item as it stands in the history."""

    item: Item
    facts: dict[str, Any]
    cause: dict[str, Any] | None
    key: str
    news: str = ITEM
    """What its line brought: a new item, or only new facts beside the last one."""

    @property
    def is_gone(self) -> bool:
        """Whether it says that the resource is no more."""
        return self.item["configurationItemStatus"] in GONE


def line(account: str, region: str, recorded: Recorded) -> Append:
    """An item as a line of the ledger, under the account and region of its recorder."""
    body = {
        "key": recorded.key,
        "news": recorded.news,
        "item": recorded.item,
        "facts": recorded.facts,
        "cause": recorded.cause,
    }
    return Append(CONFIGURATION, account, region, _in_order(body))


def read(entry: Entry) -> Recorded:
    """The item on a line of the ledger."""
    return Recorded(**_decode(entry.body))


def digest_with_facts(item: Item, facts: dict[str, Any]) -> bytes:
    """Equal when nothing changed: 16 bytes of the item, then 16 of the facts."""
    return digest(item) + blake2b(_encode(facts), digest_size=16).digest()
