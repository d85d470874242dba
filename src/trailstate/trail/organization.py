"""What a service knows of AWS Organizations: who manages one, who belongs to it, who administers the service for it.

Follows the CloudTrail user guide ("Creating a trail for an organization", "Organization delegated administrator"). The
facts are the estate's; they are asked through the Door as the service's principal. Who only wants to know
whether an account is a member gets a remembered answer: a member that left is noticed within a minute, one that joined
within a second.
"""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from trailstate.trail.trails import SERVICE
from trailstate.wire.call import Door, service_principal
from trailstate.wire.fault import Fault
from trailstate.world import World

MEMBERS_KEPT = timedelta(seconds=60)
STRANGERS_KEPT = timedelta(seconds=1)
PAGES_MAX = 1000
_REGION = "us-east-1"
"""Organizations has one endpoint for the whole world."""


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization as its management account sees it."""

    id: str
    management_account: str
    has_all_features: bool
    trusts_service: bool
    """Whether trusted access is enabled for the service."""
    administrators: frozenset[str]
    """The service's delegated administrators."""

    def is_run_by(self, account: str) -> bool:
        """Whether the account may act for the whole organization."""
        return account == self.management_account or account in self.administrators


class Organizations:
    """Asks AWS Organizations on a service's behalf, CloudTrail's by itself. Safe from any thread."""

    def __init__(self, door: Door, world: World, service: str = SERVICE) -> None:
        self._door = door
        self._world = world
        self._service = service
        self._members: dict[str, tuple[datetime, frozenset[str]]] = {}
        self._lock = threading.Lock()

    def of(self, account: str) -> Organization | None:
        """The organization an account belongs to, asked anew; None when it belongs to none."""
        described = self._described(account)
        if described is None:
            return None
        manager = described["MasterAccountId"]
        trusted = self._listed(manager, "ListAWSServiceAccessForOrganization", "EnabledServicePrincipals")
        return Organization(
            id=described["Id"],
            management_account=manager,
            has_all_features=described.get("FeatureSet", "ALL") == "ALL",
            trusts_service=any(each["ServicePrincipal"] == self._service for each in trusted),
            administrators=self._administrators(manager),
        )

    def members(self, manager: str) -> frozenset[str]:
        """Every active account of the organization that `manager` manages, asked anew; empty when it manages none."""
        described = self._described(manager)
        if described is None or described["MasterAccountId"] != manager:
            return frozenset()
        listed = self._listed(manager, "ListAccounts", "Accounts")
        return frozenset(each["Id"] for each in listed if each.get("Status", "ACTIVE") == "ACTIVE")

    def is_member(self, manager: str, account: str) -> bool:
        """Whether an account belongs to the organization that `manager` manages, as remembered."""
        asked, members = self._members.get(manager, (None, frozenset[str]()))
        kept = MEMBERS_KEPT if account in members else STRANGERS_KEPT
        if asked is None or not timedelta(0) <= self._world.now() - asked < kept:
            members = self._remember(manager)
        return account in members

    def forget(self) -> None:
        """Ask anew from now on."""
        with self._lock:
            self._members.clear()

    def _remember(self, manager: str) -> frozenset[str]:
        asked, members = self._world.now(), self.members(manager)
        with self._lock:
            self._members[manager] = asked, members
        return members

    def _described(self, account: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = self._ask(account, "DescribeOrganization", {})["Organization"]
        except Fault as fault:
            if fault.sender:  # in no organization, or in an estate that knows none
                return None
            raise
        return found

    def _administrators(self, manager: str) -> frozenset[str]:
        asked = {"ServicePrincipal": self._service}
        try:
            found = self._listed(manager, "ListDelegatedAdministrators", "DelegatedAdministrators", asked)
            return frozenset(each["Id"] for each in found)
        except Fault as fault:
            if fault.sender:  # an estate in which the service cannot have any
                return frozenset()
            raise

    def _listed(
        self, account: str, operation: str, member: str, parameters: Mapping[str, Any] | None = None
    ) -> Iterator[Mapping[str, Any]]:
        """Every page's items."""
        page: dict[str, Any] = dict(parameters or {})
        for _ in range(PAGES_MAX):
            answer = self._ask(account, operation, page)
            yield from answer.get(member, ())
            if not answer.get("NextToken"):
                return
            page["NextToken"] = answer["NextToken"]

    def _ask(self, account: str, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        principal = service_principal(self._service, account)
        return self._door.call("organizations", operation, parameters, account=account, region=_REGION, as_=principal)

    def act(self, account: str, operation: str, parameters: Mapping[str, Any]) -> None:
        """Change the organization on the service's behalf; raises Fault as Organizations does."""
        self._ask(account, operation, parameters)
