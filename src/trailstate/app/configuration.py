"""The recorder of configuration: what calls touched is looked at, and becomes history."""

from trailstate.app.house import House, Part
from trailstate.catalog.resources import resource_types
from trailstate.configuration.discover import Discovery
from trailstate.configuration.history import ConfigurationHistory
from trailstate.configuration.notice import Messenger
from trailstate.configuration.recorder import Recorders
from trailstate.configuration.recording import Recording
from trailstate.configuration.rounds import Rounds
from trailstate.configuration.shipment import Deliveries
from trailstate.configuration.stream import Stream
from trailstate.configuration.trigger import Touches, Trigger
from trailstate.configuration.types import ResourceTypes
from trailstate.identity.rootkeys import secret_key
from trailstate.values.page import PageTokens


def assemble(house: House) -> Part:
    types = ResourceTypes(resource_types())
    recorders = Recorders(house.store)
    history = ConfigurationHistory(house.store, house.derived, house.runner)
    trigger = Trigger(house.store, Touches(types.all), recorders)
    recording = Recording(house.world, house.store, Discovery(house.door), history, recorders, types.by_name)
    messenger = Messenger(house.door)
    deliveries = Deliveries(house.world, house.store, house.objects, house.door, history, messenger)
    tokens = PageTokens(secret_key(house.settings.data / "keys" / "page-tokens.key", house.world))
    return Part(
        provisions={
            ResourceTypes: types,
            Recorders: recorders,
            ConfigurationHistory: history,
            Messenger: messenger,
            PageTokens: tokens,
        },
        followers=(history.follower, trigger, Stream(house.world, house.store, house.door, history, messenger)),
        timers=(Rounds(house.world, house.store, recorders, types),),
        shippers=(recording, deliveries),
        forget=trigger.forget,
    )
