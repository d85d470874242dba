"""Rules over API Gateway: REST APIs and their stages, and the stages of the second version."""

from collections.abc import Iterable, Mapping
from typing import Any

from trailstate.catalog.reading import listed, not_held
from trailstate.compliance.form import (
    COMPLIANT,
    MISSING,
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

API, STAGE, STAGE_V2 = "AWS::ApiGateway::RestApi", "AWS::ApiGateway::Stage", "AWS::ApiGatewayV2::Stage"
_NO_LOG = non_compliant("The stage writes no access log.")

require(
    "API_GW_XRAY_ENABLED",
    STAGE,
    "configuration.tracingEnabled",
    is_true,
    absent=non_compliant("The stage is not traced."),
)
for _identifier, _type in (("APIGATEWAY_STAGE_ACCESS_LOGS_ENABLED", STAGE), ("API_GWV2_ACCESS_LOGS_ENABLED", STAGE_V2)):
    require(_identifier, _type, "configuration.accessLogSettings", is_given, absent=_NO_LOG)
require(
    "API_GWV2_STAGE_DEFAULT_ROUTE_DETAILED_METRICS_ENABLED",
    STAGE_V2,
    "configuration.defaultRouteSettings.detailedMetricsEnabled",
    is_true,
)


@rule("API_GW_ENDPOINT_TYPE_CHECK", API)
def api_gw_endpoint_type_check(
    item: Item, _inventory: Inventory, *, endpointConfigurationTypes: tuple[str, ...]
) -> Verdict:
    """The API's endpoints are of the given kinds alone (REGIONAL, PRIVATE, EDGE)."""
    kinds = field_at(item, "configuration.endpointConfiguration.types")
    if kinds is MISSING:
        return not_held("configuration.endpointConfiguration.types")
    others = [kind for kind in kinds if kind not in endpointConfigurationTypes]
    return non_compliant(f"The endpoint is {listed(others)}, which is not listed.") if others else COMPLIANT


@rule("API_GW_SSL_ENABLED", STAGE)
def api_gw_ssl_enabled(item: Item, _inventory: Inventory, *, CertificateIDs: tuple[str, ...] | None = None) -> Verdict:
    """The stage shows its back end a certificate, one of those named if any are."""
    found = field_at(item, "configuration.clientCertificateId")
    return _one_of(found, CertificateIDs, "client certificate")


@rule("API_GW_ASSOCIATED_WITH_WAF", STAGE)
def api_gw_associated_with_waf(
    item: Item, _inventory: Inventory, *, WebAclArns: tuple[str, ...] | None = None
) -> Verdict:
    """A web ACL stands before the stage, one of those named if any are."""
    return _one_of(field_at(item, "configuration.webAclArn"), WebAclArns, "web ACL")


def _one_of(found: Any, wanted: tuple[str, ...] | None, what: str) -> Verdict:
    if found is MISSING or not found:
        return non_compliant(f"The stage has no {what}.")
    if wanted and found not in wanted:
        return non_compliant(f"The stage's {what} is '{found}', which is not listed.")
    return COMPLIANT


def _methods(item: Item) -> list[Mapping[str, Any]]:
    """Settings of a stage's methods; the item leaves them out when none was ever set."""
    settings = field_at(item, "configuration.methodSettings")
    return [] if settings is MISSING else list(settings.values())


@rule("API_GW_CACHE_ENABLED_AND_ENCRYPTED", STAGE)
def api_gw_cache_enabled_and_encrypted(item: Item, _inventory: Inventory) -> Verdict:
    """All methods of the stage are cached, and the cache is encrypted."""
    methods = _methods(item)
    cached = methods and all(one.get("cachingEnabled") is True for one in methods)
    if not item["configuration"].get("cacheClusterEnabled") or not cached:
        return non_compliant("Not all methods of the stage are cached.")
    plain = any(one.get("cacheDataEncrypted") is not True for one in methods)
    return non_compliant("A method's cache is not encrypted.") if plain else COMPLIANT


@rule("API_GW_EXECUTION_LOGGING_ENABLED", (STAGE, STAGE_V2))
def api_gw_execution_logging_enabled(item: Item, _inventory: Inventory, *, loggingLevel: str = "ERROR,INFO") -> Verdict:
    """All methods of the stage log what they do, at one of the levels."""
    wanted = [level.strip() for level in loggingLevel.split(",")]
    levels = _levels(item)
    if not levels or any(level not in wanted for level in levels):
        return non_compliant(f"The stage does not log all methods at {listed(wanted)}.")
    return COMPLIANT


def _levels(item: Item) -> list[Any]:
    if item["resourceType"] == STAGE:
        return [one.get("loggingLevel") for one in _methods(item)]
    routes: Iterable[Mapping[str, Any]] = (item["configuration"].get("routeSettings") or {}).values()
    default = item["configuration"].get("defaultRouteSettings") or {}
    return [default.get("loggingLevel"), *(one.get("loggingLevel", default.get("loggingLevel")) for one in routes)]
