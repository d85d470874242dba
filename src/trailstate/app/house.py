"""What every part of the house is built upon, and what a part gives back.

A part is one subject of the product (evidence, configuration, compliance …): it takes a `House` and returns a `Part`.
Parts are assembled in the order of `app.parts`; a later one may use what an earlier one provides, never the reverse.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from trailstate.follow import Follower, Runner, Shipper, Timer
from trailstate.gateway.metrics import Metric
from trailstate.gateway.operator import Page
from trailstate.settings import Settings
from trailstate.stores.derived import Derived
from trailstate.stores.interface import Objects, Store
from trailstate.wire.call import Call, Door, Principal
from trailstate.wire.fault import Fault
from trailstate.world import World

Thing = TypeVar("Thing")


class FrontDoor:
    """The house's own way in, handed out before the dispatcher behind it exists."""

    def __init__(self) -> None:
        self._door: Door | None = None

    def open(self, door: Door) -> None:
        self._door = door

    def call(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        account: str,
        region: str,
        as_: Principal,
    ) -> Mapping[str, Any]:
        """See `wire.call.Door`."""
        assert self._door is not None, "nothing calls before the house is open"
        return self._door.call(service, operation, parameters, account=account, region=region, as_=as_)


@dataclass(frozen=True, slots=True)
class House:
    """The ground that parts stand on."""

    settings: Settings
    world: World
    store: Store
    derived: Derived
    objects: Objects
    door: Door
    runner: Runner
    endpoint: Callable[[], str]
    """The gateway's URL, once the house is open."""
    provisions: Mapping[type, object]
    """What the parts assembled so far offer, by type; read it through `provided`."""

    def provided(self, kind: type[Thing]) -> Thing:
        """What an earlier part offers; LookupError when none does."""
        found = self.provisions.get(kind)
        if not isinstance(found, kind):
            raise LookupError(f"no earlier part of the house provides {kind.__name__}")
        return found


@dataclass(frozen=True, slots=True)
class Part:
    """What one subject adds to the house."""

    provisions: Mapping[type, object] = field(default_factory=dict)
    """For operations (filled in by the annotated type of a positional parameter) and for later parts."""
    followers: Sequence[Follower] = ()
    timers: Sequence[Timer] = ()
    shippers: Sequence[Shipper] = ()
    pages: Mapping[str, Page] = field(default_factory=dict)
    """Operator's pages by path."""
    metrics: Sequence[Metric] = ()
    """What it counts, shown beside the gateway's."""
    selects: Callable[[Call], bool] | None = None
    """Whether somebody asks for this data event, so that it is journalled."""
    further_records: Callable[[Call], Sequence[Mapping[str, Any]]] | None = None
    """What is recorded of a call beside its own record."""
    forbids: Callable[[Call], Fault | None] | None = None
    """Why a call must not reach the estate; None where it may."""
    forget: Callable[[], None] | None = None
    """Drop what is remembered of a store that was erased."""
    estate_lost: Callable[[], None] | None = None
    """Drop what is remembered of an estate that started again, empty."""
    close: Callable[[], None] | None = None
