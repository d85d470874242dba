"""EC2's tables of instance types are kept as text, and its lists of what is offered where are read when asked for.

moto reads all of them on import: a hundred and forty megabytes and most of a second, for data that few requests look
at, and those one type or one region at a time.
"""

import contextlib
import gzip
import zlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from trailstate.estate.child.sources import replace

OFFERINGS = "ec2/resources/instance_type_offerings/"
TYPES = "ec2/resources/instance_types.json"
REGIONS_KEPT = 4


class Offerings:
    """The rows of one file. Empty while EC2 is being imported, which would otherwise walk through all of them."""

    importing = False

    def __init__(self, resource: str) -> None:
        self._resource = resource

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(() if Offerings.importing else _rows(self._resource))


class Types(Mapping[str, dict[str, Any]]):
    """Every instance type by its name, each read when looked at. While EC2 is being imported they are all blank."""

    def __init__(self, text: bytes) -> None:
        rows = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        self._packed = {name: zlib.compress(row, level=1) for name, row in rows.items()}

    def __getitem__(self, name: str) -> dict[str, Any]:
        packed = self._packed[name]
        found: dict[str, Any] = {} if Offerings.importing else msgspec.json.decode(zlib.decompress(packed))
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


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
        if resource == TYPES:
            return Types(_text(resource))
        return Offerings(resource) if resource.startswith(OFFERINGS) else load(resource)

    replace(utils, "load_resource", load_late)
    Offerings.importing = True
    try:
        yield
    finally:
        Offerings.importing = False
        replace(utils, "load_resource", load)


def _text(resource: str) -> bytes:
    from moto.utilities.utils import load_resource_as_bytes

    return gzip.decompress(load_resource_as_bytes(f"{resource}.gz"))


def describe_types_when_asked() -> None:
    """The backend's list of all types is made for the request that wants it."""
    from moto.ec2.models import instance_types

    def described(_: Any) -> list[Any]:
        return [instance_types.InstanceType(name) for name in instance_types.INSTANCE_TYPES]

    replace(instance_types.InstanceTypeBackend, "instance_types", property(described))
