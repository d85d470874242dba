"""The managed rules that are implemented, one module per AWS service. `load` registers them all."""

import importlib
import pkgutil

from trailstate.compliance.form import RULES, Rule


def load() -> dict[str, Rule]:
    """Every implemented rule by identifier."""
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        importlib.import_module(module.name)
    return RULES
