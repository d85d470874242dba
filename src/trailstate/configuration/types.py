"""The resource types that this house records, handed from the catalogue to whoever needs them."""

from collections.abc import Mapping
from dataclasses import dataclass

from trailstate.configuration.form import ResourceType


@dataclass(frozen=True, slots=True)
class ResourceTypes:
    """Every declared type, by name."""

    by_name: Mapping[str, ResourceType]

    @property
    def all(self) -> list[ResourceType]:
        return list(self.by_name.values())
