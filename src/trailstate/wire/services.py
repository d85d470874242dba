"""What each service is called on the wire: signing names, target prefixes, versions, protocols.

A table made from botocore's models (`python -m trailstate.wire.generate`), so that a request finds its service without
opening 445 models.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import msgspec

REST_PROTOCOLS = frozenset({"rest-json", "rest-xml"})
QUERY_PROTOCOLS = frozenset({"query", "ec2"})


class Service(msgspec.Struct, frozen=True, omit_defaults=True):
    """One row of the table; the name is botocore's."""

    name: str
    service_id: str
    signing_name: str
    endpoint_prefix: str
    api_version: str
    protocol: str
    protocols: tuple[str, ...]
    """All that it accepts; `query` also where JSON took its place and old clients still speak it."""
    operations: int
    """How many operations it has: where two services answer the same path, the larger one is the current one."""
    target_prefix: str = ""
    unsigned: bool = False
    """Has rest operations that are called without a signature, or with a bearer token."""

    @property
    def query_protocol(self) -> str | None:
        for name in self.protocols:
            if name in QUERY_PROTOCOLS:
                return name
        return None

    @property
    def rest_protocol(self) -> str | None:
        for name in self.protocols:
            if name in REST_PROTOCOLS:
                return name
        return None


@cache
def services() -> Mapping[str, Service]:
    """Every service of botocore, by its name."""
    packed = files("trailstate.wire").joinpath("data/services.json").read_bytes()
    return {row.name: row for row in msgspec.json.decode(packed, type=list[Service])}


Index = Mapping[str, tuple[Service, ...]]


@cache
def by_signing_name() -> Index:
    """The services that share a name in the SigV4 scope, the largest first."""
    return _index(lambda row: (row.signing_name,))


SCOPES_OF_OTHERS = {
    "s3express": ("s3",),
    "s3-object-lambda": ("s3",),
    "s3-outposts": ("s3", "s3control", "s3outposts"),
}
"""Signing names that no model states, because an endpoint's rules choose them."""


@dataclass(frozen=True, slots=True)
class Signers:
    """The services that a signing name may stand for."""

    every: tuple[Service, ...]
    query: tuple[Service, ...]
    """Those that speak a query protocol."""
    rest: tuple[Service, ...]


_NOBODY = Signers((), (), ())


def signers(signing_name: str) -> Signers:
    """The services of a scope's signing name; none for a name that nobody signs with."""
    return _signers().get(signing_name, _NOBODY)


@cache
def _signers() -> Mapping[str, Signers]:
    others = {name: tuple(services()[each] for each in named) for name, named in SCOPES_OF_OTHERS.items()}
    names = by_signing_name().keys() | others.keys()
    return {name: _of(by_signing_name().get(name, ()) + others.get(name, ())) for name in names}


def _of(every: tuple[Service, ...]) -> Signers:
    return Signers(
        every,
        query=tuple(service for service in every if service.query_protocol),
        rest=tuple(service for service in every if service.rest_protocol),
    )


@cache
def by_target_prefix() -> Index:
    """The services behind an X-Amz-Target prefix, whole or only its last dotted part."""
    return _index(lambda row: {row.target_prefix, row.target_prefix.rpartition(".")[2]} if row.target_prefix else ())


@cache
def by_query_version() -> Index:
    """The query services of one API version (`2010-05-08` is IAM)."""
    return _index(lambda row: (row.api_version,) if row.query_protocol else ())


def _index(keys: Callable[[Service], Iterable[str]]) -> Index:
    index: dict[str, tuple[Service, ...]] = {}
    for row in sorted(services().values(), key=lambda row: (-row.operations, row.name)):
        for key in keys(row):
            index[key] = (*index.get(key, ()), row)
    return index
