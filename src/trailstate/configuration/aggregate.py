"""Aggregators: which accounts and regions one may read, and why not the others.

Follows "Multi-Account Multi-Region Data Aggregation for AWS Config" in the developer guide. An aggregator reads its
sources when it is asked and keeps no copy of them, and whether it may is looked up at every read: in its own account it
always may; in another, only in the regions where that account authorized the aggregator's account and region; in an
organization, only while its account manages the organization or was made AWS Config's administrator there. Nothing is
told of what may not be read, not even in which regions there is something.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trailstate.configuration.recorder import RECORDER, Home
from trailstate.stores.interface import ShelfKey, Store
from trailstate.trail.organization import Organizations

SERVICE = "config.amazonaws.com"
AGGREGATOR = "config.aggregator"
AUTHORIZATION = "config.authorization"
DECLINED = "config.declined_request"

ACCOUNT, ORGANIZATION = "ACCOUNT", "ORGANIZATION"

Aggregator = Mapping[str, Any]
"""Its document: AWS's ConfigurationAggregator, with times as texts."""


@dataclass(frozen=True, slots=True)
class Source:
    """One account and region that an aggregator wants to read."""

    home: Home
    kind: str
    obstacle: str = ""
    """Why it may not be read; empty when it may."""


def authorization_key(source: Home, reader: Home) -> ShelfKey:
    """Where it stands that an aggregator of `reader` may read `source`."""
    return ShelfKey(source.account, source.region, AUTHORIZATION, f"{reader.account}/{reader.region}")


def declined_key(source: Home, reader: Home) -> ShelfKey:
    """Where it stands that `source` wants to hear no more of the wish of `reader`."""
    return ShelfKey(source.account, source.region, DECLINED, f"{reader.account}/{reader.region}")


class Aggregation:
    """Knows what aggregators may read now. Safe from any thread."""

    def __init__(self, store: Store, organizations: Organizations) -> None:
        self._store = store
        self.organizations = organizations

    def homes(self, owner: Home, aggregator: Aggregator) -> list[Home]:
        """What an aggregator of `owner` may read."""
        return [each.home for each in self.sources(owner, aggregator) if not each.obstacle]

    def sources(self, owner: Home, aggregator: Aggregator) -> list[Source]:
        """What it wants to read, by account and region."""
        organization = aggregator.get("OrganizationAggregationSource")
        found = (
            [
                each
                for wanted in aggregator.get("AccountAggregationSources", ())
                for account in wanted["AccountIds"]
                for each in self._of_account(owner, account, wanted)
            ]
            if organization is None
            else list(self._of_organization(owner, organization))
        )
        return sorted(dict.fromkeys(found), key=lambda each: (each.home.account, each.home.region))

    def _of_account(self, owner: Home, account: str, wanted: Mapping[str, Any]) -> Iterator[Source]:
        if account == owner.account:
            yield from self._of_readable(account, wanted, ACCOUNT)
            return
        allowed = self._authorized(account, owner)
        regions = wanted.get("AwsRegions") or allowed or [owner.region]
        for region in regions:
            obstacle = "" if region in allowed else _not_authorized(owner, account, region)
            yield Source(Home(account, region), ACCOUNT, obstacle)

    def _authorized(self, account: str, owner: Home) -> list[str]:
        """The regions of an account in which it lets aggregators of `owner` read."""
        found = self._store.documents(account, None, AUTHORIZATION)
        return [key.region for key, _ in found if key.name == f"{owner.account}/{owner.region}"]

    def _of_organization(self, owner: Home, wanted: Mapping[str, Any]) -> Iterator[Source]:
        organization = self.organizations.of(owner.account)
        if organization is None or not organization.is_run_by(owner.account):
            obstacle = f"The account {owner.account} does not run an organization, or is not its administrator."
            yield Source(owner, ORGANIZATION, obstacle)
            return
        for account in sorted(self.organizations.members(organization.management_account)):
            yield from self._of_readable(account, wanted, ORGANIZATION)

    def _of_readable(self, account: str, wanted: Mapping[str, Any], kind: str) -> Iterator[Source]:
        recorders = self._store.documents(account, None, RECORDER)
        regions: Sequence[str] = wanted.get("AwsRegions") or [key.region for key, _ in recorders]
        for region in regions:
            yield Source(Home(account, region), kind)

    def requests(self, source: Home) -> list[Home]:
        """Whose aggregators want to read an account and region that neither authorized nor declined it."""
        found = []
        for key, document in self._store.documents(None, None, AGGREGATOR):
            reader = Home(key.account, key.region)
            if reader not in found and self._waits(source, reader, document.value):
                found.append(reader)
        return found

    def _waits(self, source: Home, reader: Home, aggregator: Aggregator) -> bool:
        if reader.account == source.account or not _wants(aggregator, source):
            return False
        if self._store.get(authorization_key(source, reader)) is not None:
            return False
        declined = self._store.get(declined_key(source, reader))
        return declined is None or _moment(aggregator["LastUpdatedTime"]) > _moment(declined.value["time"])


def _wants(aggregator: Aggregator, source: Home) -> bool:
    return any(
        source.account in each["AccountIds"] and source.region in (each.get("AwsRegions") or (source.region,))
        for each in aggregator.get("AccountAggregationSources", ())
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _not_authorized(owner: Home, account: str, region: str) -> str:
    return (
        f"The account {account} has not authorized the account {owner.account} in {owner.region} to collect data from"
        f" {region}."
    )
