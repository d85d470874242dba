"""Every bound of the gateway has a name and a unit, and stands here."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trailstate.settings import Settings

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

UPLOAD_SERVICES = frozenset({"s3", "s3express", "s3-outposts", "s3-object-lambda", "glacier"})
"""Signing names whose bodies are a user's bytes: of any size, and never to be decoded on the way in."""

SERVICE_BODY_BYTES: Mapping[str, int] = {
    "cognito-idp": 2 * MIB,
    "dynamodb": 17 * MIB,
    "ecr": 21 * MIB,
    "firehose": 6 * MIB,
    "kinesis": 14 * MIB,
    "kms": 2 * MIB,
    "lambda": 70 * MIB,
    "logs": 2 * MIB,
    "rekognition": 8 * MIB,
    "sns": 2 * MIB,
    "sqs": 4 * MIB,
    "ssm": 2 * MIB,
}
"""Services (by signing name) whose documented payloads exceed 1 MiB, base64 and escaping included."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the gateway takes from a stranger before it says no."""

    head_bytes: int = 64 * KIB
    """Request line and header lines together, with the empty line."""
    head_lines: int = 100
    """Header lines, the request line not counted."""
    connections: int = 1000
    head_seconds: float = 10.0
    """From the first byte of a request to the end of its header block."""
    idle_seconds: float = 60.0
    """How long a connection may wait between requests."""
    body_seconds: float = 30.0
    """How long a body may stand still; also the head start a slow one gets before `body_bytes_per_second` counts."""
    body_bytes_per_second: int = 4 * KIB
    """The average a body must keep, so that its size bounds its time."""
    linger_seconds: float = 2.0
    """How long a refused client may go on sending, so that it can read why before the connection breaks."""
    memory_body_bytes: int = MIB
    """A body up to this size is handed over in memory, a larger one as an unlinked temporary file."""
    control_body_bytes: int = MIB
    """The largest body of a service that `service_body_bytes` does not name."""
    service_body_bytes: Mapping[str, int] = field(default_factory=lambda: SERVICE_BODY_BYTES)
    upload_bytes: int = 5 * GIB + MIB
    """S3's largest single PUT, and room for the signatures between its chunks."""
    spool_directory: Path | None = None
    """Where large bodies wait; the system's temporary directory when None."""
    spool_reserve_bytes: int = 256 * MIB
    """Free space an upload must leave on that disk."""
    inflated_bytes: int = 64 * MIB
    inflate_ratio: int = 200
    """How many times its own size a compressed body may become."""
    handlers: int = field(default_factory=lambda: 2 * (os.cpu_count() or 1) + 4)
    queued_calls: int = 256
    """Calls that may wait for a handler; beyond it they are throttled."""
    stop_seconds: float = 10.0
    """How long calls in flight may take to finish once the server is told to stop."""
    least_body_bytes: int = field(init=False)
    """What every service takes, so that the service of a small body need not be found out."""

    def __post_init__(self) -> None:
        least = min(self.control_body_bytes, self.upload_bytes, *self.service_body_bytes.values())
        object.__setattr__(self, "least_body_bytes", least)


def limits(settings: Settings) -> Limits:
    """The bounds a person may set, over the defaults of those nobody needs to."""
    default = Limits()
    return Limits(
        head_bytes=settings.header_bytes_max,
        head_lines=settings.header_lines_max,
        connections=settings.connections_max,
        head_seconds=settings.header_timeout_seconds,
        idle_seconds=settings.idle_timeout_seconds,
        body_seconds=settings.body_timeout_seconds,
        control_body_bytes=settings.body_bytes_max,
        upload_bytes=settings.object_bytes_max,
        inflated_bytes=settings.inflate_bytes_max,
        inflate_ratio=settings.inflate_ratio_max,
        handlers=settings.handler_threads or default.handlers,
        queued_calls=settings.handler_queue,
        stop_seconds=settings.stop_timeout_seconds,
    )
