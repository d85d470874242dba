"""Rules over load balancers of the newer generation, and what is asked of both.

A newer balancer's attributes stand in `supplementaryConfiguration` as keys and values; AWS gives each one a value, so
an attribute that is not there is not known.
"""

from typing import Any

from trailstate.catalog.reading import fact, not_held, not_known
from trailstate.catalog.rules.balancing_classic import ATTRIBUTES, CLASSIC, in_mode, in_zones
from trailstate.compliance.form import (
    COMPLIANT,
    MISSING,
    NOT_APPLICABLE,
    Inventory,
    Item,
    Verdict,
    field_at,
    non_compliant,
    rule,
)

BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"


def _attribute(item: Item, name: str) -> str | None:
    found = field_at(item, ATTRIBUTES)
    return None if found is MISSING else {one["key"]: one["value"] for one in found}.get(name)


def _attribute_on(item: Item, name: str, sentence: str) -> Verdict:
    value = _attribute(item, name)
    if value is None:
        return not_held(f"{ATTRIBUTES}.{name}")
    return COMPLIANT if value == "true" else non_compliant(sentence)


def kind_of(item: Item) -> Any:
    return field_at(item, "configuration.type")


def only(item: Item, kind: str) -> Verdict | None:
    """What is to be said of a balancer that is not of the kind the rule is for; None when it is."""
    if kind_of(item) is MISSING:
        return not_held("configuration.type")
    return None if kind_of(item) == kind else NOT_APPLICABLE


@rule("ELB_DELETION_PROTECTION_ENABLED", BALANCER)
def elb_deletion_protection_enabled(item: Item, _inventory: Inventory) -> Verdict:
    """The balancer cannot be deleted by mistake."""
    return _attribute_on(item, "deletion_protection.enabled", "The balancer is not protected from deletion.")


@rule("ALB_HTTP_DROP_INVALID_HEADER_ENABLED", BALANCER)
def alb_http_drop_invalid_header_enabled(item: Item, _inventory: Inventory) -> Verdict:
    """An application balancer drops headers that are not valid. Others are not judged."""
    name = "routing.http.drop_invalid_header_fields.enabled"
    return only(item, "application") or _attribute_on(item, name, "Invalid headers are passed on.")


@rule("NLB_CROSS_ZONE_LOAD_BALANCING_ENABLED", BALANCER)
def nlb_cross_zone_load_balancing_enabled(item: Item, _inventory: Inventory) -> Verdict:
    """A network balancer spreads over all its zones. Others are not judged."""
    name = "load_balancing.cross_zone.enabled"
    return only(item, "network") or _attribute_on(item, name, "Cross-zone load balancing is off.")


@rule("NLB_LOGGING_ENABLED", BALANCER)
def nlb_logging_enabled(item: Item, _inventory: Inventory) -> Verdict:
    """A network balancer logs its connections. Others are not judged."""
    return only(item, "network") or _attribute_on(item, "access_logs.s3.enabled", "Access logs are off.")


@rule("ALB_DESYNC_MODE_CHECK", BALANCER)
def alb_desync_mode_check(item: Item, _inventory: Inventory, *, desyncMode: tuple[str, ...]) -> Verdict:
    """An application balancer treats malformed requests in one of the given modes. Others are not judged."""
    found = _attribute(item, "routing.http.desync_mitigation_mode")
    return only(item, "application") or in_mode(found, desyncMode)


@rule("ELBV2_MULTIPLE_AZ", BALANCER)
def elbv2_multiple_az(item: Item, _inventory: Inventory, *, minAvailabilityZones: int | None = None) -> Verdict:
    """The balancer works in several zones, two when no number is given."""
    return in_zones(item, minAvailabilityZones or 2)


def _internal(identifier: str, kind: str) -> None:
    @rule(identifier, BALANCER)
    def judge(item: Item, _inventory: Inventory) -> Verdict:
        scheme = field_at(item, "configuration.scheme")
        outside = non_compliant(f"The scheme is '{scheme}'; expected 'internal'.")
        known = not_held("configuration.scheme") if scheme is MISSING else outside
        return only(item, kind) or (COMPLIANT if scheme == "internal" else known)


_internal("ALB_INTERNAL_SCHEME_CHECK", "application")
_internal("NLB_INTERNAL_SCHEME_CHECK", "network")


@rule("ELB_LOGGING_ENABLED", (CLASSIC, BALANCER))
def elb_logging_enabled(item: Item, _inventory: Inventory, *, s3BucketNames: tuple[str, ...] | None = None) -> Verdict:
    """A classic or application balancer logs its requests, to one of the buckets if any are named."""
    enabled, bucket = _classic_log(item) if item["resourceType"] == CLASSIC else _newer_log(item)
    if enabled is None:
        return not_held(ATTRIBUTES)
    if not enabled:
        return non_compliant("Access logs are off.")
    if s3BucketNames and bucket not in s3BucketNames:
        return non_compliant(f"Access logs go to '{bucket}', which is not listed.")
    return COMPLIANT


def _classic_log(item: Item) -> tuple[bool | None, str | None]:
    log = field_at(item, f"{ATTRIBUTES}.accessLog")
    return (None, None) if log is MISSING else (log.get("enabled") is True, log.get("s3BucketName"))


def _newer_log(item: Item) -> tuple[bool | None, str | None]:
    enabled = _attribute(item, "access_logs.s3.enabled")
    return (None if enabled is None else enabled == "true"), _attribute(item, "access_logs.s3.bucket")


@rule("ALB_WAF_ENABLED", BALANCER)
def alb_waf_enabled(item: Item, inventory: Inventory, *, wafWebAclIds: tuple[str, ...] | None = None) -> Verdict:
    """A web ACL stands before an application balancer; one of those given if any are. Others are not judged."""
    if other := only(item, "application"):
        return other
    acl = fact(inventory, item, "WebAcl")
    if acl is MISSING:
        return not_known("the balancer's web ACL")
    if acl is None:
        return non_compliant("No web ACL stands before the balancer.")
    if wafWebAclIds and not {acl.get("Id"), acl.get("ARN")} & set(wafWebAclIds):
        return non_compliant(f"The web ACL is '{acl.get('ARN')}', which is not listed.")
    return COMPLIANT
