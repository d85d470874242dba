"""OpenSearch and Elasticsearch domains: one service, two APIs, two types by the engine of the domain."""

from typing import Any

import msgspec

from trailstate.catalog.tags import tags_part
from trailstate.catalog.touch import asked
from trailstate.configuration.form import REGIONAL, Describe, Look, Relation, ResourceType, Seen

GONE = ("ResourceNotFoundException",)
OPEN = "OpenSearch"


def _domain(service: str, operation: str) -> Any:
    """The domain without what is left of a deleted one; a domain of the other engine is of the other type."""
    described = Describe(service, operation, {"DomainName": "{key}"}, "DomainStatus", GONE)

    def look_at(look: Look) -> Any:
        status = look.ask(described)
        if status is None or status.get("Deleted"):
            return None
        engine = status.get("EngineVersion") or status.get("ElasticsearchVersion") or ""
        return status if engine.startswith(OPEN) == (service == "opensearch") else None

    return look_at


def _tags(service: str) -> Describe:
    return Describe(service, "ListTags", {"ARN": "{ARN}"}, "TagList[]", GONE)


def _domain_name(text: str) -> str:
    return text.split(":domain/", 1)[-1]


def _parsed_policies(configuration: dict[str, Any], _seen: Seen) -> dict[str, Any]:
    """Items in CloudFormation's shape hold a policy as an object."""
    text = configuration.get("AccessPolicies")
    return configuration | {"AccessPolicies": msgspec.json.decode(text) if text else {}}


CHANGES = asked("aRN", "AddTags", "RemoveTags") | asked("domainName", "UpgradeDomain", "UpgradeElasticsearchDomain")

OPENSEARCH_DOMAIN = ResourceType(
    name="AWS::OpenSearch::Domain",
    listing=Describe("opensearch", "ListDomainNames", at="DomainNames[]"),
    key="DomainName",
    describe=_domain("opensearch", "DescribeDomain"),
    more={"Tags": _tags("opensearch")},
    resource_name="{key}",
    arn="{ARN}",
    zone=REGIONAL,
    renames={"DomainId": "Id", "ARN": "Arn", "Endpoint": "DomainEndpoint"},
    keeps=("AccessPolicies", "AdvancedOptions{}"),
    finish=_parsed_policies,
    touched_by=CHANGES | asked("domainName", "CreateDomain", "DeleteDomain", "UpdateDomainConfig"),
    read_key=_domain_name,
)


ELASTICSEARCH_DOMAIN = ResourceType(
    name="AWS::Elasticsearch::Domain",
    listing=Describe("es", "ListDomainNames", at="DomainNames[]"),
    key="DomainName",
    describe=_domain("es", "DescribeElasticsearchDomain"),
    more={"Tags": _tags("es")},
    id="{DomainId}",
    resource_name="{key}",
    arn="{ARN}",
    zone="Multiple Availability Zones",
    keeps=("AccessPolicies", "AdvancedOptions{}"),
    relations=(
        Relation("AWS::EC2::SecurityGroup", "Is associated with ", at="VPCOptions.SecurityGroupIds[]"),
        Relation("AWS::EC2::Subnet", "Is associated with ", at="VPCOptions.SubnetIds[]"),
        Relation(
            "AWS::KMS::Key",
            "Is associated with ",
            at="EncryptionAtRestOptions.KmsKeyId",
            read=lambda text: text.rsplit("/", 1)[-1],
        ),
        Relation("AWS::EC2::VPC", "Is associated with ", at="VPCOptions.VPCId"),
    ),
    parts=(tags_part(),),
    touched_by=CHANGES
    | asked(
        "domainName",
        "CreateElasticsearchDomain",
        "DeleteElasticsearchDomain",
        "UpdateElasticsearchDomainConfig",
        "UpdateDomainConfig",
    ),
    read_key=_domain_name,
)

RESOURCES = (OPENSEARCH_DOMAIN, ELASTICSEARCH_DOMAIN)
