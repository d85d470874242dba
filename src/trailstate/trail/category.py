"""Which event an operation becomes: its source, name, category, and whether it only reads (CloudTrail user guide)."""

from dataclasses import dataclass
from functools import cache, lru_cache

from trailstate.trail.tables import table
from trailstate.wire import model
from trailstate.wire.call import Call
from trailstate.wire.services import services

GLOBAL_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Classification:
    """What is the same for every record of one operation."""

    event_source: str
    event_name: str
    read_only: bool
    category: str
    """`Management` or `Data`."""
    resource_type: str | None
    """The data event's `resources.type`; None for management events."""
    is_global: bool
    """Recorded in us-east-1 wherever it was called."""
    api_version: str | None
    """What the few services that write `apiVersion` put there."""


@cache
def classify(service: str, operation: str) -> Classification:
    """The classification of an operation of botocore's `service`; one the model does not know goes by its name."""
    prefix = event_prefix(service)
    name = event_name(service, operation)
    resource_type = _data_resource_type(prefix, name, operation)
    return Classification(
        event_source=f"{prefix}.amazonaws.com",
        event_name=name,
        read_only=_is_read_only(prefix, name, operation),
        category="Management" if resource_type is None else "Data",
        resource_type=resource_type,
        is_global=is_global_source(f"{prefix}.amazonaws.com"),
        api_version=_api_version(service, prefix),
    )


def event_prefix(service: str) -> str:
    """The event source without `.amazonaws.com`: the name the service signs with, unless recordings show another."""
    written: str | None = table("classes")["event_sources"]["values"].get(service)
    if written is not None:
        return written
    known = services().get(service)
    return service if known is None else known.signing_name


def event_name(service: str, operation: str) -> str:
    """The operation's name as CloudTrail writes it: Lambda and CloudFront add a date, S3 has names of its own."""
    classes = table("classes")
    written: str | None = classes["event_names"]["values"].get(f"{service}.{operation}")
    return written or operation + _suffix(service, operation)


def _suffix(service: str, operation: str) -> str:
    rule = table("classes")["event_name_suffixes"]
    before: str | None = rule["dated_paths"].get(service)
    if before is None:
        return str(rule["values"].get(service, ""))
    try:
        path = str(model.operation_model(service, operation).http["requestUri"])
    except LookupError:
        return ""
    date = path.lstrip("/").partition("/")[0]
    return date.replace("-", "") if date[:4].isdigit() and date < before else ""


@lru_cache(maxsize=4096)
def is_global_source(event_source: str) -> bool:
    """Whether the service records its events in one region for the whole world."""
    return event_source.partition(".")[0] in table("classes")["global_services"]["values"]


def region_of(classification: Classification, host: str, region: str) -> str:
    """`awsRegion`: global services record in us-east-1; STS only when its global endpoint was called."""
    if not classification.is_global:
        return region
    regional: list[str] = table("classes")["global_services"]["regional_endpoints"]
    prefix = classification.event_source.partition(".")[0]
    if prefix in regional and region in host:
        return region
    return GLOBAL_REGION


def is_silent(call: Call) -> bool:
    """Whether it is work that an AWS service does unseen: no record of it stands in AWS's own trails either."""
    if call.principal.type != "AWSService" or classify(call.service, call.operation).category != "Management":
        return False
    recorded: dict[str, list[str]] = table("service_calls")["recorded"]
    seen = (*recorded["*"], *recorded.get(call.principal.invoked_by or "", ()))
    return f"{call.service}:{call.operation}" not in seen


def _is_read_only(prefix: str, name: str, operation: str) -> bool:
    rule = table("classes")["read_only"]
    for answer in (True, False):
        exceptions: list[str] = rule[str(answer).lower()].get(prefix, ())
        if name in exceptions or operation in exceptions:
            return answer
    return operation.startswith(tuple(rule["prefixes"]))


def _data_resource_type(prefix: str, name: str, operation: str) -> str | None:
    types: dict[str, list[str]] = table("classes")["data_events"]["values"].get(prefix, {})
    return next((kind for kind, names in types.items() if name in names or operation in names), None)


@lru_cache(maxsize=4096)
def data_resource_type(event_source: str, event_name: str) -> str | None:
    """The `resources.type` of the data event of that source and name; None for what is no data event."""
    return _data_resource_type(event_source.partition(".")[0], event_name, event_name)


def _api_version(service: str, prefix: str) -> str | None:
    versions = table("classes")["api_versions"]
    written: str | None = versions["values"].get(prefix)
    if written is not None:
        return written
    known = services().get(service) if prefix in versions["hyphenated"] else None
    return None if known is None else known.api_version
