"""Which address a request that leaves the machine may go to: looked up once, and none inside unless settings allow.

OWASP, "Server Side Request Forgery Prevention"; the special addresses are those of RFC 6890 and its registries, also
where an IPv6 address carries an IPv4 one (RFC 4291 §2.5.5, RFC 3056, RFC 4380, RFC 6052).
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
LookUp: TypeAlias = Callable[[str, int], Sequence[str]]

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Forbidden(Exception):
    """The request must not leave; the message says why."""


class NoSuchHost(Exception):
    """The name leads to no address now."""


def look_up(host: str, port: int) -> list[str]:
    """The addresses of a name; NoSuchHost."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NoSuchHost(f"'{host[:256]}' leads to no address: {error}") from error
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def permitted(host: str, port: int, allowed: Sequence[Network], ports: Sequence[int], find: LookUp = look_up) -> str:
    """The address to connect to; Forbidden if any of the name's addresses is inside and not allowed.

    A name with one address outside and one inside is a trap: all must do. Ports other than `ports` are for allowed
    networks only.
    """
    addresses = [ipaddress.ip_address(each.partition("%")[0]) for each in find(host, port)]
    if not addresses:
        raise NoSuchHost(f"'{host[:256]}' leads to no address")
    for address in addresses:
        is_allowed = any(address.version == each.version and address in each for each in allowed)
        if not is_allowed and not is_outside(address):
            raise Forbidden(f"'{host}' is {address}, an address inside; the setting outbound_allow could permit it")
        if not is_allowed and port not in ports:
            raise Forbidden(f"port {port} of '{host}' is none of {', '.join(map(str, ports))}")
    return str(addresses[0])


def is_outside(address: Address) -> bool:
    """Whether it is an address of the public Internet, with all that it carries."""
    if isinstance(address, ipaddress.IPv6Address):
        carried = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in NAT64:
            carried.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if any(each is not None and not is_outside(each) for each in carried):
            return False
        if int(address) < 2**32:  # IPv4-compatible, long withdrawn
            return False
    return address.is_global and not address.is_multicast
