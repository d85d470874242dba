"""Rules over networks: security groups, network ACLs, routes, gateways, subnets, flow logs."""

from collections.abc import Iterable, Sequence
from typing import Any

from trailstate.catalog.reading import listed, not_held
from trailstate.compliance.form import (
    COMPLIANT,
    MISSING,
    NOT_APPLICABLE,
    Inventory,
    Item,
    Verdict,
    field_at,
    insufficient_data,
    is_given,
    non_compliant,
    require,
    rule,
)
from trailstate.values.opening import ALL, Opening, is_world, lies_within, port_ranges, to_world, world_reaches

SECURITY_GROUP = "AWS::EC2::SecurityGroup"
NETWORK_ACL = "AWS::EC2::NetworkAcl"
INTERFACE = "AWS::EC2::NetworkInterface"
VPC = "AWS::EC2::VPC"
FLOW_LOG = "AWS::EC2::FlowLog"
_INBOUND = "configuration.ipPermissions"

require(
    "VPC_NETWORK_ACL_UNUSED_CHECK",
    NETWORK_ACL,
    "configuration.associations",
    is_given,
    says="No subnet uses the network ACL.",
)


def _inbound(item: Item) -> tuple[Opening, ...] | None:
    """What the group opens to the world; None when the item does not hold its permissions."""
    found = field_at(item, _INBOUND)
    return None if found is MISSING else to_world(found)


@rule("INCOMING_SSH_DISABLED", SECURITY_GROUP)
def incoming_ssh_disabled(item: Item, _inventory: Inventory) -> Verdict:
    """The world does not reach TCP port 22."""
    return _shut(item, [22])


@rule("RESTRICTED_INCOMING_TRAFFIC", SECURITY_GROUP)
def restricted_incoming_traffic(
    item: Item,
    _inventory: Inventory,
    *,
    blockedPort1: int = 20,
    blockedPort2: int = 21,
    blockedPort3: int = 3389,
    blockedPort4: int = 3306,
    blockedPort5: int = 4333,
    blockedPorts: tuple[str, ...] | None = None,
) -> Verdict:
    """The world reaches none of the TCP ports given, one by one or as a list."""
    single = [blockedPort1, blockedPort2, blockedPort3, blockedPort4, blockedPort5]
    return _shut(item, [*single, *(int(port) for port in blockedPorts or ())])


def _shut(item: Item, ports: Iterable[int]) -> Verdict:
    opened = _inbound(item)
    if opened is None:
        return not_held(_INBOUND)
    if not opened:
        return COMPLIANT
    reached = sorted({port for port in ports if any(one.reaches("tcp", port) for one in opened)})
    return non_compliant(f"The world reaches TCP {', '.join(map(str, reached))}.") if reached else COMPLIANT


@rule("VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS", SECURITY_GROUP)
def vpc_sg_open_only_to_authorized_ports(
    item: Item, _inventory: Inventory, *, authorizedTcpPorts: str | None = None, authorizedUdpPorts: str | None = None
) -> Verdict:
    """What the group opens to the world lies within the ports listed (`443,1020-1025`); with no list, nothing may."""
    opened = _inbound(item)
    if opened is None:
        return not_held(_INBOUND)
    allowed = {"tcp": port_ranges(authorizedTcpPorts or ""), "udp": port_ranges(authorizedUdpPorts or "")}
    for one in opened:
        kinds = ("tcp", "udp") if one.protocol == ALL else (one.protocol,)
        if not all(lies_within(one.first_port, one.last_port, allowed[kind]) for kind in kinds):
            return non_compliant(f"The world reaches {_named(one)}, beyond the authorized ports.")
    return COMPLIANT


def _named(one: Opening) -> str:
    protocol = "every protocol" if one.protocol == ALL else one.protocol.upper()
    return f"{protocol} {one.first_port}" + ("" if one.first_port == one.last_port else f"-{one.last_port}")


@rule("VPC_SG_PORT_RESTRICTION_CHECK", SECURITY_GROUP)
def vpc_sg_port_restriction_check(
    item: Item,
    inventory: Inventory,
    *,
    restrictPorts: tuple[str, ...] | None = None,
    protocolType: str | None = None,
    excludeExternalSecurityGroups: bool | None = None,
    ipType: str | None = None,
) -> Verdict:
    """The world reaches none of the ports (22 and 3389 when none is given), over TCP, UDP or both, in either family.

    Groups of other accounts that are shared into a VPC are not judged unless the parameter asks for it.
    """
    if excludeExternalSecurityGroups is not False and item["configuration"].get("ownerId") not in (
        None,
        inventory.account,
    ):
        return NOT_APPLICABLE
    opened = _inbound(item)
    if opened is None:
        return not_held(_INBOUND)
    protocols = {"TCP": ("tcp",), "UDP": ("udp",)}.get((protocolType or "").upper(), ("tcp", "udp"))
    worlds = {"IPV4": ("0.0.0.0/0",), "IPV6": ("::/0",)}.get((ipType or "").upper(), ("0.0.0.0/0", "::/0"))
    ports = [int(port) for port in restrictPorts or ("22", "3389")]
    fitting = [one for one in opened if set(worlds) & set(one.networks)]
    reached = [port for port in ports if any(one.reaches(kind, port) for one in fitting for kind in protocols)]
    return non_compliant(f"The world reaches port {', '.join(map(str, reached))}.") if reached else COMPLIANT


@rule("VPC_DEFAULT_SECURITY_GROUP_CLOSED", SECURITY_GROUP)
def vpc_default_security_group_closed(item: Item, _inventory: Inventory) -> Verdict:
    """A VPC's default group lets nothing in or out. Other groups are not judged."""
    if _is_default(item) is None:
        return not_held("configuration.groupName")
    if not _is_default(item):
        return NOT_APPLICABLE
    held = [field_at(item, path) for path in (_INBOUND, "configuration.ipPermissionsEgress")]
    if MISSING in held:
        return not_held(_INBOUND)
    count = sum(len(permissions) for permissions in held)
    return non_compliant(f"Rules of the default security group: {count}; expected none.") if count else COMPLIANT


def _is_default(item: Item) -> bool | None:
    name = field_at(item, "configuration.groupName")
    return None if name is MISSING else name == "default"


@rule("EC2_SECURITY_GROUP_ATTACHED_TO_ENI", SECURITY_GROUP, also_on=(INTERFACE,))
def ec2_security_group_attached_to_eni(item: Item, inventory: Inventory) -> Verdict:
    """The group is in use at a network interface. Default groups, which cannot be deleted, are not judged."""
    return _attached(item, inventory)


@rule("EC2_SECURITY_GROUP_ATTACHED_TO_ENI_PERIODIC", SECURITY_GROUP)
def ec2_security_group_attached_to_eni_periodic(item: Item, inventory: Inventory) -> Verdict:
    """The same, asked from time to time: an interface that comes or goes does not change the group's own item."""
    return _attached(item, inventory)


def _attached(item: Item, inventory: Inventory) -> Verdict:
    if _is_default(item) is None:
        return not_held("configuration.groupName")
    if _is_default(item):
        return NOT_APPLICABLE
    group = item["configuration"].get("groupId", item["resourceId"])
    if any(group in _groups(interface) for interface in inventory.items(INTERFACE)):
        return COMPLIANT
    return non_compliant("No network interface has the security group.")


def _groups(interface: Item) -> set[Any]:
    return {one.get("groupId") for one in interface["configuration"].get("groups") or ()}


@rule("NACL_NO_UNRESTRICTED_SSH_RDP", NETWORK_ACL)
def nacl_no_unrestricted_ssh_rdp(item: Item, _inventory: Inventory) -> Verdict:
    """The world does not get past the ACL to port 22 or 3389; a refusal with a lower number counts as one."""
    entries = field_at(item, "configuration.entries")
    if entries is MISSING:
        return not_held("configuration.entries")
    reached = [port for port in (22, 3389) if any(world_reaches(entries, kind, port) for kind in ("tcp", "udp"))]
    return (
        non_compliant(f"The ACL lets the world reach port {' and '.join(map(str, reached))}.") if reached else COMPLIANT
    )


@rule("SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED", "AWS::EC2::Subnet")
def subnet_auto_assign_public_ip_disabled(item: Item, _inventory: Inventory) -> Verdict:
    """Instances started in the subnet get no public IPv4 and no IPv6 address by themselves."""
    public = field_at(item, "configuration.mapPublicIpOnLaunch")
    if public is MISSING:
        return not_held("configuration.mapPublicIpOnLaunch")
    if public:
        return non_compliant("The subnet gives its instances public IPv4 addresses.")
    if item["configuration"].get("assignIpv6AddressOnCreation"):
        return non_compliant("The subnet gives its instances IPv6 addresses.")
    return COMPLIANT


@rule("INTERNET_GATEWAY_AUTHORIZED_VPC_ONLY", "AWS::EC2::InternetGateway")
def internet_gateway_authorized_vpc_only(
    item: Item, _inventory: Inventory, *, AuthorizedVpcIds: tuple[str, ...] | None = None
) -> Verdict:
    """The gateway is attached to no VPC but those listed."""
    attachments = field_at(item, "configuration.attachments")
    if attachments is MISSING:
        return not_held("configuration.attachments")
    others = [one["vpcId"] for one in attachments if one.get("vpcId") not in (AuthorizedVpcIds or ())]
    return non_compliant(f"The gateway is attached to {listed(others)}, which is not listed.") if others else COMPLIANT


@rule("NO_UNRESTRICTED_ROUTE_TO_IGW", "AWS::EC2::RouteTable")
def no_unrestricted_route_to_igw(
    item: Item, _inventory: Inventory, *, routeTableIds: tuple[str, ...] | None = None
) -> Verdict:
    """The table sends no traffic for the whole world to an internet gateway. Tables that are named may."""
    routes = field_at(item, "configuration.routes")
    if routes is MISSING:
        return not_held("configuration.routes")
    if item["resourceId"] in (routeTableIds or ()):
        return COMPLIANT
    found = [one["gatewayId"] for one in routes if _is_way_out(one)]
    return non_compliant(f"The table sends traffic for the whole world to {listed(found)}.") if found else COMPLIANT


def _is_way_out(route: Any) -> bool:
    to = route.get("destinationCidrBlock") or route.get("destinationIpv6CidrBlock") or ""
    return is_world(to) and (route.get("gatewayId") or "").startswith("igw-")


@rule("EC2_ENIS_SOURCE_DESTINATION_CHECK_ENABLED", INTERFACE)
def ec2_enis_source_destination_check_enabled(item: Item, _inventory: Inventory) -> Verdict:
    """The interface passes on traffic of its own alone. Interfaces that a service manages are not judged."""
    if item["configuration"].get("requesterManaged"):
        return NOT_APPLICABLE
    check = field_at(item, "configuration.sourceDestCheck")
    if check is MISSING:
        return not_held("configuration.sourceDestCheck")
    return COMPLIANT if check else non_compliant("The interface passes on traffic that is not its own.")


@rule("VPC_FLOW_LOGS_ENABLED", VPC)
def vpc_flow_logs_enabled(item: Item, inventory: Inventory, *, trafficType: str | None = None) -> Verdict:
    """The VPC's traffic is logged; the given kind (ACCEPT, REJECT, ALL) if one is given."""
    logs = [one["configuration"] for one in inventory.items(FLOW_LOG)]
    active = [
        one for one in logs if one.get("resourceId") == item["resourceId"] and one.get("flowLogStatus") == "ACTIVE"
    ]
    if not active:
        return non_compliant("The VPC has no active flow log.")
    if trafficType and not _logs_kind([one.get("trafficType") for one in active], trafficType.upper()):
        return non_compliant(f"The VPC's flow logs do not log {trafficType} traffic.")
    return COMPLIANT


def _logs_kind(kinds: Sequence[str | None], wanted: str) -> bool:
    return "ALL" in kinds or wanted in kinds or (wanted == "ALL" and {"ACCEPT", "REJECT"} <= set(kinds))


@rule("VPC_VPN_2_TUNNELS_UP", "AWS::EC2::VPNConnection")
def vpc_vpn_2_tunnels_up(item: Item, _inventory: Inventory) -> Verdict:
    """Both tunnels of the connection are up."""
    tunnels = field_at(item, "configuration.vgwTelemetry")
    if tunnels is MISSING or not tunnels:
        return insufficient_data("The item does not hold the state of the connection's tunnels.")
    down = [one for one in tunnels if one.get("status") != "UP"]
    return non_compliant(f"{len(down)} of {len(tunnels)} tunnels are down.") if down else COMPLIANT
