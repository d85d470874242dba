"""AWS's models and list of regions are read once and lean: without documentation, into plain dictionaries.

As botocore reads them EC2's model alone weighs twenty megabytes, and moto opens it anew for every question of which
regions there are.
"""

from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.regions import EndpointResolver

from trailstate.estate.child.sources import replace
from trailstate.wire.model import LeanFiles
from trailstate.wire.services import services


def read_models_lean() -> None:
    """From here on nobody's loader keeps what nobody reads, and every session knows the same regions."""
    from botocore.loaders import JSONFileLoader
    from botocore.session import Session

    replace(JSONFileLoader, "load_file", LeanFiles.load_file)
    replace(Session, "get_available_regions", _regions)
    replace(Session, "get_available_partitions", lambda _session: _resolver().get_available_partitions())


def _regions(
    _session: Any, service_name: str, partition_name: str = "aws", allow_non_regional: bool = False
) -> list[str]:
    service = services().get(service_name)
    if service is None:
        return []
    found: list[str] = _resolver().get_available_endpoints(service.endpoint_prefix, partition_name, allow_non_regional)
    return found


@cache
def _resolver() -> Any:
    return EndpointResolver(Loader(file_loader=LeanFiles()).load_data("endpoints"))
