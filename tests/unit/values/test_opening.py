"""Whom a permission lets in, at which ports."""

import pytest

from trailstate.values.opening import lies_within, port_ranges, to_world, world_reaches

WORLD = {"ipRanges": ["0.0.0.0/0"]}


def _ports(permission):
    return [(one.protocol, one.first_port, one.last_port) for one in to_world([permission])]


def test_a_permission_to_the_world_names_its_ports():
    assert _ports({"ipProtocol": "tcp", "fromPort": 20, "toPort": 25, **WORLD}) == [("tcp", 20, 25)]


def test_all_protocols_open_all_ports():
    assert _ports({"ipProtocol": "-1", **WORLD}) == [("-1", 0, 65535)]


@pytest.mark.parametrize(
    "networks",
    [
        {"ipv4Ranges": [{"cidrIp": "0.0.0.0/0"}]},
        {"ipv6Ranges": [{"cidrIpv6": "::/0"}]},
        {"ipRanges": [{"cidrIp": "10.0.0.0/8"}], "ipv6Ranges": [{"cidrIpv6": "::/0"}]},
    ],
)
def test_the_world_is_found_in_every_spelling(networks):
    assert _ports({"ipProtocol": "6", "fromPort": 22, "toPort": 22, **networks}) == [("tcp", 22, 22)]


@pytest.mark.parametrize(
    "permission",
    [
        {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": ["10.0.0.0/8", "0.0.0.0/1"]},
        {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "userIdGroupPairs": [{"groupId": "sg-1"}]},
        {"ipProtocol": "icmp", "fromPort": -1, "toPort": -1, **WORLD},
    ],
)
def test_what_opens_no_port_to_the_world(permission):
    assert _ports(permission) == []


def _entry(number, action, first=None, last=None, protocol="6", **more):
    ports = {"portRange": {"from": first, "to": last}} if first is not None else {}
    return {"ruleNumber": number, "ruleAction": action, "egress": False, "protocol": protocol, **ports, **more}


def test_an_acl_is_decided_by_the_lowest_number_that_fits():
    shut_then_open = [
        _entry(200, "allow", protocol="-1", cidrBlock="0.0.0.0/0"),
        _entry(100, "deny", 22, 22, cidrBlock="0.0.0.0/0"),
    ]
    assert not world_reaches(shut_then_open, "tcp", 22)
    assert world_reaches(shut_then_open, "tcp", 3389)


def test_an_acl_is_read_for_each_family_alone():
    newer_open = [
        _entry(100, "deny", 22, 22, cidrBlock="0.0.0.0/0"),
        _entry(110, "allow", 0, 65535, ipv6CidrBlock="::/0"),
    ]
    assert world_reaches(newer_open, "tcp", 22)


def test_outbound_entries_let_nobody_in():
    assert not world_reaches([_entry(100, "allow", 0, 65535, cidrBlock="0.0.0.0/0") | {"egress": True}], "tcp", 22)


@pytest.mark.parametrize(
    ("first", "last", "text", "within"),
    [
        (443, 443, "443", True),
        (443, 444, "443", False),
        (20, 30, "20-25, 26-30", True),
        (20, 30, "26-30,20-28", True),
        (20, 30, "20-24,26-30", False),
        (1, 1, "", False),
        (0, 65535, "0-65535", True),
    ],
)
def test_a_range_lies_within_listed_ports(first, last, text, within):
    assert lies_within(first, last, port_ranges(text)) is within


@pytest.mark.parametrize("text", ["http", "1-", "-1", "1:2"])
def test_other_text_lists_no_ports(text):
    with pytest.raises(ValueError, match="invalid literal"):
        port_ranges(text)
