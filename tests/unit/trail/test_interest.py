"""Which data events are worth journalling, and that a change of trails is seen at the next one."""

from typing import Any

from trailstate.stores.interface import Commit, ShelfChange
from trailstate.stores.memory import MemoryStore
from trailstate.trail.interest import Interest
from trailstate.trail.trails import VERSION_KEY, trail_key
from trailstate.wire.call import Call, Principal, WireRequest
from trailstate.wire.fault import Fault
from trailstate.world import SimulatedWorld

OWNER, OTHER = "111122223333", "222233334444"
KEY = trail_key(OWNER, "eu-west-1", "audit")
OBJECTS = [{"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::reports/"]}]}]


def a_trail(**members: Any) -> dict[str, Any]:
    return {
        "TrailARN": f"arn:aws:cloudtrail:eu-west-1:{OWNER}:trail/audit",
        "S3BucketName": "evidence",
        "IsMultiRegionTrail": False,
        "IsOrganizationTrail": False,
        "IncludeGlobalServiceEvents": True,
        "IsLogging": True,
        "EventSelectors": OBJECTS,
    } | members


def a_put(bucket: str = "reports", *, account: str = OWNER, region: str = "eu-west-1") -> Call:
    return Call(
        service="s3",
        operation="PutObject",
        parameters={"Bucket": bucket, "Key": "x"},
        account=account,
        region=region,
        principal=Principal("Root", account),
        source_address="192.0.2.1",
        user_agent="test",
        request_id="r",
        event_id="e",
        now=SimulatedWorld(1).now(),
        request=WireRequest("PUT", "/reports/x", ()),
        protocol="rest-xml",
    )


class Shelf:
    """A store whose trails change as operations change them."""

    def __init__(self) -> None:
        self.store = MemoryStore(SimulatedWorld(1))
        self._version = 0

    def put(self, document: dict[str, Any] | None) -> None:
        self._version += 1
        version = ShelfChange(VERSION_KEY, {"Version": self._version})
        self.store.commit(Commit(shelf=[ShelfChange(KEY, document), version]))


def is_no_member(_manager: str, _account: str) -> bool:
    return False


def test_an_event_is_wanted_while_a_trail_that_logs_selects_it() -> None:
    shelf = Shelf()
    interest = Interest(shelf.store, is_no_member)
    assert not interest.selects(a_put())
    shelf.put(a_trail())
    assert interest.selects(a_put())
    assert not interest.selects(a_put("other"))
    assert not interest.selects(a_put(region="us-east-1"))
    assert not interest.selects(a_put(account=OTHER))
    shelf.put(a_trail(IsLogging=False))
    assert not interest.selects(a_put())
    shelf.put(None)
    assert not interest.selects(a_put())


def test_members_events_are_wanted_by_the_organizations_trail() -> None:
    shelf = Shelf()
    shelf.put(a_trail(IsOrganizationTrail=True, OrganizationId="o-1"))
    assert Interest(shelf.store, lambda manager, account: (manager, account) == (OWNER, OTHER)).selects(
        a_put(account=OTHER)
    )
    assert not Interest(shelf.store, is_no_member).selects(a_put(account=OTHER))


def test_an_event_is_kept_when_nobody_can_say_whose_it_is() -> None:
    def cannot_say(_manager: str, _account: str) -> bool:
        raise Fault("ServiceUnavailable", "the estate is restarting", 503)

    shelf = Shelf()
    shelf.put(a_trail(IsOrganizationTrail=True, OrganizationId="o-1"))
    assert Interest(shelf.store, cannot_say).selects(a_put(account=OTHER))
