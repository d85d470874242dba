"""How a failed call is spelled in its record: `errorCode`, `errorMessage`, and what stands in `responseElements`.

EC2 prefixes its codes with the side at fault. Query services record the exception's class rather than the code on
the wire (`NoSuchEntityException`, not `NoSuchEntity`). A refused permission is `AccessDenied` nearly everywhere.
"""

from functools import cache
from typing import Any

from trailstate.trail.tables import table
from trailstate.wire import model
from trailstate.wire.call import Call, Failure

_SERVER_FAULT = 500


def error_code(call: Call, failure: Failure) -> str:
    """The code as the service's records spell it."""
    if call.service == "ec2":
        side = "Server" if failure.status >= _SERVER_FAULT else "Client"
        return failure.code if failure.code.startswith(("Client.", "Server.")) else f"{side}.{failure.code}"
    return spelled(call.service, call.operation, call.protocol, failure.code)


def hides_message(service: str) -> bool:
    """Whether exceptions stand in `responseElements` as `{"message": ...}` instead of in `errorMessage`."""
    return service in table("errors")["message_in_response"]["services"]


@cache
def spelled(service: str, operation: str, protocol: str, code: str) -> str:
    """A wire code in the spelling of the service's records."""
    rules = table("errors")
    keys = (f"{service}.{operation}.{code}", f"{service}.{code}", f"*.{code}")
    written: str | None = next((rules["codes"][key] for key in keys if key in rules["codes"]), None)
    if written is not None:
        return written
    if service in rules["wire_codes"]["services"]:
        return code
    classes = _exception_classes(service, operation)
    if code in classes:
        return classes[code]
    if protocol == "query" or service in rules["query_codes"]["services"]:
        written = rules["query_codes"]["values"].get(code)
    return written or code


@cache
def _exception_classes(service: str, operation: str) -> dict[str, str]:
    """Wire code -> exception class; the operation's own exceptions win where several share a code."""
    try:
        known = model.service_model(service)
    except LookupError:
        return {}
    classes = {_code(shape): str(shape.name) for shape in reversed(list(known.error_shapes))}
    try:
        own = model.operation_model(service, operation).error_shapes
    except LookupError:
        return classes
    return classes | {_code(shape): str(shape.name) for shape in reversed(list(own))}


def _code(shape: Any) -> str:
    return str(shape.metadata.get("error", {}).get("code") or shape.name)
