"""The parts of the house, in the order in which they are assembled."""

from collections.abc import Callable, Sequence

from trailstate.app import configuration, evidence, functions, history, remediation
from trailstate.app.house import House, Part

ASSEMBLERS: Sequence[Callable[[House], Part]] = (
    history.assemble,
    evidence.assemble,
    configuration.assemble,
    functions.assemble,
    remediation.assemble,
)
