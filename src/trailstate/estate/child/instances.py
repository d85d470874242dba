"""EC2's lists of what is offered where are read when asked for, one region at a time.

moto reads all regions' lists on import: a hundred megabytes and most of a second, for data that few requests look at.
"""

import contextlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from trailstate.estate.child.sources import replace

OFFERINGS = "ec2/resources/instance_type_offerings/"
REGIONS_KEPT = 4


class Offerings:
    """The rows of one file. Empty while EC2 is being imported, which would otherwise walk through all of them."""

    importing = False

    def __init__(self, resource: str) -> None:
        self._resource = resource

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(() if Offerings.importing else _rows(self._resource))


@lru_cache(maxsize=REGIONS_KEPT)
def _rows(resource: str) -> list[dict[str, Any]]:
    from moto.utilities.utils import load_resource

    location_type = resource.removeprefix(OFFERINGS).partition("/")[0]
    return [{**row, "LocationType": location_type} for row in load_resource(resource)]


@contextlib.contextmanager
def read_late() -> Iterator[None]:
    """Within, importing EC2 leaves the lists where they are."""
    from moto.utilities import utils

    load = utils.load_resource

    def load_late(resource: str) -> Any:
        return Offerings(resource) if resource.startswith(OFFERINGS) else load(resource)

    replace(utils, "load_resource", load_late)
    Offerings.importing = True
    try:
        yield
    finally:
        Offerings.importing = False
        replace(utils, "load_resource", load)
