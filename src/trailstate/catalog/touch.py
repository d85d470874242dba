"""Rows of `touched_by`, many calls to one place: which recorded calls mean that a resource may have changed."""

from collections.abc import Sequence
from dataclasses import dataclass

from trailstate.configuration.form import ALL

REQUEST, RESPONSE = "requestParameters", "responseElements"

Rows = dict[str, str | Sequence[str]]


def at(place: str | Sequence[str], *events: str) -> Rows:
    """These calls name the resource there."""
    return dict.fromkeys(events, place)


def asked(place: str, *events: str) -> Rows:
    """These calls name the resource there in their request."""
    return at(f"{REQUEST}.{place}", *events)


def wrapped(place: str, *events: str) -> Rows:
    """EC2's younger calls: their request stands in a member of its own, and keeps its capitals."""
    return {event: f"{REQUEST}.{event}Request.{place}" for event in events}


def answered(place: str, *events: str) -> Rows:
    """These calls name the resource there in their answer."""
    return at(f"{RESPONSE}.{place}", *events)


def anywhere(*events: str) -> Rows:
    """These calls do not say which resources they touched."""
    return at(ALL, *events)


def starting_with(*prefixes: str) -> "_Prefixed":
    """Reads a key only if it is one of this type: EC2's CreateTags names resources of all types in one list."""
    return _Prefixed(prefixes)


@dataclass(frozen=True, slots=True)
class _Prefixed:
    """Compares by value, so that two declarations of one type are equal; so do those below."""

    prefixes: tuple[str, ...]

    def __call__(self, text: str) -> str:
        return text if text.startswith(self.prefixes) else ""


def last_part(text: str) -> str:
    """The name at the end of an ARN, a path or a URL."""
    return text.rsplit("/", 1)[-1].rsplit(":", 1)[-1]


def arn_like(*marks: str) -> "_Marked":
    """Reads ARNs that contain one of these marks; calls such as TagResource name resources of all types."""
    return _Marked(marks)


@dataclass(frozen=True, slots=True)
class _Marked:
    marks: tuple[str, ...]

    def __call__(self, text: str) -> str:
        return text if any(mark in text for mark in self.marks) else ""


def named_after(mark: str) -> "_Named":
    """Reads the name that stands after the mark of an ARN, or a bare name; an ARN without it is of another type."""
    return _Named(mark)


@dataclass(frozen=True, slots=True)
class _Named:
    mark: str

    def __call__(self, text: str) -> str:
        return text if not text.startswith("arn:") else text.partition(self.mark)[2]
