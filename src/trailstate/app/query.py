"""Advanced queries and aggregators: what is recorded and how it is judged, as resources, of one account or many."""

from trailstate.app.house import House, Part
from trailstate.compliance.resources import PackCompliances, ResourceCompliances
from trailstate.compliance.results import Results
from trailstate.configuration.aggregate import SERVICE, Aggregation
from trailstate.configuration.query.index import QueryIndex
from trailstate.configuration.query.run import Queries
from trailstate.trail.organization import Organizations


def assemble(house: House) -> Part:
    results = house.provided(Results)
    index = QueryIndex(house.store, house.derived, house.runner)
    sources = (
        ResourceCompliances(house.store, results),
        PackCompliances(house.store, house.world, results),
    )
    aggregation = Aggregation(house.store, Organizations(house.door, house.world, SERVICE))
    return Part(
        provisions={Queries: Queries(index, sources), Aggregation: aggregation},
        followers=(index.follower,),
    )
