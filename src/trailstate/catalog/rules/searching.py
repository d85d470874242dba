"""Rules over OpenSearch domains, and over the same domains as Elasticsearch knew them.

The two are described in two spellings (`NodeToNodeEncryptionOptions.Enabled`, `nodeToNodeEncryptionOptions.enabled`);
options that were never set are left out of both, which is the same as off.
"""

from typing import Any

from trailstate.catalog.reading import listed, not_held
from trailstate.compliance.form import (
    COMPLIANT,
    MISSING,
    Inventory,
    Item,
    Verdict,
    field_at,
    is_false,
    non_compliant,
    require,
    rule,
)

DOMAIN = "AWS::OpenSearch::Domain"
ELASTICSEARCH = "AWS::Elasticsearch::Domain"

require(
    "OPENSEARCH_UPDATE_CHECK",
    DOMAIN,
    "configuration.ServiceSoftwareOptions.UpdateAvailable",
    is_false,
    says="A software update is available and not installed.",
)


def _option(identifier: str, kind: str, path: str, sentence: str) -> None:
    """A rule that is one option which must be on; for a domain that the item does describe, absence is off."""

    @rule(identifier, kind)
    def judge(item: Item, _inventory: Inventory) -> Verdict:
        if not item["configuration"]:
            return not_held(f"configuration.{path}")
        return COMPLIANT if field_at(item, f"configuration.{path}") is True else non_compliant(sentence)


_PLAIN_DATA = "Data at rest are not encrypted."
_PLAIN_NODES = "Traffic between the nodes is not encrypted."
_option("OPENSEARCH_NODE_TO_NODE_ENCRYPTION_CHECK", DOMAIN, "NodeToNodeEncryptionOptions.Enabled", _PLAIN_NODES)
_option("OPENSEARCH_ENCRYPTED_AT_REST", DOMAIN, "EncryptionAtRestOptions.Enabled", _PLAIN_DATA)
_option("OPENSEARCH_ACCESS_CONTROL_ENABLED", DOMAIN, "AdvancedSecurityOptions.Enabled", "Fine-grained access is off.")
_option(
    "ELASTICSEARCH_NODE_TO_NODE_ENCRYPTION_CHECK", ELASTICSEARCH, "nodeToNodeEncryptionOptions.enabled", _PLAIN_NODES
)
_option(
    "ELASTICSEARCH_ENCRYPTED_AT_REST",
    ELASTICSEARCH,
    "encryptionAtRestOptions.enabled",
    _PLAIN_DATA,
)


def _in_vpc(identifier: str, kind: str, path: str) -> None:
    @rule(identifier, kind)
    def judge(item: Item, _inventory: Inventory) -> Verdict:
        if not item["configuration"]:
            return not_held(path)
        subnets = field_at(item, path)
        inside = subnets is not MISSING and bool(subnets)
        return COMPLIANT if inside else non_compliant("The domain's endpoint is not in a VPC.")


_in_vpc("OPENSEARCH_IN_VPC_ONLY", DOMAIN, "configuration.VPCOptions.SubnetIds")
_in_vpc("ELASTICSEARCH_IN_VPC_ONLY", ELASTICSEARCH, "configuration.vpcoptions.subnetIds")


def _published(item: Item) -> set[str]:
    """The kinds of log a domain sends to CloudWatch Logs, from either spelling, by the names the rules use."""
    configuration = item["configuration"]
    options: dict[str, Any] = (
        configuration.get("LogPublishingOptions") or configuration.get("logPublishingOptions") or {}
    )
    on = (name for name, one in options.items() if (one or {}).get("Enabled", (one or {}).get("enabled")) is True)
    return {_LOG_NAMES.get(name, name) for name in on}


_LOG_NAMES = {
    "ES_APPLICATION_LOGS": "error",
    "SEARCH_SLOW_LOGS": "search",
    "INDEX_SLOW_LOGS": "index",
    "AUDIT_LOGS": "audit",
}


def _logs(item: Item, wanted: tuple[str, ...] | None) -> Verdict:
    if not item["configuration"]:
        return not_held("configuration.LogPublishingOptions")
    found = _published(item)
    lacking = [name for name in wanted or ("error", "search", "index") if _LOG_NAMES.get(name, name) not in found]
    return non_compliant(f"The logs {listed(lacking)} are not published.") if lacking else COMPLIANT


@rule("OPENSEARCH_LOGS_TO_CLOUDWATCH", DOMAIN)
def opensearch_logs_to_cloudwatch(
    item: Item, _inventory: Inventory, *, logTypes: tuple[str, ...] | None = None
) -> Verdict:
    """The domain publishes its error, search and index logs, or those that are named."""
    return _logs(item, logTypes)


@rule("ELASTICSEARCH_LOGS_TO_CLOUDWATCH", ELASTICSEARCH)
def elasticsearch_logs_to_cloudwatch(
    item: Item, _inventory: Inventory, *, logTypes: tuple[str, ...] | None = None
) -> Verdict:
    """The domain publishes its error, search and index logs, or those that are named."""
    return _logs(item, logTypes)


@rule("OPENSEARCH_AUDIT_LOGGING_ENABLED", DOMAIN)
def opensearch_audit_logging_enabled(
    item: Item, _inventory: Inventory, *, cloudWatchLogsLogGroupArnList: tuple[str, ...] | None = None
) -> Verdict:
    """The domain publishes its audit log, to one of the groups if any are named."""
    if not item["configuration"]:
        return not_held("configuration.LogPublishingOptions")
    audit = field_at(item, "configuration.LogPublishingOptions.AUDIT_LOGS")
    if audit is MISSING or audit.get("Enabled") is not True:
        return non_compliant("The audit log is not published.")
    group = audit.get("CloudWatchLogsLogGroupArn")
    if cloudWatchLogsLogGroupArnList and group not in cloudWatchLogsLogGroupArnList:
        return non_compliant(f"The audit log goes to '{group}', which is not listed.")
    return COMPLIANT


@rule("OPENSEARCH_HTTPS_REQUIRED", DOMAIN)
def opensearch_https_required(
    item: Item, _inventory: Inventory, *, tlsPolicies: tuple[str, ...] | None = None
) -> Verdict:
    """Clients reach the domain by HTTPS alone, under one of the TLS policies if any are named."""
    if not item["configuration"]:
        return not_held("configuration.DomainEndpointOptions")
    options = item["configuration"].get("DomainEndpointOptions") or {}
    if options.get("EnforceHTTPS") is not True:
        return non_compliant("Plain HTTP is accepted.")
    policy = options.get("TLSSecurityPolicy")
    if tlsPolicies and policy not in tlsPolicies:
        return non_compliant(f"The TLS policy is '{policy}', which is not listed.")
    return COMPLIANT


@rule("OPENSEARCH_DATA_NODE_FAULT_TOLERANCE", DOMAIN)
def opensearch_data_node_fault_tolerance(item: Item, _inventory: Inventory) -> Verdict:
    """The domain has three data nodes at least and spreads them over zones."""
    nodes = field_at(item, "configuration.ClusterConfig.InstanceCount")
    if nodes is MISSING:
        return not_held("configuration.ClusterConfig.InstanceCount")
    spread = field_at(item, "configuration.ClusterConfig.ZoneAwarenessEnabled") is True
    return COMPLIANT if nodes >= 3 and spread else non_compliant(f"{nodes} data nodes, spread over zones: {spread}.")


@rule("OPENSEARCH_PRIMARY_NODE_FAULT_TOLERANCE", DOMAIN)
def opensearch_primary_node_fault_tolerance(item: Item, _inventory: Inventory) -> Verdict:
    """The domain has three dedicated primary nodes at least."""
    config = field_at(item, "configuration.ClusterConfig")
    if config is MISSING:
        return not_held("configuration.ClusterConfig")
    count = config.get("DedicatedMasterCount") or 0
    enough = config.get("DedicatedMasterEnabled") is True and count >= 3
    return COMPLIANT if enough else non_compliant(f"The domain has {count} dedicated primary nodes; expected three.")
