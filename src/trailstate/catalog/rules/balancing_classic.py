"""Rules over classic load balancers."""

from collections.abc import Mapping
from typing import Any

from trailstate.catalog.reading import every, listed, not_held
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

CLASSIC = "AWS::ElasticLoadBalancing::LoadBalancer"
ATTRIBUTES = "supplementaryConfiguration.LoadBalancerAttributes"
_SECURE = ("HTTPS", "SSL")

require("ELB_INTERNAL_SCHEME_CHECK", CLASSIC, "configuration.scheme", equals("internal"))
require(
    "ELB_CROSS_ZONE_LOAD_BALANCING_ENABLED",
    CLASSIC,
    f"{ATTRIBUTES}.crossZoneLoadBalancing.enabled",
    equals(True),
    says="Cross-zone load balancing is off.",
)


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
    more = field_at(item, f"{ATTRIBUTES}.additionalAttributes")
    if more is MISSING:
        return not_held(f"{ATTRIBUTES}.additionalAttributes")
    modes = [one.get("value") for one in more if one.get("key") == "elb.http.desyncmitigationmode"]
    return in_mode(modes[0] if modes else None, desyncMode)


def in_mode(found: str | None, wanted: tuple[str, ...]) -> Verdict:
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
