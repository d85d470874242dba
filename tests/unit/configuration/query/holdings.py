"""What there is to query in these tests: items put straight into a store in memory."""

from typing import Any

import msgspec

from trailstate.configuration.line import Recorded, line
from trailstate.configuration.query.index import QueryIndex
from trailstate.configuration.query.parse import parse
from trailstate.configuration.query.run import Queries
from trailstate.configuration.recorder import Home
from trailstate.follow import Runner
from trailstate.stores.derived import Derived
from trailstate.stores.interface import Commit
from trailstate.stores.memory import MemoryStore
from trailstate.world import SimulatedWorld

HOME = Home("111122223333", "us-east-1")


def an_item(kind: str, name: str, configuration: Any = None, home: Home = HOME, **members: Any) -> dict[str, Any]:
    """An item; `members` replace what it has by itself."""
    return {
        "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": "2026-01-15T09:30:00.000Z",
        "configurationStateId": 1768469400000,
        "awsAccountId": home.account,
        "configurationItemStatus": "OK",
        "resourceType": kind,
        "resourceId": name,
        "resourceName": None,
        "ARN": None,
        "awsRegion": home.region,
        "availabilityZone": "Not Applicable",
        "configurationStateMd5Hash": "",
        "resourceCreationTime": None,
        "tags": {},
        "relatedEvents": [],
        "relationships": [],
        "configuration": configuration,
        "supplementaryConfiguration": {},
    } | members


class Holdings:
    """A store with its index of queries."""

    def __init__(self, *sources: Any) -> None:
        self.store = MemoryStore(SimulatedWorld(seed=1))
        self.derived = Derived(None)
        self.index = an_index(self.store, self.derived)
        self.queries = Queries(self.index, sources)

    def put(self, *items: dict[str, Any], home: Home = HOME) -> None:
        lines = [line(home.account, home.region, Recorded(each, {}, None, each["resourceId"])) for each in items]
        self.store.commit(Commit(appends=lines))
        self.index.catch_up()

    def ask(self, expression: str, *homes: Home, limit: int = 500) -> list[Any]:
        """The answers of all pages."""
        query = parse(expression)
        found: list[Any] = []
        place = None
        while True:
            page = self.queries.run(query, homes or [HOME], limit, place)
            found += [msgspec.json.decode(each) for each in page.answers]
            place = page.following
            if place is None:
                return found

    def ids(self, condition: str, *homes: Home) -> list[str]:
        """The resources that pass."""
        return [each["resourceId"] for each in self.ask(f"SELECT resourceId WHERE {condition}", *homes)]


def an_index(store: MemoryStore, derived: Derived) -> QueryIndex:
    """The index of a store, followed."""
    runner = Runner(store, SimulatedWorld(seed=1))
    made = QueryIndex(store, derived, runner)
    runner.add(made.follower)
    return made
