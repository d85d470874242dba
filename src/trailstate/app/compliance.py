"""Compliance: rules judge what is recorded, and what changed is told."""

from trailstate.app.compliance_pages import CompliancePages
from trailstate.app.house import House, Part
from trailstate.catalog.rules import load
from trailstate.compliance.custom import Invoker, ResultTokens
from trailstate.compliance.discovered import Discovered
from trailstate.compliance.engine import Engine
from trailstate.compliance.notice import NoticeShipper, VerdictListeners
from trailstate.compliance.organization import OrganizationShipper
from trailstate.compliance.pack import PackShipper
from trailstate.compliance.recorded import RecordedInventories
from trailstate.compliance.results import Results
from trailstate.compliance.schedule import EvaluationShipper, PeriodicTimer
from trailstate.configuration.history import ConfigurationHistory
from trailstate.configuration.notice import Messenger
from trailstate.identity.rootkeys import secret_key


def assemble(house: House) -> Part:
    load()
    keys = house.settings.data / "keys"
    results = Results(house.store, house.derived, house.runner)
    listeners = VerdictListeners(house.world)
    tokens = ResultTokens(secret_key(keys / "result-tokens.key", house.world))
    inventories = RecordedInventories(house.provided(ConfigurationHistory))
    engine = Engine(house.store, house.world, results, inventories, listeners)
    invoker = Invoker(house.store, house.world, house.door, tokens)
    return Part(
        provisions={
            Results: results,
            VerdictListeners: listeners,
            ResultTokens: tokens,
        },
        followers=(engine, results.follower),
        timers=(PeriodicTimer(house.store, engine, results),),
        shippers=(
            EvaluationShipper(engine, invoker),
            Discovered(house.store, house.runner, engine),
            PackShipper(house.store, house.world, house.door),
            OrganizationShipper(house.store, house.world, house.door),
            NoticeShipper(house.store, house.world, house.provided(Messenger)),
        ),
        pages=CompliancePages(house.store, house.world, results, inventories).pages(),
    )
