"""Any AWS-shaped HTTP endpoint as the estate: requests go on as they came, many at a time, and no redirect is followed.

The Host header stays the client's, because a virtual-hosted bucket and the signature both depend on it. A request that
was sent and not answered may have had its effect: it is never sent again.
"""

from collections.abc import Callable
from typing import BinaryIO

import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

from trailstate.estate.interface import (
    Credential,
    EstateFailed,
    EstateRequest,
    EstateUnavailable,
    EstateUnsupported,
    Login,
    nothing,
)
from trailstate.estate.learned import Learned
from trailstate.wire.call import WireRequest, WireResponse

CONNECT_SECONDS = 5.0
READ_SECONDS = 60.0
CONNECTIONS = 32
BODY_BYTES_MAX = 1024 * 1024 * 1024
HOP_BY_HOP = frozenset(
    {
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Fields between two neighbours on the way (RFC 9110, 7.6.1), never passed on."""
HTML = b"<!doctype html"


class EndpointEstate:
    """Implements `Estate` over one URL. Safe to call from any thread."""

    def __init__(self, url: str, *, read_seconds: float = READ_SECONDS) -> None:
        parsed = urllib3.util.parse_url(url)
        if parsed.scheme not in {"http", "https"} or not parsed.host:
            raise ValueError(f"an estate's address looks like http://host:port; found '{url}'")
        self._base = url.rstrip("/")
        self._path = (parsed.path or "").rstrip("/")
        self._pool = urllib3.connection_from_url(
            self._base,
            maxsize=CONNECTIONS,
            block=True,
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds),
        )
        self._learned = Learned()

    def handle(self, request: EstateRequest, meanwhile: Callable[[], None] = nothing) -> WireResponse:  # noqa: ARG002
        response = self._sent(request.request)
        if response.status == 501:
            raise EstateUnsupported(_excerpt(response))
        if response.status >= 400 and response.body[: len(HTML)].lower() == HTML:
            raise EstateFailed(f"{response.status}: {_excerpt(response)}")
        self._learned.watch(request, response)
        return response

    def credential(self, access_key_id: str) -> Credential | None:
        return self._learned.find(access_key_id)

    def login(self, account: str, user_name: str | None) -> Login | None:  # noqa: ARG002
        """No endpoint tells its users' passwords."""
        return None

    def reset(self) -> None:
        """Forget what was learned. What the endpoint holds is not ours to delete."""
        self._learned.forget()

    def close(self) -> None:
        self._pool.close()

    def _sent(self, request: WireRequest) -> WireResponse:
        try:
            answer = self._pool.urlopen(
                request.method,
                self._path + request.target,
                body=_body(request),
                headers=_forwarded(request),
                redirect=False,
                retries=False,
                assert_same_host=False,
                preload_content=False,
                decode_content=False,
            )
            return _read(answer)
        except (NewConnectionError, urllib3.exceptions.ConnectTimeoutError, MaxRetryError) as error:
            raise EstateUnavailable(f"The estate at {self._base} cannot be reached: {error}", applied=False) from error
        except (HTTPError, OSError) as error:
            raise EstateUnavailable(f"The estate at {self._base} gave no answer: {error}", applied=True) from error


def _forwarded(request: WireRequest) -> urllib3.HTTPHeaderDict:
    """The client's headers but those of its own connection; the length is that of the body as it now stands."""
    named = request.header("connection") or ""
    dropped = HOP_BY_HOP | {"content-length"} | {name.strip().lower() for name in named.split(",")}
    headers = urllib3.HTTPHeaderDict()
    for name, value in request.headers:
        if name not in dropped and not name.startswith("x-moto-"):
            headers.add(name, value)
    # urllib3 would otherwise speak for itself.
    for name in ("user-agent", "accept-encoding"):
        if name not in headers:
            headers[name] = urllib3.util.SKIP_HEADER
    size = request.body_size if request.body_file is not None else len(request.body)
    if size or request.method in {"POST", "PUT", "PATCH"}:
        headers["content-length"] = str(size)
    return headers


def _body(request: WireRequest) -> bytes | BinaryIO | None:
    if request.body_file is not None:
        request.body_file.seek(0)
        return request.body_file
    return request.body or None


def _read(answer: urllib3.BaseHTTPResponse) -> WireResponse:
    try:
        body = answer.read(BODY_BYTES_MAX + 1)
        if len(body) > BODY_BYTES_MAX:
            raise EstateFailed(f"an answer of more than {BODY_BYTES_MAX} bytes")
        headers = tuple(
            (name.lower(), value) for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP
        )
        return WireResponse(answer.status, headers, body)
    finally:
        answer.release_conn()


def _excerpt(response: WireResponse) -> str:
    return response.body[:500].decode("utf-8", "replace")
