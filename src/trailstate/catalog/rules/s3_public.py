"""Rules over who reaches S3 buckets: public access blocks, lists of grants, policies, plain HTTP."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from trailstate.catalog.reading import account_fact, fact, listed, not_held, not_known
from trailstate.catalog.rules.s3 import BUCKET, field_or, part, policy_of
from trailstate.compliance.form import (
    COMPLIANT,
    MISSING,
    Inventory,
    Item,
    Verdict,
    equals,
    field_at,
    insufficient_data,
    non_compliant,
    require,
    rule,
)
from trailstate.compliance.inventory import ACCOUNT_TYPE
from trailstate.values.arn import account_of_arn
from trailstate.values.statements import Statement, has_condition, matches, open_actions, overlaps, statements

ACCOUNT_BLOCK = "AWS::S3::AccountPublicAccessBlock"
ACCESS_POINT = "AWS::S3::AccessPoint"
_BLOCK = "PublicAccessBlockConfiguration"
_BLOCKS = ("blockPublicAcls", "ignorePublicAcls", "blockPublicPolicy", "restrictPublicBuckets")
_EVERYONE = ("AllUsers", "AuthenticatedUsers")
"""Groups that S3 counts as the public: everybody, and everybody with some AWS account."""

_READS = ("s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:ListBucketVersions", "s3:GetObjectAcl")
_WRITES = (
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:PutObjectAcl",
    "s3:PutBucketAcl",
    "s3:PutBucketPolicy",
    "s3:DeleteBucketPolicy",
    "s3:DeleteBucket",
)
_READ_GRANTS = frozenset({"read", "fullcontrol"})
_WRITE_GRANTS = frozenset({"write", "writeacp", "fullcontrol"})


@rule("S3_BUCKET_PUBLIC_READ_PROHIBITED", BUCKET)
def s3_bucket_public_read_prohibited(item: Item, inventory: Inventory) -> Verdict:
    """Nobody outside reads the bucket: neither by its grants nor by its policy, unless public access is blocked."""
    return _closed(item, inventory, _READ_GRANTS, _READS, "read")


@rule("S3_BUCKET_PUBLIC_WRITE_PROHIBITED", BUCKET)
def s3_bucket_public_write_prohibited(item: Item, inventory: Inventory) -> Verdict:
    """Nobody outside writes to the bucket: neither by its grants nor by its policy, unless public access is blocked."""
    return _closed(item, inventory, _WRITE_GRANTS, _WRITES, "write")


def _closed(
    item: Item, inventory: Inventory, permissions: frozenset[str], actions: Iterable[str], verb: str
) -> Verdict:
    if not _blocked(item, inventory, "restrictPublicBuckets"):
        opened = open_actions(policy_of(item), actions)
        if opened:
            return non_compliant(f"The bucket policy lets everyone {verb}: it allows {listed(opened)}.")
    if _blocked(item, inventory, "ignorePublicAcls"):
        return COMPLIANT
    grants = _public_grants(item)
    if grants is None:
        return not_held("supplementaryConfiguration.AccessControlList")
    granted = [f"{permission} to {who}" for who, permission in grants if permission.lower() in permissions]
    return non_compliant(f"The bucket's list of grants gives {', '.join(granted)}.") if granted else COMPLIANT


def _blocked(item: Item, inventory: Inventory, setting: str) -> bool:
    """Whether the bucket or its account neutralises public access; the stricter of the two counts."""
    account = account_fact(inventory, "PublicAccessBlock")
    whole = account.get(setting[0].upper() + setting[1:]) if isinstance(account, Mapping) else None
    return field_or(item, f"{_BLOCK}.{setting}", False) is True or whole is True


def _grants(item: Item) -> list[Mapping[str, Any]] | None:
    """The bucket's grants; the item keeps them as JSON text."""
    kept = part(item, "AccessControlList")
    if kept is MISSING:
        return None
    read = json.loads(kept) if isinstance(kept, str) else kept
    return list(read.get("grantList") or read.get("grantSet") or ())


def _public_grants(item: Item) -> list[tuple[str, str]] | None:
    grants = _grants(item)
    if grants is None:
        return None
    return [(one["grantee"], one["permission"]) for one in grants if one["grantee"] in _EVERYONE]


@rule("S3_BUCKET_ACL_PROHIBITED", BUCKET)
def s3_bucket_acl_prohibited(item: Item, _inventory: Inventory) -> Verdict:
    """Access is given by policies alone: no grant of the bucket names anybody but its owner."""
    kept, grants = part(item, "AccessControlList"), _grants(item)
    if grants is None:
        return not_held("supplementaryConfiguration.AccessControlList")
    owner = (json.loads(kept) if isinstance(kept, str) else kept).get("owner") or {}
    others = [
        one for one in grants if not isinstance(one["grantee"], Mapping) or one["grantee"].get("id") != owner.get("id")
    ]
    return non_compliant(f"The bucket has {len(others)} grants beside its owner's.") if others else COMPLIANT


@rule("S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED", BUCKET)
def s3_bucket_level_public_access_prohibited(
    item: Item, _inventory: Inventory, *, excludedPublicBuckets: tuple[str, ...] | None = None
) -> Verdict:
    """The bucket blocks public access in all four ways itself, unless it is excepted by name."""
    if item["resourceName"] in (excludedPublicBuckets or ()):
        return COMPLIANT
    block = field_or(item, _BLOCK, {})
    off = [name for name in _BLOCKS if block.get(name) is not True]
    return non_compliant(f"The bucket does not set {listed(off)}.") if off else COMPLIANT


require("S3_ACCESS_POINT_IN_VPC_ONLY", ACCESS_POINT, "configuration.NetworkOrigin", equals("VPC"))


@rule("S3_ACCESS_POINT_PUBLIC_ACCESS_BLOCKS", ACCESS_POINT)
def s3_access_point_public_access_blocks(
    item: Item, _inventory: Inventory, *, excludedAccessPoints: tuple[str, ...] | None = None
) -> Verdict:
    """The access point blocks public access in all four ways, unless it is excepted by name."""
    if item["resourceName"] in (excludedAccessPoints or ()):
        return COMPLIANT
    block = field_at(item, f"configuration.{_BLOCK}")
    if block is MISSING:
        return not_held(f"configuration.{_BLOCK}")
    off = [name for name in _BLOCKS if block.get(name[0].upper() + name[1:]) is not True]
    return non_compliant(f"The access point does not set {listed(off)}.") if off else COMPLIANT


@rule("S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS", ACCOUNT_BLOCK)
def s3_account_level_public_access_blocks(
    item: Item,
    _inventory: Inventory,
    *,
    BlockPublicAcls: str = "True",
    IgnorePublicAcls: str = "True",
    BlockPublicPolicy: str = "True",
    RestrictPublicBuckets: str = "True",
) -> Verdict:
    """The account's block settings are those that are asked for."""
    wanted = (BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets)
    return _as_wanted(item["configuration"], dict(zip(_BLOCKS, wanted, strict=True)))


@rule("S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC", ACCOUNT_TYPE)
def s3_account_level_public_access_blocks_periodic(
    item: Item,
    inventory: Inventory,
    *,
    BlockPublicAcls: str | None = None,
    IgnorePublicAcls: str | None = None,
    BlockPublicPolicy: str | None = None,
    RestrictPublicBuckets: str | None = None,
) -> Verdict:
    """The account's block settings are those that are asked for; one that is not mentioned must be on."""
    known = fact(inventory, item, "PublicAccessBlock")
    if known is MISSING:
        return not_known("the account's public access block")
    found = {name[0].lower() + name[1:]: value for name, value in (known or {}).items()}
    wanted = (BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets)
    return _as_wanted(found, {name: one or "True" for name, one in zip(_BLOCKS, wanted, strict=True)})


def _as_wanted(found: Mapping[str, Any], wanted: Mapping[str, str]) -> Verdict:
    other = [name for name, one in wanted.items() if bool(found.get(name)) is not (one.lower() == "true")]
    return non_compliant(f"The account's setting differs for {listed(other)}.") if other else COMPLIANT


@rule("S3_BUCKET_SSL_REQUESTS_ONLY", BUCKET)
def s3_bucket_ssl_requests_only(item: Item, _inventory: Inventory) -> Verdict:
    """The policy refuses plain HTTP to everyone, for the bucket and for its objects."""
    bucket = f"arn:aws:s3:::{item['resourceName'] or item['resourceId']}"
    refused = [one for one in policy_of(item) if _refuses_plain_http(one)]
    if not refused:
        return non_compliant("The bucket policy does not refuse requests without TLS.")
    for resource, what in ((bucket, "the bucket itself"), (f"{bucket}/*", "its objects")):
        if not any(one.covers_resource(resource) for one in refused):
            return non_compliant(f"The bucket policy does not refuse requests without TLS for {what}.")
    return COMPLIANT


def _refuses_plain_http(statement: Statement) -> bool:
    everything = any(action in ("*", "s3:*") for action in statement.actions)
    plain = has_condition(statement, "Bool", "aws:SecureTransport", "false")
    return not statement.allows and statement.everyone and everything and plain


@rule("S3_BUCKET_POLICY_GRANTEE_CHECK", BUCKET)
def s3_bucket_policy_grantee_check(
    item: Item,
    _inventory: Inventory,
    *,
    awsPrincipals: tuple[str, ...] | None = None,
    servicePrincipals: tuple[str, ...] | None = None,
    federatedUsers: tuple[str, ...] | None = None,
    ipAddresses: tuple[str, ...] | None = None,
    vpcIds: tuple[str, ...] | None = None,
) -> Verdict:
    """The policy gives access to nobody but the principals, addresses and VPCs that are named."""
    named = {"AWS": awsPrincipals or (), "Service": servicePrincipals or (), "Federated": federatedUsers or ()}
    networks = {"aws:sourceip": ipAddresses or (), "aws:sourcevpc": vpcIds or ()}
    for statement in policy_of(item):
        if statement.allows and not _tied(statement, networks):
            others = [name for kind, name in statement.principals if name not in named.get(kind, ())]
            if others or not statement.principals:
                return non_compliant(f"The bucket policy gives access to {listed(others) or 'all but some'}.")
    return COMPLIANT


def _tied(statement: Statement, networks: Mapping[str, tuple[str, ...]]) -> bool:
    return any(
        operator.lower() in ("ipaddress", "stringequals")
        and values
        and set(values) <= set(networks.get(key.lower(), ()))
        for operator, key, values in statement.conditions
    )


@rule("S3_BUCKET_BLACKLISTED_ACTIONS_PROHIBITED", BUCKET)
def s3_bucket_blacklisted_actions_prohibited(
    item: Item, _inventory: Inventory, *, blacklistedActionPattern: tuple[str, ...]
) -> Verdict:
    """The policy allows no principal of another account an action under one of the forbidden patterns."""
    for statement in policy_of(item):
        if statement.allows and _lets_others_in(statement, item["awsAccountId"]):
            found = _forbidden(statement, blacklistedActionPattern)
            if found:
                return non_compliant(f"The bucket policy allows {listed(found)} to another account.")
    return COMPLIANT


def _lets_others_in(statement: Statement, account: str) -> bool:
    owners = [(account_of_arn(name) or name) for kind, name in statement.principals if kind == "AWS"]
    return statement.everyone or any(owner != account for owner in owners)


def _forbidden(statement: Statement, patterns: tuple[str, ...]) -> list[str]:
    if statement.not_actions:
        return [one for one in patterns if not any(matches(other, one) for other in statement.not_actions)]
    return [action for action in statement.actions if any(overlaps(action, one) for one in patterns)]


@rule("S3_BUCKET_POLICY_NOT_MORE_PERMISSIVE", BUCKET)
def s3_bucket_policy_not_more_permissive(item: Item, _inventory: Inventory, *, controlPolicy: str) -> Verdict:
    """Whatever the policy allows, one statement of the control policy allows too, under the same conditions or none."""
    control = [one for one in statements(controlPolicy) if one.allows]
    given = [one for one in policy_of(item) if one.allows]
    if any(one.not_actions or one.not_resources for one in (*control, *given)):
        return insufficient_data("Policies with NotAction or NotResource are not compared.")
    wider = [one for one in given if not any(_within(one, each) for each in control)]
    if wider:
        return non_compliant(f"The control policy does not allow {listed(wider[0].actions)} as the bucket policy does.")
    return COMPLIANT


def _within(inner: Statement, outer: Statement) -> bool:
    """Whether all that `inner` allows, `outer` allows: a pattern lies within another that matches it as text."""
    return (
        (outer.everyone or (not inner.everyone and set(inner.principals) <= set(outer.principals)))
        and all(any(matches(wide, one) for wide in outer.actions) for one in inner.actions)
        and all(any(matches(wide, one, fold=False) for wide in outer.resources) for one in inner.resources)
        and set(outer.conditions) <= set(inner.conditions)
    )
