"""Rules over load balancers of both generations, their listeners, and Auto Scaling groups with what they start.

A newer balancer's attributes stand in `supplementaryConfiguration` as keys and values; AWS gives each one a value, so
an attribute that is not there is not known.
"""

from collections.abc import Mapping
from typing import Any

from trailstate.catalog.reading import every, fact, listed, not_held, not_known
from trailstate.compliance.form import (
    COMPLIANT,
    MISSING,
    NOT_APPLICABLE,
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

CLASSIC = "AWS::ElasticLoadBalancing::LoadBalancer"
BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
_ATTRIBUTES = "supplementaryConfiguration.LoadBalancerAttributes"
_SECURE = ("HTTPS", "SSL")

require("ELB_INTERNAL_SCHEME_CHECK", CLASSIC, "configuration.scheme", equals("internal"))
require(
    "ELB_CROSS_ZONE_LOAD_BALANCING_ENABLED",
    CLASSIC,
    f"{_ATTRIBUTES}.crossZoneLoadBalancing.enabled",
    equals(True),
    says="Cross-zone load balancing is off.",
)


# ---- classic ----


def _listeners(item: Item) -> Any:
    found = field_at(item, "configuration.listenerDescriptions")
    return MISSING if found is MISSING else [{**one["listener"], "policies": one.get("policyNames")} for one in found]


def _secure(item: Item) -> Any:
    found = _listeners(item)
    return MISSING if found is MISSING else [one for one in found if one.get("protocol") in _SECURE]


@rule("ELB_TLS_HTTPS_LISTENERS_ONLY", CLASSIC)
def elb_tls_https_listeners_only(item: Item, _inventory: Inventory) -> Verdict:
    """Clients reach a classic balancer by SSL or HTTPS alone. One without listeners is not judged."""
    path = "configuration.listenerDescriptions"
    return every(_listeners(item), path, lambda one: one.get("protocol") in _SECURE, "A listener is not encrypted.")


@rule("ELB_ACM_CERTIFICATE_REQUIRED", CLASSIC)
def elb_acm_certificate_required(item: Item, _inventory: Inventory) -> Verdict:
    """The encrypted listeners of a classic balancer have certificates of ACM. One without such is not judged."""
    return every(
        _secure(item),
        "configuration.listenerDescriptions",
        lambda one: ":acm:" in (one.get("sslcertificateId") or ""),
        "A listener's certificate is not of ACM.",
    )


@rule("ELB_PREDEFINED_SECURITY_POLICY_SSL_CHECK", CLASSIC)
def elb_predefined_security_policy_ssl_check(
    item: Item, _inventory: Inventory, *, predefinedPolicyName: str
) -> Verdict:
    """The encrypted listeners of a classic balancer keep to the given predefined policy."""
    policies = field_at(item, "supplementaryConfiguration.LoadBalancerPolicies")
    if policies is MISSING:
        return not_held("supplementaryConfiguration.LoadBalancerPolicies")
    fitting = {one["policyName"] for one in policies if _reference(one) == predefinedPolicyName}
    return every(
        _secure(item),
        "configuration.listenerDescriptions",
        lambda one: bool(fitting & set(one["policies"] or ())),
        f"A listener does not keep to the policy '{predefinedPolicyName}'.",
    )


def _reference(policy: Mapping[str, Any]) -> str | None:
    """The predefined policy that a balancer's policy refers to."""
    attributes = policy.get("policyAttributeDescriptions") or ()
    named = {one.get("attributeName"): one.get("attributeValue") for one in attributes}
    return named.get("Reference-Security-Policy")


@rule("CLB_DESYNC_MODE_CHECK", CLASSIC)
def clb_desync_mode_check(item: Item, _inventory: Inventory, *, desyncMode: tuple[str, ...]) -> Verdict:
    """A classic balancer treats malformed requests in one of the given modes."""
    more = field_at(item, f"{_ATTRIBUTES}.additionalAttributes")
    if more is MISSING:
        return not_held(f"{_ATTRIBUTES}.additionalAttributes")
    modes = [one.get("value") for one in more if one.get("key") == "elb.http.desyncmitigationmode"]
    return _in_mode(modes[0] if modes else None, desyncMode)


def _in_mode(found: str | None, wanted: tuple[str, ...]) -> Verdict:
    if found is None:
        return insufficient_data("The item does not hold the desync mitigation mode.")
    return COMPLIANT if found in wanted else non_compliant(f"The mode is '{found}'; expected one of {listed(wanted)}.")


@rule("CLB_MULTIPLE_AZ", CLASSIC)
def clb_multiple_az(item: Item, _inventory: Inventory, *, minAvailabilityZones: int | None = None) -> Verdict:
    """A classic balancer works in several zones, two when no number is given."""
    return in_zones(item, minAvailabilityZones or 2)


def in_zones(item: Item, least: int) -> Verdict:
    """Whether a balancer or group works in so many zones at least."""
    zones = field_at(item, "configuration.availabilityZones")
    if zones is MISSING:
        return not_held("configuration.availabilityZones")
    if len(zones) < least:
        return non_compliant(f"It works in {len(zones)} zones; expected at least {least}.")
    return COMPLIANT


# ---- newer balancers ----


def _attribute(item: Item, name: str) -> str | None:
    found = field_at(item, _ATTRIBUTES)
    return None if found is MISSING else {one["key"]: one["value"] for one in found}.get(name)


def _attribute_on(item: Item, name: str, sentence: str) -> Verdict:
    value = _attribute(item, name)
    if value is None:
        return not_held(f"{_ATTRIBUTES}.{name}")
    return COMPLIANT if value == "true" else non_compliant(sentence)


def _kind(item: Item) -> Any:
    return field_at(item, "configuration.type")


def _only(item: Item, kind: str) -> Verdict | None:
    """What is to be said of a balancer that is not of the kind the rule is for; None when it is."""
    if _kind(item) is MISSING:
        return not_held("configuration.type")
    return None if _kind(item) == kind else NOT_APPLICABLE


@rule("ELB_DELETION_PROTECTION_ENABLED", BALANCER)
def elb_deletion_protection_enabled(item: Item, _inventory: Inventory) -> Verdict:
    """The balancer cannot be deleted by mistake."""
    return _attribute_on(item, "deletion_protection.enabled", "The balancer is not protected from deletion.")


@rule("ALB_HTTP_DROP_INVALID_HEADER_ENABLED", BALANCER)
def alb_http_drop_invalid_header_enabled(item: Item, _inventory: Inventory) -> Verdict:
    """An application balancer drops headers that are not valid. Others are not judged."""
    name = "routing.http.drop_invalid_header_fields.enabled"
    return _only(item, "application") or _attribute_on(item, name, "Invalid headers are passed on.")


@rule("NLB_CROSS_ZONE_LOAD_BALANCING_ENABLED", BALANCER)
def nlb_cross_zone_load_balancing_enabled(item: Item, _inventory: Inventory) -> Verdict:
    """A network balancer spreads over all its zones. Others are not judged."""
    name = "load_balancing.cross_zone.enabled"
    return _only(item, "network") or _attribute_on(item, name, "Cross-zone load balancing is off.")


@rule("NLB_LOGGING_ENABLED", BALANCER)
def nlb_logging_enabled(item: Item, _inventory: Inventory) -> Verdict:
    """A network balancer logs its connections. Others are not judged."""
    return _only(item, "network") or _attribute_on(item, "access_logs.s3.enabled", "Access logs are off.")


@rule("ALB_DESYNC_MODE_CHECK", BALANCER)
def alb_desync_mode_check(item: Item, _inventory: Inventory, *, desyncMode: tuple[str, ...]) -> Verdict:
    """An application balancer treats malformed requests in one of the given modes. Others are not judged."""
    found = _attribute(item, "routing.http.desync_mitigation_mode")
    return _only(item, "application") or _in_mode(found, desyncMode)


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
        return _only(item, kind) or (COMPLIANT if scheme == "internal" else known)


_internal("ALB_INTERNAL_SCHEME_CHECK", "application")
_internal("NLB_INTERNAL_SCHEME_CHECK", "network")


@rule("ELB_LOGGING_ENABLED", (CLASSIC, BALANCER))
def elb_logging_enabled(item: Item, _inventory: Inventory, *, s3BucketNames: tuple[str, ...] | None = None) -> Verdict:
    """A classic or application balancer logs its requests, to one of the buckets if any are named."""
    enabled, bucket = _classic_log(item) if item["resourceType"] == CLASSIC else _newer_log(item)
    if enabled is None:
        return not_held(_ATTRIBUTES)
    if not enabled:
        return non_compliant("Access logs are off.")
    if s3BucketNames and bucket not in s3BucketNames:
        return non_compliant(f"Access logs go to '{bucket}', which is not listed.")
    return COMPLIANT


def _classic_log(item: Item) -> tuple[bool | None, str | None]:
    log = field_at(item, f"{_ATTRIBUTES}.accessLog")
    return (None, None) if log is MISSING else (log.get("enabled") is True, log.get("s3BucketName"))


def _newer_log(item: Item) -> tuple[bool | None, str | None]:
    enabled = _attribute(item, "access_logs.s3.enabled")
    return (None if enabled is None else enabled == "true"), _attribute(item, "access_logs.s3.bucket")


@rule("ALB_WAF_ENABLED", BALANCER)
def alb_waf_enabled(item: Item, inventory: Inventory, *, wafWebAclIds: tuple[str, ...] | None = None) -> Verdict:
    """A web ACL stands before an application balancer; one of those given if any are. Others are not judged."""
    if other := _only(item, "application"):
        return other
    acl = fact(inventory, item, "WebAcl")
    if acl is MISSING:
        return not_known("the balancer's web ACL")
    if acl is None:
        return non_compliant("No web ACL stands before the balancer.")
    if wafWebAclIds and not {acl.get("Id"), acl.get("ARN")} & set(wafWebAclIds):
        return non_compliant(f"The web ACL is '{acl.get('ARN')}', which is not listed.")
    return COMPLIANT


# ---- listeners ----


@rule("ELBV2_LISTENER_ENCRYPTION_IN_TRANSIT", LISTENER)
def elbv2_listener_encryption_in_transit(item: Item, _inventory: Inventory) -> Verdict:
    """The listener speaks HTTPS or TLS."""
    protocol = field_at(item, "configuration.Protocol")
    if protocol is MISSING:
        return not_held("configuration.Protocol")
    return COMPLIANT if protocol in ("HTTPS", "TLS") else non_compliant(f"The listener speaks {protocol}.")


@rule("ELBV2_PREDEFINED_SECURITY_POLICY_SSL_CHECK", LISTENER)
def elbv2_predefined_security_policy_ssl_check(
    item: Item, _inventory: Inventory, *, sslPolicies: tuple[str, ...]
) -> Verdict:
    """A listener of HTTPS or TLS keeps to one of the given policies. Others are not judged."""
    if item["configuration"].get("Protocol") not in ("HTTPS", "TLS"):
        return NOT_APPLICABLE
    policy = field_at(item, "configuration.SslPolicy")
    if policy is MISSING:
        return not_held("configuration.SslPolicy")
    return COMPLIANT if policy in sslPolicies else non_compliant(f"The policy is '{policy}', which is not listed.")


def _listeners_of(item: Item, inventory: Inventory) -> list[Mapping[str, Any]]:
    arn = item["configuration"].get("loadBalancerArn", item["resourceId"])
    known = (one["configuration"] for one in inventory.items(LISTENER))
    return [one for one in known if one.get("LoadBalancerArn") == arn]


@rule("ALB_HTTP_TO_HTTPS_REDIRECTION_CHECK", BALANCER)
def alb_http_to_https_redirection_check(item: Item, inventory: Inventory) -> Verdict:
    """The HTTP listeners of an application balancer send clients on to HTTPS. One without any is not judged."""
    if other := _only(item, "application"):
        return other
    plain = [one for one in _listeners_of(item, inventory) if one.get("Protocol") == "HTTP"]
    return every(plain, "", _sends_on, "An HTTP listener does not send clients on to HTTPS.")


def _sends_on(listener: Mapping[str, Any]) -> bool:
    actions = listener.get("DefaultActions") or ()
    return any((one.get("RedirectConfig") or {}).get("Protocol") == "HTTPS" for one in actions)


@rule("ELBV2_ACM_CERTIFICATE_REQUIRED", BALANCER)
def elbv2_acm_certificate_required(
    item: Item, inventory: Inventory, *, AcmCertificatesAllowed: tuple[str, ...] | None = None
) -> Verdict:
    """Every listener of an application or network balancer has a certificate of ACM; a listed one if any are."""
    if _kind(item) not in ("application", "network"):
        return not_held("configuration.type") if _kind(item) is MISSING else NOT_APPLICABLE
    return every(
        _listeners_of(item, inventory),
        "",
        lambda one: _certified(one, AcmCertificatesAllowed or ()),
        "A listener has no such certificate of ACM.",
    )


def _certified(listener: Mapping[str, Any], allowed: tuple[str, ...]) -> bool:
    arns = [one.get("CertificateArn") or "" for one in listener.get("Certificates") or ()]
    return any(":acm:" in arn and (not allowed or arn in allowed) for arn in arns)
