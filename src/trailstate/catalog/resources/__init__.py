"""Resource types: every module here that has a tuple `RESOURCES` of declarations adds to the catalogue."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from trailstate.configuration.form import ResourceType


@cache
def resource_types() -> Mapping[str, ResourceType]:
    """Every declared type by its name, in the order of modules and declarations."""
    found: dict[str, ResourceType] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda each: each.name):
        declared = importlib.import_module(f"{__name__}.{module.name}").RESOURCES
        for each in declared:
            assert each.name not in found, f"{each.name} is declared twice"
            found[each.name] = each
    return found
