"""The simulated estate without our gateway: the same child process and the same HTTP server, and nothing between them.

python -m bench.passthrough PORT DIRECTORY
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from trailstate.estate.embedded import EmbeddedEstate
from trailstate.estate.interface import EstateRequest
from trailstate.gateway.application import Application, Handle
from trailstate.gateway.body import Refusal
from trailstate.gateway.limits import Limits
from trailstate.gateway.metrics import GatewayMetrics
from trailstate.gateway.operator import OperatorPages
from trailstate.gateway.server import Server
from trailstate.wire.call import WireRequest, WireResponse
from trailstate.world import RealWorld


class Nobody:
    """An operator with nothing to say."""

    def ready(self) -> bool:
        return True

    def health(self) -> dict[str, Any]:
        return {}

    def metrics(self) -> str:
        return ""

    def clock(self) -> datetime:
        return datetime.now(UTC)

    def advance(self, by: timedelta) -> datetime:
        return self.clock()

    def settle(self) -> None: ...

    def reset(self) -> None: ...


def refuse(request: WireRequest, kind: Refusal) -> WireResponse:
    return WireResponse(500, (), kind.value.encode())


def serve(handle: Handle, port: int) -> None:
    """Answer with `handle` alone until a signal comes."""
    metrics = GatewayMetrics()
    application = Application(handle, refuse, OperatorPages(Nobody()), metrics, Limits())
    Server(application, metrics, port=port).run()


def main() -> None:
    world = RealWorld()
    estate = EmbeddedEstate(world, log_path=Path(sys.argv[2]) / "estate.log")

    def handle(request: WireRequest) -> WireResponse:
        return estate.handle(EstateRequest(request, "", "", "123456789012", "us-east-1", world.now(), 1))

    serve(handle, int(sys.argv[1]))
    estate.close()


if __name__ == "__main__":
    main()
