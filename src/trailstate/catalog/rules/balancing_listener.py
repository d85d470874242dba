"""Rules over the listeners of newer load balancers, and over balancers for the sake of their listeners."""

from collections.abc import Mapping
from typing import Any

from trailstate.catalog.reading import every, not_held
from trailstate.catalog.rules.balancing import BALANCER, kind_of, only
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

LISTENER = "AWS::ElasticLoadBalancingV2::Listener"


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
    if other := only(item, "application"):
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
    if kind_of(item) not in ("application", "network"):
        return not_held("configuration.type") if kind_of(item) is MISSING else NOT_APPLICABLE
    return every(
        _listeners_of(item, inventory),
        "",
        lambda one: _certified(one, AcmCertificatesAllowed or ()),
        "A listener has no such certificate of ACM.",
    )


def _certified(listener: Mapping[str, Any], allowed: tuple[str, ...]) -> bool:
    arns = [one.get("CertificateArn") or "" for one in listener.get("Certificates") or ()]
    return any(":acm:" in arn and (not allowed or arn in allowed) for arn in arns)
