"""The parts of the house, in the order in which they are assembled."""

from collections.abc import Callable, Sequence

from trailstate.app import (
    compliance,
    configuration,
    delivery,
    evidence,
    functions,
    history,
    lake,
    query,
    remediation,
    sign_in,
    watch_bus,
    watch_logs,
)
from trailstate.app.house import House, Part

ASSEMBLERS: Sequence[Callable[[House], Part]] = (
    history.assemble,
    evidence.assemble,
    watch_bus.assemble,
    delivery.assemble,
    configuration.assemble,
    compliance.assemble,
    query.assemble,
    functions.assemble,
    remediation.assemble,
    lake.assemble,
    watch_logs.assemble,
    sign_in.assemble,
)
