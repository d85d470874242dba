"""Topics and event buses: what is published or put is brought to whoever asked for it."""

from trailstate.app.house import House, Part
from trailstate.gateway.operator import Page, json_response
from trailstate.watch.bus import Buses
from trailstate.watch.clockwork import ScheduleTimer
from trailstate.watch.distribute import Queues, TopicShipper
from trailstate.watch.envelope import CERTIFICATE_PATH, Seal
from trailstate.watch.mail import INBOX_PATH, Inbox, Mail
from trailstate.watch.target import BusShipper
from trailstate.wire.call import WireResponse

SENDER = "no-reply@sns.trailstate"


def assemble(house: House) -> Part:
    store, world, door = house.store, house.world, house.door
    seal = Seal(house.settings.data / "keys", world, house.endpoint)
    inbox = Inbox(house.settings.data / "inbox")
    buses = Buses(store)

    def forget() -> None:
        inbox.empty()
        buses.forget()

    return Part(
        provisions={Buses: buses},
        timers=(ScheduleTimer(store, world),),
        shippers=(
            TopicShipper("topic/", store, world, door, seal, Queues(door, seal)),
            TopicShipper("topic-mail/", store, world, door, seal, Mail(seal, inbox, SENDER)),
            BusShipper(store, world, door, buses),
        ),
        pages={
            INBOX_PATH: Page(
                ("GET",), lambda _operator, _request: json_response(200, {"letters": list(inbox.letters())})
            ),
            CERTIFICATE_PATH: Page(("GET",), lambda _operator, _request: _certificate(seal)),
        },
        forget=forget,
    )


def _certificate(seal: Seal) -> WireResponse:
    return WireResponse(200, (("content-type", "application/x-pem-file"),), seal.certificate())
