"""moto's services, each made when first needed, its handlers called in this thread.

Every answer has a kind: the service's own, *unsupported* (moto has no such operation), or *failed* (moto broke). An
HTML page is never an answer.
"""

import gc
import importlib.util
import traceback
from collections.abc import Callable
from functools import lru_cache
from typing import Any, BinaryIO, cast

from botocore.model import OperationNotFoundError
from moto.backend_index import backend_url_patterns
from moto.core.base_backend import AccountSpecificBackend, BackendDict
from moto.core.model_instances import reset_model_data
from moto.moto_api._internal import mock_random
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from trailstate.estate.child import fixes, instances, memory, notices, once, passwords, queues, stacks, template
from trailstate.estate.child.credentials import Credentials
from trailstate.estate.child.direct import UNTYPED, Handlers, NoRoute
from trailstate.estate.child.environ import environ_of, scoped_authorization
from trailstate.estate.child.sources import Sources, replace
from trailstate.estate.frames import Answered, Failed, Serve, Settled, Unsupported, Upward

HTML = b"<!doctype html"
NOT_IMPLEMENTED = b"has not been implemented"
EXCERPT_BYTES = 500
FRAMES_TOLD = 6
CONTENT_TYPES = {b"<": "text/xml", b"{": "application/json", b"[": "application/json"}
NOT_IN_XML = bytes(set(range(32)) - set(b"\t\r\n"))
BODILESS = frozenset({"HEAD", "OPTIONS"})
READS_OBJECTS = frozenset({"GetObject", "HeadObject"})
"""Operations whose answer has the type that its owner gave the object, a page's included."""

HOSTS_KEPT = 1024
NAMES_KEPT = 4096
NAMED = {"s3": "s3", "s3control": "s3control"}
"""Services that moto tells apart by the path, which in S3 is the client's to choose."""


class Simulator:
    """All of moto that may be reached. One request at a time."""

    def __init__(self, sources: Sources, ours: tuple[str, ...] = ()) -> None:
        """`ours` marks the resource types that a stack leaves to the house."""
        self.upward: Callable[[Upward], Settled] = _nobody
        self._ours = ours
        self._serving = 0
        self._sources = sources
        self._backends: list[Any] = []
        self._services: dict[str, Handlers] = {}
        self._names: dict[tuple[str, str, str, str], str] = {}
        self._dispatcher = DomainDispatcherApplication(create_backend_app)
        self.credentials = Credentials()
        sources.govern(mock_random)
        self._make_backends_aside()
        template.read_templates_safely()
        for fix in (*fixes.AT_START, *once.AT_START):
            fix()
        self.credentials.watch()

    def serve(self, frame: Serve, body: BinaryIO, size: int) -> Answered | Unsupported | Failed:
        """One request, at the frame's time and from its seed."""
        self._sources.set(frame.now_microseconds, frame.seed)
        self.credentials.caller = frame.caller
        self._serving = frame.number
        try:
            environ = environ_of(frame, body, size)
            status, headers, content = self._handlers(self._name_of(environ, frame)).answer(environ)
        except (NotImplementedError, OperationNotFoundError, NoRoute) as reason:
            return Unsupported(str(reason))
        except Exception as error:
            return Failed(_whereabouts(error))
        return _judged(frame, status, headers, content)

    def call(
        self,
        account: str,
        region: str,
        service: str,
        operation: str,
        parameters: dict[str, Any],
        *,
        role: str = "",
        by: str = "",
        source: str = "",
    ) -> Settled:
        """A call of the house, as whoever made the request being served; others may be served meanwhile."""
        serving, caller = self._serving, self.credentials.caller
        with self._sources.interrupted():
            asked = Upward(serving, account, region, service, operation, parameters, role, by, source)
            settled = self.upward(asked)
        self._serving, self.credentials.caller = serving, caller
        return settled

    def warm(self, service: str) -> None:
        """Load a service; nothing it holds comes into being by that. What only the loading needed is given back."""
        self._handlers(service)
        memory.settle()

    def reset(self) -> None:
        """Forget every resource and credential; loaded code stays."""
        for backends in self._backends:
            backends.clear()
            for name in ("bucket_accounts", "topics"):
                getattr(backends, name, {}).clear()
        reset_model_data()
        self.credentials.forget()

    def _name_of(self, environ: dict[str, Any], frame: Serve) -> str:
        """moto's name of the service. An operation that the house names is always the same service's; otherwise moto
        looks at all of the request."""
        if frame.service in NAMED:
            return NAMED[frame.service]
        scoped = scoped_authorization(environ.get("HTTP_AUTHORIZATION", ""), frame)
        if not frame.operation:
            return self._inferred(environ, scoped, frame)
        region, signed_for = scoped.split("/", 4)[2:4]
        key = (frame.service, frame.operation, region, signed_for)
        name = self._names.get(key)
        if name is None:
            if len(self._names) >= NAMES_KEPT:
                self._names.clear()
            name = self._names[key] = self._inferred(environ, scoped, frame)
        return name

    def _inferred(self, environ: dict[str, Any], scoped: str, frame: Serve) -> str:
        hint = environ | {"HTTP_AUTHORIZATION": scoped}
        host = self._dispatcher.infer_service_region_host(hint, environ["PATH_INFO"])
        name = _backend_of(host) if host else None
        if name is None:
            raise NoRoute(f"the simulator has no service '{frame.service}'")
        return name

    def _handlers(self, name: str) -> Handlers:
        handlers = self._services.get(name)
        if handlers is None:
            with self._sources.aside(f"import {name}"), instances.read_late():
                application = create_backend_app(cast("Any", name))
                fixes.AFTER_IMPORT.get(name, lambda: None)()
                if name == "cloudformation":
                    stacks.leave_ours(self._ours, self.call)
                if name == "iam":
                    passwords.keep_passwords(self.credentials)
                if name == "sqs":
                    queues.hold_services_to_policies(self.credentials)
                if name == "s3":
                    notices.leave_to_the_house(self.call)
            handlers = self._services[name] = Handlers(application)
        return handlers

    def _make_backends_aside(self) -> None:
        """What an account has from the start must not depend on which request looked first."""
        make_all, make_account, make_region = (
            BackendDict.__init__,
            AccountSpecificBackend.__init__,
            AccountSpecificBackend.__getitem__,
        )
        sources, known = self._sources, self._backends

        def new_dict(backends: Any, backend: type, service_name: str, *rest: Any, **named: Any) -> None:
            with sources.aside(f"{backend.__module__}/{service_name}"):
                make_all(backends, backend, service_name, *rest, **named)
            known.append(backends)

        def new_account(own: Any, service_name: str, account_id: str, *rest: Any, **named: Any) -> None:
            with sources.aside(f"{service_name}/{account_id}"):
                make_account(own, service_name, account_id, *rest, **named)

        def of_region(own: Any, region: str) -> Any:
            region = "aws" if region == "global" else region
            found = dict.get(own, region)
            if found is not None:
                return found
            with sources.aside(f"{own.service_name}/{own.account_id}/{region}"):
                return make_region(own, region)

        # The few that importing this module brought in; every later one announces itself.
        known.extend(value for value in gc.get_objects() if issubclass(type(value), BackendDict))
        replace(BackendDict, "__init__", new_dict)
        replace(AccountSpecificBackend, "__init__", new_account)
        replace(AccountSpecificBackend, "__getitem__", of_region)


def _nobody(_: Upward) -> Settled:
    return Settled(None, "InternalFailure", "Nobody answers such calls.", 500)


def _judged(
    frame: Serve, status: int, headers: list[tuple[str, str]], content: bytes
) -> Answered | Unsupported | Failed:
    if status == 501 or (status >= 400 and NOT_IMPLEMENTED in content):
        return Unsupported(_excerpt(content))
    if status == 404 and not content and frame.method != "HEAD" and frame.service != "s3":
        return Unsupported(f"no operation of '{frame.service}' under {frame.method} {frame.target[:200]}")
    if status >= 400 and not content and frame.method not in BODILESS:
        return Failed(f"{status}, and not a word why")
    if status == 500 or (status >= 400 and content[: len(HTML)].lower() == HTML):
        return Failed(f"moto answered {status} with {len(content)} bytes that no client may see")
    if ("content-type", UNTYPED) in headers and not (status < 300 and frame.operation in READS_OBJECTS):
        headers = [line for line in headers if line[0] != "content-type"] + _type_of(content)
    if status >= 400 and content[:1] == b"<":
        content = content.translate(None, NOT_IN_XML)  # moto repeats what it was sent
    return Answered(status, headers, content)


def _type_of(content: bytes) -> list[tuple[str, str]]:
    """The header moto left out: nothing it answers is a page, whatever its web framework assumes."""
    kind = CONTENT_TYPES.get(content.lstrip()[:1], "text/plain")
    return [("content-type", kind)] if content else []


def _whereabouts(error: Exception) -> str:
    """The kind of an exception and the way to it. Not its words: they may repeat what the client sent."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES_TOLD:]
    way = " > ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames)
    return f"{type(error).__name__} at {way}"


def _excerpt(content: bytes) -> str:
    return content[:EXCERPT_BYTES].decode("utf-8", "replace")


@lru_cache(maxsize=HOSTS_KEPT)
def _backend_of(host: str) -> str | None:
    if _is_module(host):
        return host
    return next((name for name, pattern in backend_url_patterns if pattern.match(f"http://{host}")), None)


def _is_module(name: str) -> bool:
    return name.isidentifier() and importlib.util.find_spec(f"moto.{name}") is not None
