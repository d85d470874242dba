"""Makes `data/services.json` from the installed botocore: `python -m trailstate.wire.generate`."""

from pathlib import Path
from typing import Any

import msgspec
from botocore.loaders import Loader

from trailstate.wire.services import REST_PROTOCOLS, Service

TABLE = Path(__file__).parent / "data" / "services.json"
UNSIGNED = frozenset({"smithy.api#noAuth", "smithy.api#httpBearerAuth"})


def table() -> bytes:
    """The table as JSON, a row a line."""
    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    rows = [_row(loader, name) for name in sorted(loader.list_available_services("service-2"))]
    return b"[\n" + b",\n".join(msgspec.json.encode(row) for row in rows) + b"\n]\n"


def _row(loader: Any, name: str) -> Service:
    description = loader.load_service_model(name, "service-2")
    metadata = description["metadata"]
    protocols = list(metadata.get("protocols") or [metadata["protocol"]])
    if "awsQueryCompatible" in metadata and "query" not in protocols:
        protocols.append("query")
    return Service(
        name=name,
        service_id=metadata["serviceId"],
        signing_name=metadata.get("signingName", metadata["endpointPrefix"]),
        endpoint_prefix=metadata["endpointPrefix"],
        api_version=metadata["apiVersion"],
        protocol=metadata["protocol"],
        protocols=tuple(protocols),
        operations=len(description["operations"]),
        target_prefix=metadata.get("targetPrefix", ""),
        unsigned=_has_unsigned_paths(description),
    )


def _has_unsigned_paths(description: dict[str, Any]) -> bool:
    metadata = description["metadata"]
    if metadata["protocol"] not in REST_PROTOCOLS:
        return False
    whole = metadata["signatureVersion"] in {"bearer", "none"} or set(metadata.get("auth", ["signed"])) <= UNSIGNED
    return whole or any(
        operation.get("authtype") == "none" or UNSIGNED & set(operation.get("auth", ()))
        for operation in description["operations"].values()
    )


if __name__ == "__main__":
    TABLE.write_bytes(table())
