"""The recorder of configuration: what calls touched is looked at, and becomes history."""

from trailstate.app.house import House, Part
from trailstate.catalog.resources import resource_types
from trailstate.configuration.discover import Discovery
from trailstate.configuration.history import ConfigurationHistory
from trailstate.configuration.notice import Messenger
from trailstate.configuration.recorder import Recorders, records
from trailstate.configuration.recording import Recording
from trailstate.configuration.rounds import Rounds
from trailstate.configuration.shipment import Deliveries
from trailstate.configuration.stream import Stream
from trailstate.configuration.trigger import Touches, Trigger, Waiting, every_type
from trailstate.configuration.types import ResourceTypes
from trailstate.gateway.operator import Page, json_response
from trailstate.identity.rootkeys import secret_key
from trailstate.stores.interface import Commit
from trailstate.values.page import PageTokens
from trailstate.wire.call import WireResponse


def assemble(house: House) -> Part:
    types = ResourceTypes(resource_types())
    recorders = Recorders(house.store)
    history = ConfigurationHistory(house.store, house.derived, house.runner)
    trigger = Trigger(house.store, Touches(types.all), recorders)
    waiting = Waiting(house.store, house.runner, trigger)
    discovery = Discovery(house.door)
    recording = Recording(house.world, house.store, discovery, history, recorders, types.by_name, waiting)
    messenger = Messenger(house.door)
    deliveries = Deliveries(house.world, house.store, house.objects, house.door, history, messenger)
    rounds = Rounds(house.world, house.store, recorders, types)
    tokens = PageTokens(secret_key(house.settings.data / "keys" / "page-tokens.key", house.world))
    return Part(
        provisions={
            ResourceTypes: types,
            Recorders: recorders,
            ConfigurationHistory: history,
            Messenger: messenger,
            Rounds: rounds,
            PageTokens: tokens,
        },
        followers=(history.follower, trigger, Stream(house.world, house.store, house.door, history, messenger)),
        timers=(rounds,),
        shippers=(*recording.shippers(), deliveries),
        pages={"/_trailstate/look": Page(("POST",), lambda _operator, _request: _look(house, recorders, types))},
        forget=trigger.forget,
    )


def _look(house: House, recorders: Recorders, types: ResourceTypes) -> WireResponse:
    """Have everything that is recorded looked at, in every account: what changed unseen is found."""
    running = recorders.running()
    reason = house.world.uuid()
    rows = [
        row
        for home, recorder in running.items()
        for row in every_type(home, [each for each in types.all if records(recorder, each)], reason)
    ]
    house.store.commit(Commit(outbox=rows))
    return json_response(200, {"recorders": len(running), "looks": len(rows)})
