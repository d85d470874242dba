"""Users' code: the sandbox it runs in, its way to the gateway, and the roles it runs under."""

from trailstate.app.house import House, Part
from trailstate.functions.program import Sandbox
from trailstate.functions.relay import Relay
from trailstate.functions.role import Roles


def assemble(house: House) -> Part:
    relay = Relay(house.endpoint)
    sandbox = Sandbox(house.world, relay, allows_unsafe=house.settings.unsafe_functions)
    roles = Roles(house.door, house.world)
    return Part(
        provisions={Sandbox: sandbox, Roles: roles},
        forget=roles.forget,
        estate_lost=roles.forget,
        close=relay.close,
    )
