"""One call from wire to answer: the intent first, then the effect, then the record, then the answer; or a refusal."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from trailstate.estate.interface import (
    Credential,
    EstateFailed,
    EstateRequest,
    EstateUnavailable,
    EstateUnsupported,
    nothing,
)
from trailstate.gateway.dispatch import ATTEMPTS_MAX, Dispatcher
from trailstate.gateway.metrics import GatewayMetrics
from trailstate.gateway.record import Recorder
from trailstate.identity.principals import Principals, root
from trailstate.services.operation import Bound, bind, declare
from trailstate.stores.interface import JOURNAL, Commit, ShelfChange, ShelfKey, StoreUnavailable
from trailstate.stores.memory import Faults, MemoryStore
from trailstate.stores.staged import StagedShelf
from trailstate.trail.journal import Fate
from trailstate.wire.call import Call, WireRequest, WireResponse, service_principal
from trailstate.wire.fault import Fault, faults
from trailstate.wire.serialize import serialize
from trailstate.world import SimulatedWorld

ACCOUNT = "111122223333"
REGION = "eu-west-1"
DONE = WireResponse(
    200,
    (("content-type", "text/xml"),),
    b"<CreateUserResponse><CreateUserResult><User><UserName>eve</UserName></User></CreateUserResult>"
    b"<ResponseMetadata><RequestId/></ResponseMetadata></CreateUserResponse>",
)
TRAIL = ShelfKey(ACCOUNT, REGION, "trail", "audit")


class Rehearsed:
    """An estate that says what it was told to say, and remembers what was asked and what was durable at that moment."""

    def __init__(self, store: MemoryStore) -> None:
        self.answer: WireResponse | Exception = DONE
        self.asked: list[EstateRequest] = []
        self.intents: list[int] = []
        self._store = store

    def handle(self, request: EstateRequest, meanwhile: Callable[[], None] = nothing) -> WireResponse:
        self.asked.append(request)
        self.intents.append(len(self._store.intents()))
        meanwhile()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def credential(self, access_key_id: str) -> Credential | None:
        return None

    def reset(self) -> None: ...

    def close(self) -> None: ...


class House:
    """A dispatcher over a store in memory and a rehearsed estate."""

    def __init__(
        self,
        handlers: Mapping[tuple[str, str], Bound] | None = None,
        *,
        data_events: str = "none",
        on_audit_failure: str = "refuse",
        unanswered: Fate = Fate.NOT_APPLIED,
    ) -> None:
        world = SimulatedWorld()
        self.faults = Faults()
        self.store = MemoryStore(world, self.faults)
        self.estate = Rehearsed(self.store)
        self.metrics = GatewayMetrics()
        self.recorder = Recorder(self.store, data_events=data_events, on_audit_failure=on_audit_failure)
        self.dispatcher = Dispatcher(
            world=world,
            store=self.store,
            estate=self.estate,
            principals=Principals(self.estate, [ACCOUNT], {}),
            recorder=self.recorder,
            handlers=handlers or {},
            metrics=self.metrics,
            default_region=REGION,
            unanswered=unanswered,
        )

    def send(self, service: str, operation: str, **parameters: Any) -> WireResponse:
        request = serialize(service, operation, parameters, region=REGION, access_key_id=ACCOUNT)
        return self.dispatcher.handle(request)

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(entry.body) for entry in self.store.read(JOURNAL, 0, 100)]

    @property
    def errors(self) -> list[tuple[str, str | None]]:
        return [(each["eventName"], each.get("errorCode")) for each in self.records]


# A call that takes effect in the estate.


def test_the_intent_is_durable_before_the_effect_and_settled_with_the_record() -> None:
    house = House()

    answer = house.send("sqs", "DeleteQueue", QueueUrl="https://q")

    assert answer.status == 200
    assert house.estate.intents == [1]
    assert house.store.intents() == []
    assert house.errors == [("DeleteQueue", None)]


def test_a_read_leaves_no_intent() -> None:
    house = House()

    house.send("sqs", "ListQueues")

    assert house.estate.intents == [0]
    assert house.errors == [("ListQueues", None)]


def test_the_request_id_is_the_same_in_answer_and_record() -> None:
    house = House()

    answer = house.send("iam", "ListUsers")

    [written] = house.records
    assert f"<RequestId>{written['requestID']}</RequestId>".encode() in answer.body
    assert ("x-amzn-requestid", written["requestID"]) in answer.headers


@pytest.mark.parametrize("kept", [False, True])
def test_without_a_durable_intent_nothing_is_done(kept: bool) -> None:
    house = House()
    house.faults.arm("commit", kept=kept)

    answer = house.send("iam", "CreateUser", UserName="eve")

    assert answer.status == 503
    assert house.estate.asked == []
    assert house.records == []
    assert len(house.store.intents()) == kept


def test_an_effect_whose_record_was_not_kept_is_not_answered_and_keeps_its_intent() -> None:
    house = House()
    house.estate.answer = DONE
    house.estate.handle = after(house.estate.handle, lambda: house.faults.arm("commit"))  # type: ignore[method-assign]

    answer = house.send("iam", "CreateUser", UserName="eve")

    assert answer.status == 503
    assert len(house.estate.asked) == 1
    assert house.records == []
    assert [left.account for left in house.store.intents()] == [ACCOUNT]


def after(work: Callable[[EstateRequest], WireResponse], then: Callable[[], None]) -> Any:
    def handle(request: EstateRequest, meanwhile: Callable[[], None] = nothing) -> WireResponse:
        answer = work(request)
        then()
        return answer

    return handle


def test_a_record_that_was_kept_unnoticed_is_not_doubled() -> None:
    house = House()
    house.estate.handle = after(  # type: ignore[method-assign]
        house.estate.handle, lambda: house.faults.arm("commit", kept=True)
    )

    assert house.send("iam", "CreateUser", UserName="eve").status == 503

    assert house.errors == [("CreateUser", None)]
    assert house.store.intents() == []


def test_a_refusal_for_want_of_a_record_says_when_to_come_again() -> None:
    house = House()
    house.faults.arm("commit")

    answer = house.send("iam", "CreateUser", UserName="eve")

    assert b"ServiceUnavailable" in answer.body
    assert "retry-after" in dict(answer.headers)


def test_where_the_settings_say_count_the_call_goes_on_and_is_counted() -> None:
    house = House(on_audit_failure="count")
    house.faults.arm("commit", count=2)

    answer = house.send("iam", "CreateUser", UserName="eve")

    assert answer.status == 200
    assert house.recorder.calls_not_recorded == 2
    assert house.records == []


# What the estate cannot do.


def test_an_operation_the_estate_lacks_is_refused_by_name() -> None:
    house = House()
    house.estate.answer = EstateUnsupported("no such operation")

    answer = house.send("iam", "CreateUser", UserName="eve")

    assert answer.status == 400
    assert b"is not supported by Trailstate yet" in answer.body
    assert house.errors == [("CreateUser", "InvalidAction")]


def test_an_estate_that_breaks_is_an_internal_failure_without_its_reason() -> None:
    house = House()
    house.estate.answer = EstateFailed("Traceback: secret")

    answer = house.send("iam", "CreateUser", UserName="eve")

    assert answer.status == 500
    assert b"Traceback" not in answer.body
    assert house.errors == [("CreateUser", "InternalFailure")]
    assert house.store.intents() == []


def test_an_estate_that_breaks_over_what_the_model_forbids_is_not_to_blame() -> None:
    house = House()
    house.estate.answer = EstateFailed("KeyError: 'UserName'")

    answer = house.send("iam", "CreateUser")

    assert answer.status == 400
    assert b"<Code>ValidationError</Code>" in answer.body
    assert house.errors == [("CreateUser", "ValidationException")]


@pytest.mark.parametrize(
    ("applied", "unanswered", "outcome"),
    [
        (False, Fate.NOT_APPLIED, "not applied"),
        (False, Fate.UNKNOWN, "not applied"),
        (True, Fate.NOT_APPLIED, "not applied"),
        (True, Fate.UNKNOWN, "outcome unknown"),
    ],
)
def test_an_estate_that_gives_no_answer_leaves_what_is_known(applied: bool, unanswered: Fate, outcome: str) -> None:
    house = House(unanswered=unanswered)
    house.estate.answer = EstateUnavailable("it died", applied=applied)

    answer = house.send("iam", "CreateUser", UserName="eve")

    assert answer.status == 503
    assert house.errors == [("CreateUser", "ServiceUnavailable")]
    assert house.records[0]["additionalEventData"] == {"outcome": outcome}
    assert house.store.intents() == []


def test_a_refusal_of_the_estate_is_recorded_as_one() -> None:
    house = House()
    error = b"<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>no eve</Message></Error></ErrorResponse>"
    house.estate.answer = WireResponse(404, (("content-type", "text/xml"),), error)

    assert house.send("iam", "DeleteUser", UserName="eve").status == 404

    assert [(each["errorCode"], each["errorMessage"]) for each in house.records] == [
        ("NoSuchEntityException", "no eve")
    ]


# Data events.


def test_a_data_event_nobody_asked_for_is_counted_and_not_kept() -> None:
    house = House(data_events="none")

    assert house.send("s3", "PutObject", Bucket="b", Key="k", Body=b"x").status == 200

    assert house.estate.intents == [0]
    assert house.records == []
    assert house.recorder.data_events_not_kept == 1


def test_a_data_event_somebody_asked_for_is_kept_like_any_other() -> None:
    house = House(data_events="all")

    house.send("s3", "PutObject", Bucket="b", Key="k", Body=b"x")

    assert house.estate.intents == [1]
    assert house.errors == [("PutObject", None)]


# Operations of our own.


def delete_trail(call: Call, shelf: StagedShelf, *, Name: str) -> dict[str, Any]:
    key = ShelfKey(call.account, call.region, "trail", Name)
    if shelf.get(key) is None:
        raise faults("cloudtrail").TrailNotFoundException(f"Unknown trail: {Name}")
    shelf.delete(key)
    return {}


def describe_trails(call: Call, *, trailNameList: Any = None, includeShadowTrails: Any = None) -> dict[str, Any]:
    raise StoreUnavailable("the disk does not answer")


def with_trail(handler: Bound, operation: str = "DeleteTrail", **settings: Any) -> House:
    house = House({("cloudtrail", operation): handler}, **settings)
    house.store.commit(Commit(shelf=[ShelfChange(TRAIL, {"Name": "audit"})]))
    return house


OPERATION = bind(declare("cloudtrail", delete_trail), {})


def test_an_own_operation_and_its_record_commit_together() -> None:
    house = with_trail(OPERATION)

    assert house.send("cloudtrail", "DeleteTrail", Name="audit").status == 200

    assert house.store.get(TRAIL) is None
    assert house.errors == [("DeleteTrail", None)]
    assert house.estate.asked == []


def test_neither_is_kept_when_the_commit_fails() -> None:
    house = with_trail(OPERATION)
    house.faults.arm("commit")

    assert house.send("cloudtrail", "DeleteTrail", Name="audit").status == 503

    assert house.store.get(TRAIL) is not None
    assert house.records == []


def test_a_store_that_cannot_be_read_is_told_and_recorded() -> None:
    house = with_trail(bind(declare("cloudtrail", describe_trails), {}), operation="DescribeTrails")

    assert house.send("cloudtrail", "DescribeTrails").status == 503

    ((name, code),) = house.errors
    assert name == "DescribeTrails"
    assert code is not None


def test_a_change_that_was_not_kept_is_never_called_done() -> None:
    """`count` is about records; the trail is still there, so the answer cannot be a success."""
    house = with_trail(OPERATION, on_audit_failure="count")
    house.faults.arm("commit")

    assert house.send("cloudtrail", "DeleteTrail", Name="audit").status == 503

    assert house.store.get(TRAIL) is not None


def test_a_refusal_changes_nothing_and_is_recorded() -> None:
    house = with_trail(OPERATION)

    answer = house.send("cloudtrail", "DeleteTrail", Name="other")

    assert (answer.status, json.loads(answer.body)["__type"]) == (400, "TrailNotFoundException")
    assert house.errors == [("DeleteTrail", "TrailNotFoundException")]


def test_parameters_are_held_against_the_model_before_the_operation_sees_them() -> None:
    house = with_trail(OPERATION)

    answer = house.send("cloudtrail", "DeleteTrail")

    assert answer.status == 400
    assert [code for _, code in house.errors] == [json.loads(answer.body)["__type"]]


class Contended:
    """Somebody else writes the trail while the operation runs, the first `times` times."""

    def __init__(self, times: int) -> None:
        self.house = with_trail(Bound(self.run, frozenset(), {}))
        self.left = times
        self.runs = 0

    def run(self, call: Call, shelf: StagedShelf) -> Mapping[str, Any]:
        result = OPERATION.handle(call, shelf)
        self.runs += 1
        if self.left:
            self.left -= 1
            self.house.store.commit(Commit(shelf=[ShelfChange(TRAIL, {"Name": "audit", "run": self.runs})]))
        return result


def test_an_operation_runs_again_when_what_it_read_was_changed() -> None:
    contended = Contended(ATTEMPTS_MAX - 1)

    assert contended.house.send("cloudtrail", "DeleteTrail", Name="audit").status == 200

    assert contended.runs == ATTEMPTS_MAX
    assert contended.house.store.get(TRAIL) is None
    assert contended.house.errors == [("DeleteTrail", None)]


def test_an_operation_that_never_gets_through_is_throttled_and_recorded() -> None:
    contended = Contended(1000)

    answer = contended.house.send("cloudtrail", "DeleteTrail", Name="audit")

    assert answer.status == 400
    assert json.loads(answer.body)["__type"] == "ThrottlingException"
    assert contended.runs == ATTEMPTS_MAX
    assert contended.house.errors == [("DeleteTrail", "ThrottlingException")]


def test_an_operation_of_ours_without_a_function_never_reaches_the_estate() -> None:
    house = House()

    answer = house.send("config", "PutConfigurationRecorder", ConfigurationRecorder={"name": "default"})

    assert b"is not supported by Trailstate yet" in answer.body
    assert house.estate.asked == []
    assert [name for name, _ in house.errors] == ["PutConfigurationRecorder"]


# What cannot be understood.


def signed(target: str, body: bytes) -> WireRequest:
    authorization = f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260115/{REGION}/config/aws4_request"
    headers = (
        ("x-amz-target", target),
        ("content-type", "application/x-amz-json-1.1"),
        ("authorization", f"{authorization}, SignedHeaders=host, Signature=0"),
    )
    return WireRequest("POST", "/", headers, body, body_size=len(body))


def test_an_operation_that_aws_does_not_know_is_refused_and_recorded() -> None:
    house = House()

    answer = house.dispatcher.handle(signed("StarlingDoveService.DoNothing", b"{}"))

    assert (answer.status, json.loads(answer.body)["__type"]) == (400, "UnknownOperationException")
    assert house.errors == [("DoNothing", "UnknownOperationException")]


def test_parameters_that_cannot_be_read_are_refused_and_recorded() -> None:
    house = House()

    answer = house.dispatcher.handle(signed("StarlingDoveService.PutConfigRule", b'{"a": NaN}'))

    assert (answer.status, json.loads(answer.body)["__type"]) == (400, "SerializationException")
    assert house.errors == [("PutConfigRule", "SerializationException")]
    assert house.records[0]["requestParameters"] is None


@pytest.mark.parametrize(
    "request_", [WireRequest("GET", "/%ff?%ff", ()), WireRequest("POST", "/", (), b"", body_size=0)]
)
def test_a_request_that_names_no_service_is_refused_in_an_error_form(request_: WireRequest) -> None:
    house = House()

    answer = house.dispatcher.handle(request_)

    assert 400 <= answer.status < 500
    assert b"html" not in answer.body.lower()


# The house's own door.


def test_the_door_answers_with_members_and_records_like_any_call() -> None:
    house = with_trail(OPERATION)

    found = house.dispatcher.call(
        "cloudtrail", "DeleteTrail", {"Name": "audit"}, account=ACCOUNT, region=REGION, as_=root(ACCOUNT)
    )

    assert found == {}
    assert house.records[0]["userIdentity"]["type"] == "Root"


def test_what_a_service_does_unseen_leaves_no_record() -> None:
    """AWS records that a service assumed a role, and not that it looked around."""
    house = House()
    config = service_principal("config.amazonaws.com", ACCOUNT)
    house.dispatcher.call("ec2", "DescribeVpcs", {}, account=ACCOUNT, region=REGION, as_=config)
    assert house.records == []


def test_the_door_raises_what_the_call_was_refused_with() -> None:
    house = with_trail(OPERATION)

    with pytest.raises(Fault, match="Unknown trail: other") as caught:
        house.dispatcher.call(
            "cloudtrail", "DeleteTrail", {"Name": "other"}, account=ACCOUNT, region=REGION, as_=root(ACCOUNT)
        )

    assert (caught.value.code, caught.value.status) == ("TrailNotFoundException", 400)


def test_the_door_is_shut_when_nothing_can_be_recorded() -> None:
    house = with_trail(OPERATION)
    house.faults.arm("commit")

    with pytest.raises(Fault) as caught:
        house.dispatcher.call(
            "cloudtrail", "DeleteTrail", {"Name": "audit"}, account=ACCOUNT, region=REGION, as_=root(ACCOUNT)
        )

    assert caught.value.status == 503


def test_calls_are_counted_by_service_and_outcome() -> None:
    house = House()

    house.send("iam", "ListUsers")
    house.estate.answer = EstateFailed("broken")
    house.send("iam", "ListUsers")

    assert house.metrics.calls.value("iam", "succeeded") == 1
    assert house.metrics.calls.value("iam", "failed") == 1
