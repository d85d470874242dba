"""A request goes to moto's handler, and the answer comes back, without a web framework between them.

moto's applications are Flask's. Of what Flask does for a request (contexts, signals, sessions, a class of its own for
uploaded files) moto uses the table of its paths alone; everything else is a fifth of what a call costs. So the table is
asked here, the handler is given the request as moto's own server would give it, and what it answers becomes the three
parts of an answer as `werkzeug.Response` would make them. An answer out of the ordinary still goes through that class.
"""

from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from botocore.exceptions import ClientError
from moto.core.request import (
    PRESERVED_HEADER_NAMES_ENVIRON_KEY,
    EnvironHeaders,
    Request,
    environ_key_for_header,
)
from moto.settings import MAX_FORM_MEMORY_SIZE
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import BadRequestKeyError, HTTPException
from werkzeug.http import parse_options_header
from werkzeug.sansio.request import Request as AnyRequest
from werkzeug.urls import iri_to_uri
from werkzeug.utils import cached_property
from werkzeug.wrappers import Response

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
UNTYPED = "text/html; charset=utf-8"
"""What moto's web framework writes where moto named no type."""

SERVER = ("localhost", 80)
KEPT = 512
"""How many content types, hosts, header names, and paths of each service are remembered."""

NO_BODY = frozenset({204, 304})
LOCATIONS = frozenset({"location", "content-location"})

Sent = tuple[int, list[tuple[str, str]], bytes]
"""Status, headers with their names in lower case, body."""


class NoRoute(Exception):
    """No operation of this service lives under that method and path."""


class Lines(EnvironHeaders):
    """A request's headers. Handlers look some fifteen times a request, mostly for the same names."""

    def _get_key(self, key: str) -> str:
        found: str = self.environ[_key_of(key)]
        return found

    def __contains__(self, key: object) -> bool:
        return _key_of(key) in self.environ

    def get(self, key: str, default: Any = None, type: Any = None) -> Any:  # type: ignore[override]
        return self.environ.get(_key_of(key), default) if type is None else super().get(key, default, type)


class Asked(Request):
    """A request as moto's handlers know it. Its body is in memory, so nothing need guard the end of a stream."""

    from_wsgi_server = True
    raw_path = raw_url = root_url = ""

    def __init__(self, environ: dict[str, Any]) -> None:
        target: str = environ["RAW_URI"]
        path, _, query = target.partition("?")
        decoded: str = environ["PATH_INFO"]
        AnyRequest.__init__(
            self,
            environ["REQUEST_METHOD"],
            environ["wsgi.url_scheme"],
            SERVER,
            "",
            decoded if decoded.isascii() else decoded.encode("latin-1").decode(errors="replace"),
            query.encode("latin-1"),
            Lines(environ),
            environ["REMOTE_ADDR"],
        )
        self.environ = environ
        self.shallow = False
        self.max_form_memory_size = MAX_FORM_MEMORY_SIZE
        self.stream = environ["wsgi.input"]
        self.root_url = _root(environ["HTTP_HOST"])
        self.raw_path = path if path[:1] == "/" else _raw_path(target)
        self.raw_url = f"{self.root_url.rstrip('/')}{self.raw_path}" + (f"?{query}" if query else "")

    @cached_property
    def values(self) -> Any:
        """All that was given by name; mostly that is the form alone."""
        return super().values if self.query_string or self.method == "GET" else self.form

    def _load_form_data(self) -> None:
        own = vars(self)
        if "form" in own:
            return
        kind = _kind(self.environ.get("CONTENT_TYPE", "")) if self.want_form_data_parsed else ""
        if kind == MULTIPART:
            super()._load_form_data()
            return
        own["form"], own["files"] = _form(self) if kind == FORM else Form(), ImmutableMultiDict()


class Handlers:
    """The handlers of one of moto's services, by method and path."""

    def __init__(self, application: Any) -> None:
        self._views = application.view_functions
        self._table = application.url_map.bind("localhost")
        self._found = lru_cache(maxsize=KEPT)(self._handler)

    def answer(self, environ: dict[str, Any]) -> Sent:
        """What the handler makes of the request. NoRoute when there is none; whatever the handler itself raises."""
        request = Asked(environ)
        handler = self._found(request.method, request.path)
        try:
            result = handler(request, request.raw_url, headers_of(environ))
        except ClientError as error:
            result = 400, {}, error.response["Error"]["Message"]
        except BadRequestKeyError:
            raise
        except HTTPException as error:
            return called(error, environ)
        status, headers, content = result if len(result) == 3 else (200, {}, result)
        return sent(request, status, headers, content)

    def _handler(self, method: str, path: str) -> Any:
        try:
            rule, _ = self._table.match(path, method, return_rule=True)
        except HTTPException as error:
            raise NoRoute(f"no operation under {method} {path[:200]}") from error
        return self._views[rule.endpoint].callback


def called(application: Any, environ: dict[str, Any]) -> Sent:
    """What a WSGI application answers."""
    begun: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> None:
        begun.append((status, headers))

    chunks = application(environ, start_response)
    try:
        content = b"".join(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    status, headers = begun[-1]
    # moto leaves a 'status' among the headers of some answers.
    return int(status[:3]), [(name.lower(), value) for name, value in headers if name.lower() != "status"], content


def _plain(method: str, status: Any, headers: Any, content: Any) -> Sent | None:
    """The answer, if it is one of the ordinary kind: text or bytes under plain headers, each once."""
    if isinstance(content, str):
        content = content.encode()
    if type(content) is not bytes or type(headers) is not dict or type(status) is not int:
        return None
    if not 200 <= status < 600 or status in NO_BODY:
        return None
    lines: dict[str, str] = {}
    for name, value in headers.items():
        lower = name.lower()
        text = value if type(value) is str else str(value)
        if lower in lines or not isinstance(value, (str, int)) or "\n" in text or "\r" in text:
            return None
        lines[lower] = iri_to_uri(text) if lower in LOCATIONS else text
    lines.setdefault("content-type", UNTYPED)
    if not (method == "HEAD" and "content-length" in headers):
        lines["content-length"] = str(len(content))
    lines.pop("status", None)
    return status, list(lines.items()), b"" if method == "HEAD" else content


def sent(request: Asked, status: Any, headers: Any, content: Any) -> Sent:
    """What goes out of what a handler returned."""
    plain = _plain(request.method, status, headers, content)
    if plain is not None:
        return plain
    response = Answer(content, status, headers)
    if request.method == "HEAD" and "content-length" in headers:
        response.headers["Content-Length"] = headers["content-length"]
    return called(response, request.environ)


class Answer(Response):
    """An answer as moto's web framework types it."""

    default_mimetype = "text/html"


class Form(ImmutableMultiDict[str, str]):
    """A form's members. Parsers ask it for every member that the model knows, most of which are not there."""

    def get(self, key: str, default: Any = None, type: Any = None) -> Any:  # type: ignore[override]
        if type is not None:
            return super().get(key, default, type)
        found = dict.get(self, key)
        return found[0] if found else default


def _form(request: Asked) -> Form:
    """The members of a form; none when it is not text."""
    try:
        text = request.stream.read().decode()
    except UnicodeDecodeError:
        return Form()
    return Form(parse_qsl(text, keep_blank_values=True, errors="werkzeug.url_quote"))


def headers_of(environ: dict[str, Any]) -> dict[str, str]:
    """What `dict(request.headers)` holds, without looking at each name anew."""
    spelled: dict[str, str] = environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY]
    return {
        spelled.get(key, name): value
        for key, value in environ.items()
        if (name := _header_name(key)) and (value or key != "CONTENT_TYPE")
    }


@lru_cache(maxsize=KEPT)
def _header_name(key: str) -> str:
    """The header that a key of the environment holds; empty when it holds none."""
    return next((name for name, _ in EnvironHeaders({key: "given"})), "")


@lru_cache(maxsize=KEPT)
def _key_of(name: object) -> str:
    """Where the environment holds a header; where it holds nothing, for what is no name."""
    return environ_key_for_header(name) if isinstance(name, str) else ""


@lru_cache(maxsize=KEPT)
def _kind(content_type: str) -> str:
    return parse_options_header(content_type)[0].lower()


@lru_cache(maxsize=KEPT)
def _root(host: str) -> str:
    return Request({"HTTP_HOST": host}).root_url


def _raw_path(target: str) -> str:
    """The path of a target that does not begin with one."""
    return Request({"RAW_URI": target}).raw_path
