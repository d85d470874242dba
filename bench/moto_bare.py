"""moto as it is published, at its quickest: its services' WSGI applications behind our HTTP server, in one process.

What moto's own server spends on finding the application of a request (more than on the request) is left out: the
credential's scope names it.

python -m bench.moto_bare PORT
"""

import io
import sys
import threading
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any
from urllib.parse import unquote

from moto.moto_server.werkzeug_app import create_backend_app

from bench.passthrough import serve
from trailstate.wire.call import WireRequest, WireResponse


def environ_of(request: WireRequest) -> dict[str, Any]:
    """PEP 3333, with the raw target that moto's own server gives besides."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(request.path, "latin-1"),
        "QUERY_STRING": request.query,
        "RAW_URI": request.target,
        "REQUEST_URI": request.target,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": request.source_address,
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers:
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    return environ


def service_of(request: WireRequest) -> str:
    """The fourth part of the credential's scope (Signature Version 4)."""
    return (request.header("authorization") or "").split("/", 4)[3]


def main() -> None:
    application = cache(create_backend_app)
    one_at_a_time = threading.Lock()

    def handle(request: WireRequest) -> WireResponse:
        begun: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], _: object = None) -> Callable[[bytes], object]:
            begun.append((status, headers))
            return lambda _: None

        with one_at_a_time:
            chunks: Iterable[bytes] = application(service_of(request))(environ_of(request), start)
            body = b"".join(chunks)
        status, headers = begun[-1]
        return WireResponse(int(status[:3]), tuple((name.lower(), value) for name, value in headers), body)

    serve(handle, int(sys.argv[1]))


if __name__ == "__main__":
    main()
