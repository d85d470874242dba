"""The pages for whoever runs this server: `/_trailstate/*`, its aliases, and under `--testing` the clock.

They are plain JSON over HTTP, unsigned. A browser must not become somebody's hand: the Host must be this
machine's (no DNS rebinding), and what changes something refuses requests another site's page started (no CSRF).
"""

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

from trailstate.estate.interface import Login
from trailstate.values.timestamp import UnknownTime, parse_span
from trailstate.wire.call import WireRequest, WireResponse

PREFIXES = ("/_trailstate", "/_localstack", "/moto-api")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "localhost.localstack.cloud"})
STEP_MAX = timedelta(days=3650)


class Operator(Protocol):
    """What the pages need of the application."""

    def ready(self) -> bool:
        """Whether calls are answered now."""

    def health(self) -> dict[str, Any]:
        """A JSON object for people and probes."""

    def metrics(self) -> str:
        """Prometheus text."""

    def clock(self) -> datetime:
        """The world's time."""

    def advance(self, by: timedelta) -> datetime:
        """Move the clock; timers and followers have run to idle when it returns the new time."""

    def settle(self) -> None:
        """Return when followers have nothing left to do."""

    def reset(self) -> None:
        """Forget everything: a new, empty world."""

    def login(self, account: str, user_name: str | None) -> Login | None:
        """What somebody signs in with; see `estate.interface.Estate`."""


class PageError(Exception):
    """What the asker should know, and the status to say it with."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Page:
    methods: tuple[str, ...]
    answer: Callable[[Operator, WireRequest], WireResponse]
    testing: bool = False


class OperatorPages:
    """Answers the requests it covers. `hosts` are names of this server besides the loopback ones."""

    def __init__(
        self,
        operator: Operator,
        *,
        testing: bool = False,
        hosts: frozenset[str] = frozenset(),
        pages: Mapping[str, Page] | None = None,
    ) -> None:
        self._operator = operator
        self._pages = PAGES if pages is None else pages
        self._testing = testing
        self._hosts = LOOPBACK | {host.lower() for host in hosts}

    def covers(self, request: WireRequest) -> bool:
        """Whether the path is one of ours. A signed request is S3's, whatever its key is called."""
        if not request.path.startswith(PREFIXES):
            return False
        inside = any(request.path == prefix or request.path.startswith(prefix + "/") for prefix in PREFIXES)
        return inside and not (request.header("authorization") or "").startswith("AWS")

    def answer(self, request: WireRequest) -> WireResponse:
        try:
            check_host(request, self._hosts)
            page = self._pages.get(request.path)
            if page is None or (page.testing and not self._testing):
                raise PageError(404, f"there is no page {request.path!r} here")
            if request.method not in page.methods:
                raise PageError(405, f"expected {' or '.join(page.methods)}, found {request.method}")
            if request.method == "POST":
                check_same_site(request, self._hosts)
            return page.answer(self._operator, request)
        except PageError as error:
            return json_response(error.status, {"error": str(error)})


def check_host(request: WireRequest, hosts: frozenset[str]) -> None:
    host = host_name(request.header("host") or "localhost")
    if host not in hosts and not is_private_name(host):
        raise PageError(403, f"the host {host!r} is not a name of this server; use localhost or an IP address")


def is_private_name(host: str) -> bool:
    """Can no stranger's name server answer for it? True of IP addresses, of names without a dot, which is what
    containers call one another, and of those under the domains that are kept for private use (RFC 6761, ICANN)."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".internal"))
    return True


def check_same_site(request: WireRequest, hosts: frozenset[str]) -> None:
    origin = request.header("origin")
    if origin is not None and urlsplit_host(origin) not in hosts:
        raise PageError(403, "requests started by another site's page are refused")
    if request.header("sec-fetch-site") not in (None, "same-origin", "none"):
        raise PageError(403, "requests started by another site's page are refused")


def host_name(host: str) -> str:
    """The name of a Host header without its port."""
    return re.sub(r":[0-9]*$", "", host.lower()).strip("[]") if host.count(":") < 2 or "]" in host else host.lower()


def urlsplit_host(origin: str) -> str | None:
    try:
        return urlsplit(origin).hostname
    except ValueError:
        return None


def ready(operator: Operator, _: WireRequest) -> WireResponse:
    is_ready = operator.ready()
    return json_response(200 if is_ready else 503, {"ready": is_ready})


def health(operator: Operator, _: WireRequest) -> WireResponse:
    return json_response(200, operator.health())


def metrics(operator: Operator, _: WireRequest) -> WireResponse:
    return WireResponse(
        200, (("content-type", "text/plain; version=0.0.4; charset=utf-8"),), operator.metrics().encode()
    )


def clock(operator: Operator, request: WireRequest) -> WireResponse:
    now = operator.clock()
    if request.method == "POST":
        now = operator.advance(step(read_object(request.body), now))
    return json_response(200, {"now": now.astimezone(UTC).isoformat().replace("+00:00", "Z")})


def settle(operator: Operator, _: WireRequest) -> WireResponse:
    operator.settle()
    return json_response(200, {"status": "ok"})


def reset(operator: Operator, _: WireRequest) -> WireResponse:
    operator.reset()
    return json_response(200, {"status": "ok"})


PAGES: Mapping[str, Page] = {
    "/_trailstate/health": Page(("GET", "HEAD"), health),
    "/_localstack/health": Page(("GET", "HEAD"), health),
    "/_trailstate/ready": Page(("GET", "HEAD"), ready),
    "/_trailstate/metrics": Page(("GET", "HEAD"), metrics),
    "/_trailstate/clock": Page(("GET", "HEAD", "POST"), clock, testing=True),
    "/_trailstate/settle": Page(("POST",), settle, testing=True),
    "/_trailstate/reset": Page(("POST",), reset, testing=True),
    "/moto-api/reset": Page(("POST",), reset, testing=True),
}


def read_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise PageError(400, "expected a JSON object as the body") from None
    if not isinstance(value, dict):
        raise PageError(400, "expected a JSON object as the body")
    return value


def step(wanted: dict[str, Any], now: datetime) -> timedelta:
    """How far the clock is to go: `advance` names the step, `set` the time to arrive at."""
    if wanted.keys() == {"advance"}:
        by = duration(wanted["advance"])
    elif wanted.keys() == {"set"}:
        by = timestamp(wanted["set"]) - now
    else:
        raise PageError(400, 'expected {"advance": "2h"}, {"advance": seconds} or {"set": "2026-01-15T09:30:00Z"}')
    if not timedelta(0) <= by <= STEP_MAX:
        raise PageError(400, f"the clock only goes forward, by at most {STEP_MAX.days} days at once; the step is {by}")
    return by


def duration(value: object) -> timedelta:
    """Seconds as a number, or words such as `2h`, `1d12h`, `90m`, `30s`."""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= STEP_MAX.total_seconds():
        return timedelta(seconds=value)
    try:
        return parse_span(value if isinstance(value, str) else "")
    except UnknownTime:
        message = f"expected a duration such as '2h', '1d12h' or a number of seconds, found {value!r}"
        raise PageError(400, message) from None


def timestamp(value: object) -> datetime:
    try:
        found = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise PageError(400, f"expected a time such as '2026-01-15T09:30:00Z', found {value!r}") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def json_response(status: int, value: dict[str, Any]) -> WireResponse:
    headers = (
        ("content-type", "application/json"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
    )
    return WireResponse(status, headers, json.dumps(value).encode())
