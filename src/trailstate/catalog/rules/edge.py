"""Rules over CloudFront distributions: who comes in how, what is fetched from where. WAF's rule groups and web ACLs."""

from collections.abc import Callable, Mapping
from typing import Any

from trailstate.catalog.reading import every, listed, not_held
from trailstate.compliance.form import (
    COMPLIANT,
    MISSING,
    NOT_APPLICABLE,
    Inventory,
    Item,
    Verdict,
    field_at,
    is_given,
    is_true,
    non_compliant,
    require,
    rule,
)

DISTRIBUTION = "AWS::CloudFront::Distribution"
RULE_GROUP, WEB_ACL = "AWS::WAFv2::RuleGroup", "AWS::WAFv2::WebACL"
_CONFIG = "configuration.distributionConfig"
_MODERN = ("TLSv1.2_", "TLSv1.3_")

require(
    "CLOUDFRONT_DEFAULT_ROOT_OBJECT_CONFIGURED",
    DISTRIBUTION,
    f"{_CONFIG}.defaultRootObject",
    is_given,
    absent=non_compliant("The distribution has no default root object."),
)
require(
    "WAFV2_RULEGROUP_LOGGING_ENABLED", RULE_GROUP, "configuration.visibilityConfig.cloudWatchMetricsEnabled", is_true
)
for _identifier, _type in (("WAFV2_RULEGROUP_NOT_EMPTY", RULE_GROUP), ("WAFV2_WEBACL_NOT_EMPTY", WEB_ACL)):
    require(_identifier, _type, "configuration.rules", is_given, says="It has no rules.")


def _listed(item: Item, name: str) -> Any:
    """A list of the distribution, which the item keeps as a quantity and `items`."""
    held = field_at(item, f"{_CONFIG}.{name}")
    if held is MISSING:
        return MISSING if field_at(item, _CONFIG) is MISSING else []
    return (held.get("items") or []) if isinstance(held, Mapping) else held


def _behaviours(item: Item) -> Any:
    default = field_at(item, f"{_CONFIG}.defaultCacheBehavior")
    return MISSING if default is MISSING else [default, *_listed(item, "cacheBehaviors")]


@rule("CLOUDFRONT_VIEWER_POLICY_HTTPS", DISTRIBUTION)
def cloudfront_viewer_policy_https(item: Item, _inventory: Inventory) -> Verdict:
    """Viewers come by HTTPS alone or are sent on to it, in every cache behaviour."""
    return every(
        _behaviours(item),
        f"{_CONFIG}.defaultCacheBehavior",
        lambda one: one.get("viewerProtocolPolicy") in ("https-only", "redirect-to-https"),
        "A cache behaviour lets viewers come by plain HTTP.",
    )


@rule("CLOUDFRONT_ACCESSLOGS_ENABLED", DISTRIBUTION)
def cloudfront_accesslogs_enabled(item: Item, _inventory: Inventory, *, S3BucketName: str | None = None) -> Verdict:
    """Requests are logged, to the bucket that is named if one is."""
    if field_at(item, _CONFIG) is MISSING:
        return not_held(_CONFIG)
    logging = item["configuration"]["distributionConfig"].get("logging") or {}
    bucket = (logging.get("bucket") or "").partition(".s3")[0]
    if logging.get("enabled") is not True:
        return non_compliant("Requests are not logged.")
    if S3BucketName and bucket != S3BucketName:
        return non_compliant(f"Requests are logged to '{bucket}'; expected '{S3BucketName}'.")
    return COMPLIANT


@rule("CLOUDFRONT_ASSOCIATED_WITH_WAF", DISTRIBUTION)
def cloudfront_associated_with_waf(
    item: Item, _inventory: Inventory, *, wafWebAclIds: tuple[str, ...] | None = None
) -> Verdict:
    """A web ACL stands before the distribution, one of those named if any are."""
    if field_at(item, _CONFIG) is MISSING:
        return not_held(_CONFIG)
    config = item["configuration"]["distributionConfig"]
    acl = config.get("webACLId") or config.get("webAclId")
    if not acl:
        return non_compliant("No web ACL stands before the distribution.")
    if wafWebAclIds and acl not in wafWebAclIds:
        return non_compliant(f"The web ACL is '{acl}', which is not listed.")
    return COMPLIANT


def _certificate(item: Item) -> Any:
    return field_at(item, f"{_CONFIG}.viewerCertificate")


@rule("CLOUDFRONT_CUSTOM_SSL_CERTIFICATE", DISTRIBUTION)
def cloudfront_custom_ssl_certificate(item: Item, _inventory: Inventory) -> Verdict:
    """The distribution shows a certificate of its owner, not CloudFront's."""
    found = _certificate(item)
    if found is MISSING:
        return not_held(f"{_CONFIG}.viewerCertificate")
    return COMPLIANT if _is_custom(found) else non_compliant("The distribution shows CloudFront's own certificate.")


def _is_custom(certificate: Mapping[str, Any]) -> bool:
    return bool(certificate.get("acmCertificateArn") or certificate.get("iamCertificateId"))


@rule("CLOUDFRONT_SNI_ENABLED", DISTRIBUTION)
def cloudfront_sni_enabled(item: Item, _inventory: Inventory) -> Verdict:
    """A certificate of its owner is served by name, not by an address of its own. Others are not judged."""
    found = _certificate(item)
    if found is MISSING:
        return not_held(f"{_CONFIG}.viewerCertificate")
    if not _is_custom(found):
        return NOT_APPLICABLE
    way = found.get("sslSupportMethod")
    return (
        COMPLIANT if way == "sni-only" else non_compliant(f"The certificate is served by '{way}'; expected 'sni-only'.")
    )


@rule("CLOUDFRONT_SECURITY_POLICY_CHECK", DISTRIBUTION)
def cloudfront_security_policy_check(item: Item, _inventory: Inventory) -> Verdict:
    """Viewers must speak TLS 1.2 or later, with a certificate of the owner's."""
    found = _certificate(item)
    if found is MISSING:
        return not_held(f"{_CONFIG}.viewerCertificate")
    least = found.get("minimumProtocolVersion") or "TLSv1"
    if not _is_custom(found):
        return non_compliant("The distribution shows CloudFront's own certificate, which allows TLS 1.0.")
    return COMPLIANT if least.startswith(_MODERN) else non_compliant(f"Viewers may speak {least}.")


@rule("CLOUDFRONT_SSL_POLICY_CHECK", DISTRIBUTION)
def cloudfront_ssl_policy_check(item: Item, _inventory: Inventory, *, securityPolicies: tuple[str, ...]) -> Verdict:
    """The security policy for viewers is one of those given."""
    found = _certificate(item)
    if found is MISSING:
        return not_held(f"{_CONFIG}.viewerCertificate")
    policy = found.get("minimumProtocolVersion")
    if policy in securityPolicies:
        return COMPLIANT
    return non_compliant(f"The policy is '{policy}'; expected one of {listed(securityPolicies)}.")


def _origins_rule(identifier: str, judged: str, holds: Callable[[Mapping[str, Any]], bool], sentence: str) -> None:
    """A rule over the origins that have the part `judged`; a distribution without any is not judged."""

    @rule(identifier, DISTRIBUTION)
    def judge(item: Item, _inventory: Inventory) -> Verdict:
        origins = _listed(item, "origins")
        chosen = MISSING if origins is MISSING else [one for one in origins if one.get(judged)]
        return every(chosen, f"{_CONFIG}.origins", holds, sentence)


_origins_rule(
    "CLOUDFRONT_NO_DEPRECATED_SSL_PROTOCOLS",
    "customOriginConfig",
    lambda one: "SSLv3" not in ((one["customOriginConfig"].get("originSslProtocols") or {}).get("items") or ()),
    "An origin may be reached by SSLv3.",
)
_origins_rule(
    "CLOUDFRONT_ORIGIN_ACCESS_IDENTITY_ENABLED",
    "s3OriginConfig",
    lambda one: bool(one["s3OriginConfig"].get("originAccessIdentity")),
    "An S3 origin has no origin access identity.",
)
_origins_rule(
    "CLOUDFRONT_S3_ORIGIN_ACCESS_CONTROL_ENABLED",
    "s3OriginConfig",
    lambda one: bool(one.get("originAccessControlId")),
    "An S3 origin has no origin access control.",
)


@rule("CLOUDFRONT_TRAFFIC_TO_ORIGIN_ENCRYPTED", DISTRIBUTION)
def cloudfront_traffic_to_origin_encrypted(item: Item, _inventory: Inventory) -> Verdict:
    """Custom origins are reached by HTTPS: always, or as the viewer came while viewers may come by nothing else."""
    origins, behaviours = _listed(item, "origins"), _behaviours(item)
    if origins is MISSING or behaviours is MISSING:
        return not_held(f"{_CONFIG}.origins")
    plain_viewers = any(one.get("viewerProtocolPolicy") == "allow-all" for one in behaviours)
    good = ("https-only",) if plain_viewers else ("https-only", "match-viewer")
    return every(
        [one["customOriginConfig"] for one in origins if one.get("customOriginConfig")],
        f"{_CONFIG}.origins",
        lambda one: one.get("originProtocolPolicy") in good,
        "An origin may be reached by plain HTTP.",
    )


@rule("CLOUDFRONT_ORIGIN_FAILOVER_ENABLED", DISTRIBUTION)
def cloudfront_origin_failover_enabled(item: Item, _inventory: Inventory) -> Verdict:
    """Some origin has another to fall back on."""
    groups = _listed(item, "originGroups")
    if groups is MISSING:
        return not_held(_CONFIG)
    members = [(one.get("members") or {}).get("items") or () for one in groups]
    return COMPLIANT if any(len(one) >= 2 for one in members) else non_compliant("No origin has one to fall back on.")
