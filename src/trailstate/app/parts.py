"""The parts of the house, in the order in which they are assembled."""

from collections.abc import Callable, Sequence

from trailstate.app import configuration, evidence, history
from trailstate.app.house import House, Part

ASSEMBLERS: Sequence[Callable[[House], Part]] = (history.assemble, evidence.assemble, configuration.assemble)
