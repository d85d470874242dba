"""What a resource looked like at a moment, and who changed it: configuration history and event history together."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from trailstate.incidents.form import TIME, Answer, Incident, Planted, brief_time
from trailstate.incidents.recorder import record
from trailstate.incidents.stage import Stage

TYPE = "AWS::EC2::SecurityGroup"
ANYWHERE = "0.0.0.0/0"
COLUMNS = (TIME, "world reaches", "call", "who")
TRIES_MAX = 400
"""How often the history is asked for an item that is about to be recorded; each answer takes a few milliseconds."""


def _open_group(stage: Stage) -> Planted:
    record(stage, TYPE)
    ec2 = stage.client("ec2")
    number = len(ec2.describe_security_groups()["SecurityGroups"])
    group = ec2.create_security_group(GroupName=f"prod-web-{number}", Description="web servers")["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[_port(443, ANYWHERE)])
    stage.advance(timedelta(minutes=12))
    (seen, *_) = _items(stage, group, at_least=1)
    moment = max(seen["configurationItemCaptureTime"], _now(stage))
    stage.advance(timedelta(minutes=8))
    dana = stage.developer("dana")
    stage.client("ec2", dana).authorize_security_group_ingress(GroupId=group, IpPermissions=[_port(22, ANYWHERE)])
    stage.advance(timedelta(minutes=1))
    return {
        "resource": group,
        "event": "AuthorizeSecurityGroupIngress",
        "who": "dana",
        "moment": moment.isoformat(),
    }


def _port(port: int, source: str) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": source}]}


def _now(stage: Stage) -> datetime:
    """The server's clock, as its answers tell it."""
    answer = stage.client("sts").get_caller_identity()
    told = answer["ResponseMetadata"]["HTTPHeaders"]["date"]
    return datetime.strptime(told, "%a, %d %b %Y %H:%M:%S %Z").replace(tzinfo=UTC)


def _items(stage: Stage, group: str, at_least: int = 0) -> list[dict[str, Any]]:
    """The group's items, newest first."""
    found: list[dict[str, Any]] = []
    for _ in range(TRIES_MAX if at_least else 1):
        try:
            pages = stage.client("config").get_paginator("get_resource_config_history")
            answers = pages.paginate(resourceType=TYPE, resourceId=group)
            found = [item for answer in answers for item in answer["configurationItems"]]
        except ClientError as error:
            unknown = ("ResourceNotDiscoveredException", "NoAvailableConfigurationRecorderException")
            if error.response["Error"]["Code"] not in unknown:
                raise
        if len(found) >= at_least:
            break
    return found


def _ask(stage: Stage, planted: Planted) -> Answer:
    """Ask for the item that held at the moment, then for the first one after it that opened a port."""
    group = planted["resource"]
    moment = datetime.fromisoformat(planted["moment"]) if "moment" in planted else _now(stage)
    items = _items(stage, group, at_least=2 if "moment" in planted else 0)
    then = next((item for item in items if item["configurationItemCaptureTime"] <= moment), None)
    later = [item for item in items if item["configurationItemCaptureTime"] > moment]
    opened = next((item for item in reversed(later) if then is None or _open_ports(item) > _open_ports(then)), None)
    event = _event(stage, opened) if opened is not None else None
    return Answer(
        command=(
            f"aws configservice get-resource-config-history --resource-type {TYPE} --resource-id {group}"
            f" --later-time {moment:%Y-%m-%dT%H:%M:%SZ}"
        ),
        columns=COLUMNS,
        rows=[_row(stage, item) for item in reversed(items)],
        sentence=_sentence(group, moment, then, opened, event),
        is_right=event is not None
        and _who(event) == planted["who"]
        and then is not None
        and 22 not in _open_ports(then),
    )


def _event(stage: Stage, item: Mapping[str, Any]) -> dict[str, Any] | None:
    """The recorded call behind an item."""
    for event in item["relatedEvents"]:
        attribute = {"AttributeKey": "EventId", "AttributeValue": event}
        for found in stage.client("cloudtrail").lookup_events(LookupAttributes=[attribute])["Events"]:
            record: dict[str, Any] = json.loads(found["CloudTrailEvent"])
            return record
    return None


def _open_ports(item: Mapping[str, Any]) -> set[int]:
    """The ports that the whole world may reach."""
    permissions: Sequence[Mapping[str, Any]] = (json.loads(item["configuration"]) or {}).get("ipPermissions", ())
    return {each["fromPort"] for each in permissions if ANYWHERE in each["ipRanges"]}


def _row(stage: Stage, item: Mapping[str, Any]) -> tuple[str, ...]:
    event = _event(stage, item) or {}
    return (
        brief_time(item["configurationItemCaptureTime"].isoformat()),
        _ports(item),
        event.get("eventName", "-"),
        _who(event) if event else "-",
    )


def _ports(item: Mapping[str, Any]) -> str:
    return ", ".join(str(port) for port in sorted(_open_ports(item))) or "nothing"


def _who(event: Mapping[str, Any]) -> str:
    identity = event["userIdentity"]
    return str(identity.get("userName") or identity.get("arn") or identity.get("type"))


def _sentence(
    group: str,
    moment: datetime,
    then: Mapping[str, Any] | None,
    opened: Mapping[str, Any] | None,
    event: Mapping[str, Any] | None,
) -> str:
    if then is None or opened is None or event is None:
        return f"Nobody: the configuration history shows no opening of {group}."
    return (
        f"At {moment:%H:%M} it was open to the world on port {_ports(then)}; {_who(event)} called {event['eventName']} "
        f"at {event['eventTime']}, and then on {_ports(opened)}."
    )


OPENED_GROUP = Incident(
    name="opened-group",
    question="What did this security group look like yesterday at 15:42, and who opened it?",
    services="AWS Config (GetResourceConfigHistory) · CloudTrail (LookupEvents by EventId)",
    story="A developer opens port 22 of a production security group to the world.",
    play=_open_group,
    ask=_ask,
    is_of_exam=True,
)
