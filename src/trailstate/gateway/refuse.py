"""Refusals of calls that nobody inside will see, worded in the caller's own protocol."""

from collections.abc import Callable, Mapping

from trailstate.gateway.body import Refusal
from trailstate.gateway.date import dated
from trailstate.wire import spelling as faults
from trailstate.wire.call import WireRequest, WireResponse
from trailstate.wire.encode import encode_fault
from trailstate.wire.fault import Fault
from trailstate.wire.route import Unrouted, route
from trailstate.world import World


def _too_slow(service: str | None, _protocol: str) -> Fault:
    return Fault("RequestTimeout", "The body of the request did not arrive in time.", 400, service)


def _bad_encoding(service: str | None, protocol: str) -> Fault:
    return faults.serialization_error(service, protocol, "The content encoding of the request cannot be undone.")


FAULTS: Mapping[Refusal, Callable[[str | None, str], Fault]] = {
    Refusal.TOO_LARGE: faults.request_too_large,
    Refusal.SLOW: _too_slow,
    Refusal.BAD_ENCODING: _bad_encoding,
    Refusal.OVERLOADED: faults.throttling,
    Refusal.NO_SPACE: faults.service_unavailable,
    Refusal.FAILED: faults.internal_failure,
}


class Refuser:
    """Makes the answer to a request that is refused before it is understood. Never raises."""

    def __init__(self, world: World, default_region: str) -> None:
        self._world = world
        self._default_region = default_region

    def __call__(self, request: WireRequest, kind: Refusal) -> WireResponse:
        service, protocol = self._addressee(request)
        refusal = encode_fault(service, protocol, FAULTS[kind](service, protocol), self._world.uuid())
        return dated(refusal, self._world.now())

    def _addressee(self, request: WireRequest) -> tuple[str | None, str]:
        """Which service the request was for, as far as its head tells."""
        try:
            found = route(request, self._default_region)
        except Unrouted as unrouted:
            return unrouted.service, unrouted.protocol
        except Fault as refusal:
            return refusal.service, "json"
        return found.service, found.protocol
