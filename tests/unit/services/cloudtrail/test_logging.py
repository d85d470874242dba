"""A call that changes a trail commits the new state, and under its own event id what it made of the trail."""

from collections.abc import Mapping
from typing import Any

from trailstate.services.cloudtrail.logging import start_logging, stop_logging
from trailstate.services.cloudtrail.selectors import put_event_selectors
from trailstate.services.cloudtrail.trail import delete_trail
from trailstate.stores.interface import Commit, ShelfChange
from trailstate.stores.memory import MemoryStore
from trailstate.stores.staged import StagedShelf
from trailstate.trail.organization import Organizations
from trailstate.trail.trails import DEFAULT_SELECTORS, change_of, trail_key, trails
from trailstate.wire.call import Call, Principal, WireRequest
from trailstate.world import SimulatedWorld

OWNER, REGION = "111122223333", "eu-west-1"
KEY = trail_key(OWNER, REGION, "audit")
TRAIL = {
    "Name": "audit",
    "TrailARN": f"arn:aws:cloudtrail:{REGION}:{OWNER}:trail/audit",
    "S3BucketName": "evidence",
    "HomeRegion": REGION,
    "IsMultiRegionTrail": False,
    "IsOrganizationTrail": False,
    "IncludeGlobalServiceEvents": True,
    "IsLogging": True,
    "Generation": 1,
    "EventSelectors": list(DEFAULT_SELECTORS),
}


class NoDoor:
    """An account's own trail needs nobody else."""

    def call(self, service: str, operation: str, parameters: Mapping[str, Any], **_: Any) -> Mapping[str, Any]:
        raise AssertionError(f"nobody should ask {service} {operation}")


class House:
    """A store with one trail, and calls on it."""

    def __init__(self) -> None:
        self.world = SimulatedWorld(1)
        self.store = MemoryStore(self.world)
        self.store.commit(Commit(shelf=[ShelfChange(KEY, dict(TRAIL))]))
        self.organizations = Organizations(NoDoor(), self.world)

    def does(self, operation: Any, event_id: str, *needs: Any, **members: Any) -> Commit:
        """Run an operation and commit what it staged, as the gateway does."""
        call = Call(
            service="cloudtrail",
            operation=operation.__name__,
            parameters=members,
            account=OWNER,
            region=REGION,
            principal=Principal("Root", OWNER),
            source_address="192.0.2.1",
            user_agent="test",
            request_id="r",
            event_id=event_id,
            now=self.world.now(),
            request=WireRequest("POST", "/", ()),
        )
        shelf = StagedShelf(self.store)
        operation(call, shelf, *needs, self.organizations, **members)
        staged = shelf.staged()
        self.store.commit(staged)
        return staged

    def after(self, event_id: str) -> Mapping[str, Any] | None:
        """The trail's document from the record with that event id on; None once it is deleted."""
        record = {"recipientAccountId": OWNER, "awsRegion": REGION, "eventID": event_id}
        change = change_of(self.store, record)
        assert change is not None
        assert change.key == KEY
        return None if change.trail is None else change.trail.document


def test_each_call_leaves_the_state_that_holds_after_its_record() -> None:
    house = House()
    house.does(stop_logging, "e-1", Name="audit")
    house.does(start_logging, "e-2", Name="audit")
    house.does(put_event_selectors, "e-3", TrailName="audit", EventSelectors=[{"ReadWriteType": "ReadOnly"}])
    house.does(delete_trail, "e-4", Name="audit")

    stopped, started, narrowed = (house.after(event_id) for event_id in ("e-1", "e-2", "e-3"))

    assert stopped is not None
    assert started is not None
    assert narrowed is not None
    assert (stopped["IsLogging"], stopped["Generation"]) == (False, 1)
    assert (started["IsLogging"], started["Generation"]) == (True, 2)
    assert narrowed["EventSelectors"][0]["ReadWriteType"] == "ReadOnly"
    assert house.after("e-4") is None
    assert trails(house.store) == []


def test_state_and_change_are_one_commit() -> None:
    kinds = {change.key.kind for change in House().does(stop_logging, "e-1", Name="audit").shelf}
    assert kinds == {"trail.trail", "trail.change", "trail.version"}


def test_starting_what_logs_changes_nothing() -> None:
    assert House().does(start_logging, "e-1", Name="audit") == Commit()
