"""What the recorder keeps, and when an intent is settled."""

from trailstate.gateway.record import Recorder
from trailstate.stores.interface import JOURNAL
from trailstate.stores.memory import MemoryStore
from trailstate.wire.call import Call, Outcome, Principal, WireRequest, WireResponse
from trailstate.world import SimulatedWorld

DONE = Outcome(WireResponse(200, ()), {})


def a_put(world: SimulatedWorld) -> Call:
    return Call(
        service="s3",
        operation="PutObject",
        parameters={"Bucket": "reports", "Key": "x"},
        account="111122223333",
        region="eu-west-1",
        principal=Principal("Root", "111122223333"),
        source_address="192.0.2.1",
        user_agent="test",
        request_id="r-1",
        event_id="e-1",
        now=world.now(),
        request=WireRequest("PUT", "/reports/x", ()),
        protocol="rest-xml",
    )


def test_a_data_event_is_kept_while_somebody_selects_it() -> None:
    world = SimulatedWorld(1)
    wanted: list[bool] = [False, True]
    store = MemoryStore(world)
    recorder = Recorder(store, data_events="selected", on_audit_failure="refuse", selects=lambda _: wanted[0])

    recorder.keep(a_put(world), DONE)
    wanted.reverse()
    recorder.keep(a_put(world), DONE)

    assert (store.head(JOURNAL), recorder.data_events_not_kept) == (1, 1)


def test_what_was_intended_is_kept_though_nobody_selects_it_any_more() -> None:
    world = SimulatedWorld(1)
    wanted = [True]
    store = MemoryStore(world)
    recorder = Recorder(store, data_events="selected", on_audit_failure="refuse", selects=lambda _: wanted[0])

    begun = recorder.begin(a_put(world))
    wanted[0] = False
    recorder.keep(a_put(world), DONE, begun=begun)

    assert begun.intends
    assert (store.head(JOURNAL), store.intents()) == (1, [])


def test_the_selectors_of_all_trails_are_asked_once_a_call() -> None:
    world = SimulatedWorld(1)
    asked: list[Call] = []
    store = MemoryStore(world)

    def selects(call: Call) -> bool:
        asked.append(call)
        return False

    recorder = Recorder(store, data_events="selected", on_audit_failure="refuse", selects=selects)
    call = a_put(world)

    begun = recorder.begin(call)
    recorder.draft(begun)
    recorder.keep(call, DONE, begun=begun)

    assert (len(asked), store.head(JOURNAL), recorder.data_events_not_kept) == (1, 0, 1)
