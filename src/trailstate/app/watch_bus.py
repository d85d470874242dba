"""Topics and event buses: what is published or put is brought to whoever asked for it."""

from ipaddress import ip_network
from pathlib import Path

from trailstate.app.house import House, Part
from trailstate.functions.role import Roles
from trailstate.gateway.operator import Page, json_response
from trailstate.outbound.http import Http
from trailstate.outbound.smtp import Smtp
from trailstate.settings import Settings
from trailstate.watch.bus import Buses
from trailstate.watch.clockwork import ScheduleTimer
from trailstate.watch.distribute import Queues, TopicShipper
from trailstate.watch.envelope import CERTIFICATE_PATH, Seal
from trailstate.watch.mail import INBOX_PATH, Inbox, Mail
from trailstate.watch.outside import MailServer, Web
from trailstate.watch.target import BusShipper
from trailstate.wire.call import WireResponse


def assemble(house: House) -> Part:
    settings, store, world, door = house.settings, house.store, house.world, house.door
    seal = Seal(settings.data / "keys", world, house.endpoint)
    inbox = Inbox(settings.data / "inbox")
    postman = MailServer(_smtp(settings)) if settings.smtp_host else inbox
    buses, roles = Buses(store), Roles(door, world)

    def forget() -> None:
        inbox.empty()
        buses.forget()
        roles.forget()

    return Part(
        provisions={Buses: buses},
        timers=(ScheduleTimer(store, world),),
        shippers=(
            TopicShipper("topic/", store, world, door, seal, Queues(door, seal)),
            TopicShipper("topic-web/", store, world, door, seal, Web(_http(settings), seal)),
            TopicShipper("topic-mail/", store, world, door, seal, Mail(seal, postman, settings.smtp_from)),
            BusShipper(store, world, door, buses, roles),
        ),
        pages={
            INBOX_PATH: Page(
                ("GET",), lambda _operator, _request: json_response(200, {"letters": list(inbox.letters())})
            ),
            CERTIFICATE_PATH: Page(("GET",), lambda _operator, _request: _certificate(seal)),
        },
        forget=forget,
        estate_lost=roles.forget,
    )


def _http(settings: Settings) -> Http:
    return Http([ip_network(each) for each in settings.outbound_allow], settings.outbound_timeout_seconds)


def _smtp(settings: Settings) -> Smtp:
    password = Path(settings.smtp_password_file) if settings.smtp_password_file else None
    return Smtp(settings.smtp_host, settings.smtp_port, settings.smtp_security, settings.smtp_user, password)


def _certificate(seal: Seal) -> WireResponse:
    return WireResponse(200, (("content-type", "application/x-pem-file"),), seal.certificate())
