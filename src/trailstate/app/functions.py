"""Users' code: the sandbox it runs in, its way to the gateway, the roles it runs under, and Lambda's functions."""

import os

from trailstate.app.house import House, Part
from trailstate.functions.archive import Codes
from trailstate.functions.events import Events
from trailstate.functions.invoke import Invoker
from trailstate.functions.log import Logs
from trailstate.functions.program import Sandbox
from trailstate.functions.relay import Relay
from trailstate.functions.role import Roles
from trailstate.identity.rootkeys import secret_key
from trailstate.values.page import PageTokens


def assemble(house: House) -> Part:
    settings, world = house.settings, house.world
    relay = Relay(house.endpoint)
    sandbox = Sandbox(world, relay, allows_unsafe=settings.unsafe_functions)
    roles, logs = Roles(house.door, world), Logs(house.door, world)
    codes = Codes(house.objects, settings.data / "functions", world)
    threads = settings.handler_threads or 2 * (os.cpu_count() or 1) + 4
    # A function that runs holds a thread, and needs others to answer its own calls.
    invoker = Invoker(world, sandbox, roles, codes, logs, at_once_max=max(1, threads // 2))
    tokens = PageTokens(secret_key(settings.data / "keys" / "page-tokens.key", world))

    def forget() -> None:
        roles.forget()
        logs.forget()

    return Part(
        provisions={Sandbox: sandbox, Roles: roles, Codes: codes, Invoker: invoker, PageTokens: tokens},
        shippers=(Events(house.store, world, house.door, invoker, roles),),
        forget=forget,
        estate_lost=forget,
        close=sandbox.close,
    )
