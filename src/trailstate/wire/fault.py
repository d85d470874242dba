"""Errors a caller of AWS can meet, and those of a service's model by name; `spelling` has what every service answers.

A name that the model does not have is an AttributeError where it is written, not a fault that nobody knows:

    fault = faults("cloudtrail")
    raise fault.TrailNotFoundException("Unknown trail: audit for the user: 111122223333")
"""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import cache
from http import HTTPStatus
from typing import Any, NamedTuple


class Fault(Exception):
    """A call that fails the way AWS would fail it; `wire.encode.encode_fault` makes the answer of it.

    `code` is the code as the service writes it on the wire; `shape` the model's exception class when there is one (the
    two differ in query services: `NoSuchEntity` and `NoSuchEntityException`); `fields` that class's further members.
    """

    def __init__(self, code: str, message: str, status: int = 400, service: str | None = None, **fields: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.service = service
        self.fields: dict[str, Any] = fields
        self.shape: str | None = None
        self.retry_after_seconds: int | None = None

    @property
    def sender(self) -> bool:
        """Whether the caller is to blame (`Sender`) rather than the service (`Receiver`)."""
        return self.status < HTTPStatus.INTERNAL_SERVER_ERROR


class Modelled(NamedTuple):
    """What a service's model says about one of its exceptions."""

    shape: str
    code: str
    status: int
    members: frozenset[str]


@cache
def modelled_faults(service: str) -> Mapping[str, Modelled]:
    """Every exception of the service's model, by the name of its shape."""
    from trailstate.wire.model import service_model  # here, so that naming a fault does not load botocore

    return {shape.name: _modelled(shape) for shape in service_model(service).error_shapes}


def _modelled(shape: Any) -> Modelled:
    error = shape.metadata.get("error", {})
    fallback = 500 if shape.metadata.get("fault") else 400
    return Modelled(shape.name, shape.error_code, error.get("httpStatusCode", fallback), frozenset(shape.members))


class Faults:
    """The modelled exceptions of one service as attributes; each makes a Fault of a message and further members."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __getattr__(self, name: str) -> Callable[..., Fault]:
        if name.startswith("__"):
            raise AttributeError(name)
        known = modelled_faults(self._service)
        if name not in known:
            raise AttributeError(_misspelt(self._service, name, known))
        return _maker(self._service, known[name])

    def __dir__(self) -> list[str]:
        return sorted(modelled_faults(self._service))


def faults(service: str) -> Faults:
    """The service's modelled exceptions. A misspelt attribute raises AttributeError, naming those that come close."""
    return Faults(service)


def _misspelt(service: str, name: str, known: Mapping[str, Modelled]) -> str:
    close = get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(close)}?" if close else f"; it has {', '.join(sorted(known)[:8])} …"
    return f"the model of '{service}' has no exception '{name}'{hint}"


def _maker(service: str, modelled: Modelled) -> Callable[..., Fault]:
    def make(message: str = "", /, **fields: Any) -> Fault:
        unknown = fields.keys() - modelled.members
        if unknown:
            raise TypeError(f"{modelled.shape} of '{service}' has no member {sorted(unknown)}")
        fault = Fault(modelled.code, message, modelled.status, service)
        fault.shape = modelled.shape
        fault.fields = fields
        return fault

    make.__name__ = make.__qualname__ = modelled.shape
    return make
