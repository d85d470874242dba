"""An operation that does not fit AWS's model fails where it is declared, with a sentence that says why."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from trailstate.services.operation import OPERATIONS, MisdeclaredOperation, bind, declare, operation
from trailstate.services.owned import OWNED_OPERATIONS, OWNED_SERVICES, is_owned, operations, ownership
from trailstate.stores.memory import MemoryStore
from trailstate.stores.staged import StagedShelf
from trailstate.wire.call import Call, Principal, WireRequest
from trailstate.world import SimulatedWorld


class Clock:
    """Something of the house that an operation may need."""


def get_trail_status(call: Call, shelf: StagedShelf, clock: Clock, *, Name: str) -> dict[str, Any]:
    return {"IsLogging": isinstance(clock, Clock), "LatestDeliveryError": f"{Name} in {call.region}"}


def lookup_the_events(call: Call) -> dict[str, Any]:
    return {}


def without_its_member() -> Callable[..., Any]:
    def get_trail_status(call: Call) -> dict[str, Any]:
        return {}

    return get_trail_status


def with_a_member_too_many() -> Callable[..., Any]:
    def get_trail_status(call: Call, *, Name: str, Region: str | None = None) -> dict[str, Any]:
        return {}

    return get_trail_status


def with_its_own_spelling() -> Callable[..., Any]:
    def get_trail_status(call: Call, *, name: str) -> dict[str, Any]:
        return {}

    return get_trail_status


def with_a_default_for_what_is_required() -> Callable[..., Any]:
    def get_trail_status(call: Call, *, Name: str = "default") -> dict[str, Any]:
        return {}

    return get_trail_status


def without_a_default_for_what_is_not() -> Callable[..., Any]:
    def describe_trails(
        call: Call, *, trailNameList: list[str], includeShadowTrails: bool | None = None
    ) -> dict[str, Any]:
        return {}

    return describe_trails


def without_the_call() -> Callable[..., Any]:
    def get_trail_status(*, Name: str) -> dict[str, Any]:
        return {}

    return get_trail_status


def with_something_else_first() -> Callable[..., Any]:
    def get_trail_status(shelf: StagedShelf, call: Call, *, Name: str) -> dict[str, Any]:
        return {}

    return get_trail_status


@pytest.mark.parametrize(
    ("function", "complaint"),
    [
        (lookup_the_events, "'cloudtrail' has no operation 'lookup_the_events' in AWS's model"),
        (without_its_member(), r"GetTrailStatus takes \['Name'\] in AWS's model, but the function takes \[\]"),
        (with_a_member_too_many(), r"takes \['Name'\] in AWS's model, but the function takes \['Name', 'Region'\]"),
        (with_its_own_spelling(), r"takes \['Name'\] in AWS's model, but the function takes \['name'\]"),
        (
            with_a_default_for_what_is_required(),
            r"requires \['Name'\]; give exactly the others a default",
        ),
        (without_a_default_for_what_is_not(), r"requires \[\]; give exactly the others a default"),
        (without_the_call(), "the first parameter of 'get_trail_status' must be the Call"),
        (with_something_else_first(), "the first parameter of 'get_trail_status' must be the Call"),
    ],
)
def test_a_misdeclared_operation_fails_when_it_is_imported(function: Callable[..., Any], complaint: str) -> None:
    registered = dict(OPERATIONS)

    with pytest.raises(MisdeclaredOperation, match=complaint):
        operation("cloudtrail")(function)

    assert registered == OPERATIONS


def test_a_service_that_botocore_does_not_know_fails_too() -> None:
    with pytest.raises(LookupError, match="clodtrail"):
        operation("clodtrail")(get_trail_status)


def test_an_operation_that_judges_a_member_it_does_not_have_fails() -> None:
    with pytest.raises(MisdeclaredOperation, match=r"judges members it does not have: \['MaxResults'\]"):
        declare("cloudtrail", get_trail_status, judges=["Name", "MaxResults"])


def test_a_declaration_says_which_operation_it_is_and_what_it_needs() -> None:
    declared = declare("cloudtrail", get_trail_status, judges=["Name"])

    assert (declared.service, declared.name) == ("cloudtrail", "GetTrailStatus")
    assert declared.needs == (StagedShelf, Clock)
    assert declared.judges == {"Name"}


def test_a_bound_operation_gets_its_needs_and_its_parameters() -> None:
    bound = bind(declare("cloudtrail", get_trail_status), {Clock: Clock()})

    answer = bound.handle(a_call({"Name": "audit"}), StagedShelf(MemoryStore(SimulatedWorld())))

    assert answer == {"IsLogging": True, "LatestDeliveryError": "audit in eu-west-1"}


def a_call(parameters: dict[str, Any]) -> Call:
    return Call(
        service="cloudtrail",
        operation="GetTrailStatus",
        parameters=parameters,
        account="111122223333",
        region="eu-west-1",
        principal=Principal(type="Root", account="111122223333"),
        source_address="203.0.113.7",
        user_agent="test",
        request_id="request",
        event_id="event",
        now=datetime.fromisoformat("2026-01-15T09:30:00+00:00"),
        request=WireRequest("POST", "/", ()),
    )


def test_a_need_that_nobody_provides_is_named() -> None:
    with pytest.raises(LookupError, match="cloudtrail GetTrailStatus needs Clock, which nobody provides"):
        bind(declare("cloudtrail", get_trail_status), {})


def test_every_operation_is_registered_under_a_service_of_ours() -> None:
    assert all(is_owned(service, name) for service, name in operations())


def test_what_is_not_ours_goes_to_the_estate() -> None:
    assert is_owned("config", "PutConfigRule")
    assert is_owned("sts", "GetCallerIdentity")
    assert not is_owned("sts", "AssumeRole")
    assert not is_owned("iam", "CreateUser")


def test_ownership_lists_each_operation_once_as_done_or_not_yet() -> None:
    table = ownership()

    assert set(table) == {*OWNED_SERVICES, *OWNED_OPERATIONS}
    assert "LookupEvents" in table["cloudtrail"]["done"]
    assert "PutConfigRule" in table["config"]["done"] + table["config"]["not_yet"]
    for rows in table.values():
        assert not set(rows["done"]) & set(rows["not_yet"])
