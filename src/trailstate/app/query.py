"""Advanced queries: what is recorded, and how it is judged, as one set of resources."""

from trailstate.app.house import House, Part
from trailstate.compliance.resources import PackCompliances, ResourceCompliances
from trailstate.compliance.results import Results
from trailstate.configuration.query.index import QueryIndex
from trailstate.configuration.query.run import Queries


def assemble(house: House) -> Part:
    results = house.provided(Results)
    index = QueryIndex(house.store, house.derived, house.runner)
    sources = (
        ResourceCompliances(house.store, results),
        PackCompliances(house.store, house.world, results),
    )
    return Part(provisions={Queries: Queries(index, sources)}, followers=(index.follower,))
