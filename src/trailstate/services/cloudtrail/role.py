"""Whether the role that a trail names lets CloudTrail write to a log group: its trust, and what it may do.

Follows the CloudTrail user guide, "Role policy document for CloudTrail to use CloudWatch Logs for monitoring".
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from trailstate.trail.trails import SERVICE
from trailstate.values.policy import MalformedPolicy, Policy, Question, allows, read_policy, statements
from trailstate.wire.fault import Fault

Ask = Callable[..., Mapping[str, Any]]
"""One call on CloudTrail's behalf: service, operation, members."""

WRITES = ("logs:CreateLogStream", "logs:PutLogEvents")


def trusts_cloudtrail(ask: Ask, role: str) -> bool:
    """Whether there is such a role, and CloudTrail may take it on."""
    try:
        found = ask("iam", "GetRole", RoleName=_name(role))["Role"]
    except Fault as refusal:
        if refusal.sender:
            return False
        raise
    trust = {"Statement": [{"Resource": "*", **each} for each in _statements(found["AssumeRolePolicyDocument"])]}
    return found["Arn"] == role and allows(trust, Question("sts:AssumeRole", role, service=SERVICE))


def may_write(ask: Ask, role: str, log_group: str, account: str, region: str) -> bool:
    """Whether the role's policies, inline and attached, let it make a log stream and write to it."""
    stream = f"{log_group.removesuffix(':*')}:log-stream:{account}_CloudTrail_{region}"
    held = {"Statement": [{"Principal": "*", **each} for each in _permissions(ask, _name(role))]}
    return all(allows(held, Question(action, stream, principal_arn=role)) for action in WRITES)


def _permissions(ask: Ask, name: str) -> Iterator[Mapping[str, Any]]:
    """The statements of every policy of a role."""
    for inline in ask("iam", "ListRolePolicies", RoleName=name)["PolicyNames"]:
        yield from _statements(ask("iam", "GetRolePolicy", RoleName=name, PolicyName=inline)["PolicyDocument"])
    for attached in ask("iam", "ListAttachedRolePolicies", RoleName=name)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = ask("iam", "GetPolicy", PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = ask("iam", "GetPolicyVersion", PolicyArn=arn, VersionId=version)
        yield from _statements(found["PolicyVersion"]["Document"])


def _statements(document: Any) -> list[Mapping[str, Any]]:
    """A policy's statements; IAM hands documents out percent-encoded. One that cannot be read allows nothing."""
    text = unquote(document) if isinstance(document, str) else json.dumps(document)
    try:
        policy: Policy = read_policy(text)
    except MalformedPolicy:
        return []
    return statements(policy)


def _name(role: str) -> str:
    return role.rpartition("/")[2]
