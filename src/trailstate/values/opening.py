"""What a security group or a network ACL opens: protocols, port ranges and the networks they are opened to.

Reads the permissions of a configuration item (`ipPermissions` of a security group, `entries` of a network ACL). The
world is a network of prefix length 0 in either family. Protocol `-1` means every protocol and every port; a protocol
may also be written by its IANA number (EC2 API reference, "IpPermission", "NetworkAclEntry").
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PORTS = (0, 65535)
ALL = "-1"
_PROTOCOL_NAMES = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}
_WITH_PORTS = frozenset({"tcp", "udp", ALL})
_WORLD = "/0"
_RANGES = (("ipRanges", "cidrIp"), ("ipv4Ranges", "cidrIp"), ("ipv6Ranges", "cidrIpv6"))
"""Where the networks of a permission stand. IPv4 has two spellings, plain and with descriptions, which are equal."""


@dataclass(frozen=True, slots=True)
class Opening:
    """One protocol's ports, first and last included, opened to some networks."""

    protocol: str
    first_port: int
    last_port: int
    networks: tuple[str, ...]

    def reaches(self, protocol: str, port: int) -> bool:
        return self.protocol in (protocol, ALL) and self.first_port <= port <= self.last_port


def is_world(network: str) -> bool:
    return network.endswith(_WORLD)


def to_world(permissions: Iterable[Mapping[str, Any]]) -> tuple[Opening, ...]:
    """What a security group's permissions let the whole world in by, over protocols that have ports.

    A permission that names no ports opens them all.
    """
    found = [_opening(permission) for permission in permissions if _lets_world_in(permission)]
    return tuple(one for one in found if one.protocol in _WITH_PORTS)


def _lets_world_in(permission: Mapping[str, Any]) -> bool:
    for ranges, cidr in _RANGES:
        for one in permission.get(ranges) or ():
            if (one if isinstance(one, str) else one[cidr]).endswith(_WORLD):
                return True
    return False


def world_reaches(entries: Sequence[Mapping[str, Any]], protocol: str, port: int) -> bool:
    """Whether a network ACL lets the world in at a port: of its inbound entries that fit, the lowest number decides."""
    inbound = sorted((entry for entry in entries if not entry["egress"]), key=lambda entry: int(entry["ruleNumber"]))
    return any(_first_decision(inbound, protocol, port, family) == "allow" for family in ("cidrBlock", "ipv6CidrBlock"))


def _first_decision(inbound: Sequence[Mapping[str, Any]], protocol: str, port: int, family: str) -> str | None:
    for entry in inbound:
        if is_world(entry.get(family) or "") and _entry_ports(entry).reaches(protocol, port):
            return str(entry["ruleAction"]).lower()
    return None


def _entry_ports(entry: Mapping[str, Any]) -> Opening:
    ports = entry.get("portRange") or {}
    return _ranged(entry["protocol"], ports.get("from"), ports.get("to"), ())


def _opening(permission: Mapping[str, Any]) -> Opening:
    return _ranged(
        permission["ipProtocol"], permission.get("fromPort"), permission.get("toPort"), _networks(permission)
    )


def _ranged(protocol: object, first: int | None, last: int | None, networks: tuple[str, ...]) -> Opening:
    name = _PROTOCOL_NAMES.get(str(protocol), str(protocol).lower())
    if name == ALL or first is None or last is None:
        return Opening(name, *PORTS, networks)
    return Opening(name, int(first), int(last), networks)


def _networks(permission: Mapping[str, Any]) -> tuple[str, ...]:
    listed = [(one, cidr) for ranges, cidr in _RANGES for one in permission.get(ranges) or ()]
    return tuple(dict.fromkeys(one if isinstance(one, str) else one[cidr] for one, cidr in listed))


def port_ranges(text: str) -> tuple[tuple[int, int], ...]:
    """Ports as people list them, `22,8000-8080`; ValueError for anything else."""
    parts = (part.strip().partition("-") for part in text.split(",") if part.strip())
    return tuple((int(first), int(last) if dash else int(first)) for first, dash, last in parts)


def lies_within(first_port: int, last_port: int, ranges: Iterable[tuple[int, int]]) -> bool:
    """Whether every port from first to last is in one of the ranges; ranges may meet or overlap."""
    reached = first_port - 1
    for first, last in sorted(ranges):
        if first <= reached + 1:
            reached = max(reached, last)
    return reached >= last_port
