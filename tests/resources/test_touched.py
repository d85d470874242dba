"""Every row of `touched_by` is a call that AWS records, and the record has a member where the row looks for the key."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from trailstate.catalog.resources import resource_types
from trailstate.configuration.form import ALL, ResourceType
from trailstate.trail.category import classify, event_prefix
from trailstate.trail.plan import plan_of
from trailstate.values.path import pick
from trailstate.wire import model
from trailstate.wire.call import Call, Outcome, Principal, WireRequest, WireResponse

NOW = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
ONE_SOURCE = ({"s3", "s3control"}, {"es", "opensearch"}, {"elb", "elbv2"}, {"apigateway", "apigatewayv2"})
"""botocore's services that record under one event source."""

Record = dict[str, Any]


def rows(declared: ResourceType) -> Iterator[tuple[str, str, list[str]]]:
    for written, places in declared.touched_by.items():
        service, _, event = written.rpartition(":")
        yield service or declared.touching_service, event, [places] if isinstance(places, str) else list(places)


def recordings(service: str, event: str) -> list[Record]:
    """Records of every operation that goes by this event name at the service's event source."""
    together = next((each for each in ONE_SOURCE if service in each), {service})
    assert len({event_prefix(each) for each in together}) == 1
    return [recorded(each, operation) for each in sorted(together) for operation in operations(each).get(event, ())]


@cache
def operations(service: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in model.service_model(service).operation_names:
        found.setdefault(classify(service, name).event_name, []).append(name)
    return found


@cache
def recorded(service: str, operation: str) -> Record:
    """The record of a call that filled in everything and was answered with everything."""
    known = model.operation_model(service, operation)
    call = a_call(service, operation, filled(known.input_shape))
    plan = plan_of(service, operation)
    outcome = Outcome(WireResponse(200, ()), result=filled(known.output_shape))
    request = {"bucketName": "b"} if service == "s3" else plan.request(call)
    return {
        "requestParameters": request,
        "responseElements": None if service == "s3" else plan.response(call, outcome),
        "userIdentity": {"userName": "ana"},
    }


def a_call(service: str, operation: str, parameters: Any) -> Call:
    principal = Principal(type="IAMUser", account="123456789012")
    request = WireRequest(method="POST", target="/", headers=())
    return Call(
        service=service,
        operation=operation,
        parameters=parameters or {},
        account="123456789012",
        region="us-east-1",
        principal=principal,
        source_address="127.0.0.1",
        user_agent="",
        request_id="r",
        event_id="e",
        now=NOW,
        request=request,
    )


def filled(shape: Any, above: tuple[str, ...] = ()) -> Any:
    """A value of the shape with every member, down to where it repeats itself."""
    if shape is None or shape.name in above:
        return None
    above = (*above, shape.name)
    if shape.type_name == "structure":
        members = {name: filled(member, above) for name, member in shape.members.items()}
        return {name: value for name, value in members.items() if value is not None}
    if shape.type_name in ("list", "map"):
        inner = filled(shape.member if shape.type_name == "list" else shape.value, above)
        return None if inner is None else [inner] if shape.type_name == "list" else {"key": inner}
    return {"timestamp": NOW, "boolean": True, "blob": b"x", "string": "text"}.get(shape.type_name, 1)


@pytest.mark.parametrize("declared", resource_types().values(), ids=lambda each: each.name)
def test_every_row_names_a_recorded_call(declared: ResourceType) -> None:
    unknown = [(service, event) for service, event, _ in rows(declared) if not recordings(service, event)]
    assert unknown == []


@pytest.mark.parametrize("declared", resource_types().values(), ids=lambda each: each.name)
def test_every_place_stands_in_the_record(declared: ResourceType) -> None:
    missing = [
        (event, place)
        for service, event, places in rows(declared)
        for place in places
        if place != ALL and not any(pick(record, place) for record in recordings(service, event))
    ]
    assert missing == []
