"""AWS's published API models, as botocore ships them: the one place that opens them.

A model is read when it is first asked for, the newest version of its service only, and without its documentation,
which is most of its bulk. The machine's own `~/.aws/models` has no say here.
"""

import gzip
import threading
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from botocore.exceptions import UnknownServiceError
from botocore.loaders import JSONFileLoader, Loader
from botocore.model import OperationNotFoundError, ServiceModel

from trailstate.wire.services import services

_lock = threading.RLock()
_models: dict[str, Any] = {}


def service_model(service: str) -> Any:
    """botocore's ServiceModel; LookupError for a name botocore does not know."""
    found = _models.get(service)
    if found is not None:
        return found
    known = services().get(service)
    if known is None:
        raise LookupError(f'botocore has no service "{service}"')
    with _lock:
        if service not in _models:
            description = _loader().load_service_model(service, "service-2", known.api_version)
            _models[service] = ServiceModel(description, service_name=service)
        return _models[service]


@cache
def operation_model(service: str, operation: str) -> Any:
    """botocore's OperationModel; LookupError for an operation the service does not have."""
    try:
        return service_model(service).operation_model(operation)
    except OperationNotFoundError as error:
        raise LookupError(f'botocore\'s service "{service}" has no operation "{operation}"') from error


def has_operation(service: str, operation: str) -> bool:
    """Whether the service's model has an operation of this name."""
    try:
        operation_model(service, operation)
    except LookupError:
        return False
    return True


def protocol(service: str) -> str:
    """The protocol botocore's own client speaks with this service."""
    return str(service_model(service).resolved_protocol)


def paginators(service: str) -> dict[str, Any]:
    """botocore's paginators of the service, by operation; empty where it has none."""
    known = services().get(service)
    if known is None:
        raise LookupError(f'botocore has no service "{service}"')
    try:
        found: dict[str, Any] = _loader().load_service_model(service, "paginators-1", known.api_version)["pagination"]
    except UnknownServiceError:
        return {}
    return found


@cache
def _loader() -> Loader:
    return Loader(
        extra_search_paths=[Loader.BUILTIN_DATA_PATH], file_loader=LeanFiles(), include_default_search_paths=False
    )


class LeanFiles(JSONFileLoader):
    """Reads botocore's data files for its Loader, leaving the documentation out."""

    def load_file(self, file_path: str) -> Any:
        packed, plain = Path(file_path + ".json.gz"), Path(file_path + ".json")
        if packed.is_file():
            return _lean(msgspec.json.decode(gzip.decompress(packed.read_bytes())))
        return _lean(msgspec.json.decode(plain.read_bytes())) if plain.is_file() else None


def _lean(description: Any) -> Any:
    for operation in description.get("operations", {}).values():
        operation.pop("documentation", None)
    for shape in description.get("shapes", {}).values():
        shape.pop("documentation", None)
        for reference in _references(shape):
            reference.pop("documentation", None)
    return description


def _references(shape: dict[str, Any]) -> list[dict[str, Any]]:
    named = [shape[role] for role in ("member", "key", "value") if role in shape]
    return [*named, *shape.get("members", {}).values()]
