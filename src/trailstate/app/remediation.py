"""Repair: documents, the executions that run them, and the actions that their steps are made of."""

import importlib
import pkgutil
from importlib import resources

from trailstate.app.house import House, Part
from trailstate.catalog import actions
from trailstate.compliance.notice import VerdictListeners
from trailstate.compliance.results import Results
from trailstate.functions.program import Sandbox
from trailstate.functions.role import Roles
from trailstate.remediation.action import ACTIONS
from trailstate.remediation.execute import Automations
from trailstate.remediation.library import Library, library
from trailstate.remediation.means import Means
from trailstate.remediation.policy import Policy
from trailstate.remediation.repair import Repairs
from trailstate.remediation.script import SandboxedScripts


def assemble(house: House) -> Part:
    load_actions()
    roles, scripts = house.provided(Roles), SandboxedScripts(house.provided(Sandbox))
    automations = Automations(Means(house.store, house.world, house.door, roles, scripts, ACTIONS))
    repairs = Repairs(house.store, house.world, house.door, roles, house.provided(Results))
    house.provided(VerdictListeners).add(repairs)
    return Part(
        provisions={Library: owned_documents()},
        shippers=(automations, repairs),
        forbids=Policy(house.settings, roles.is_ours).refusal,
    )


def load_actions() -> None:
    """Every action of the catalogue registers itself when its module is imported."""
    for found in pkgutil.iter_modules(actions.__path__, f"{actions.__name__}."):
        importlib.import_module(found.name)


def owned_documents() -> Library:
    """The documents that AWS owns, as this catalogue writes them."""
    files = (resources.files("trailstate.catalog") / "documents").iterdir()
    return library({file.name.removesuffix(".yaml"): file.read_text() for file in files if file.name.endswith(".yaml")})
