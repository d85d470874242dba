"""What each service is called on the wire: signing names, target prefixes, versions, protocols.

A table made from botocore's models (`python -m trailstate.wire.generate`), so that a request finds its service without
opening 445 models.
"""

from collections.abc import Callable, Iterable, Mapping
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
        return next((name for name in self.protocols if name in QUERY_PROTOCOLS), None)

    @property
    def rest_protocol(self) -> str | None:
        return next((name for name in self.protocols if name in REST_PROTOCOLS), None)


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
