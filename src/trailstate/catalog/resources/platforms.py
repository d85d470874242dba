"""Platforms and names: EKS cluster, Glue job, Systems Manager document, Route 53 hosted zone."""

from typing import Any

from trailstate.catalog.touch import RESPONSE, asked, at, last_part
from trailstate.configuration.form import REGIONAL, Describe, Look, ResourceType, Seen

NO_CLUSTER = ("ResourceNotFoundException",)


def _logging(configuration: dict[str, Any], seen: Seen) -> dict[str, Any]:
    """The API lists kinds of logs that are on and kinds that are off, items those that are on."""
    known = seen.raw.get("logging", {}).get("clusterLogging", ())
    enabled = [{"Type": kind} for each in known if each.get("enabled") for kind in each.get("types", ())]
    return configuration | {"Logging": {"ClusterLogging": {"EnabledTypes": enabled}}}


KUBERNETES = ResourceType(
    name="AWS::EKS::Cluster",
    listing=Describe("eks", "ListClusters", at="clusters[]"),
    describe=Describe("eks", "DescribeCluster", {"name": "{key}"}, "cluster", NO_CLUSTER),
    resource_name="{key}",
    arn="{arn}",
    created="{createdAt}",
    zone=REGIONAL,
    tags="tags",
    renames={
        "resourcesVpcConfig.publicAccessCidrs": "PublicAccessCidrs",
        "resourcesVpcConfig.endpointPublicAccess": "EndpointPublicAccess",
    },
    finish=_logging,
    touched_by=asked("name", "CreateCluster", "DeleteCluster", "UpdateClusterConfig", "UpdateClusterVersion")
    | asked("clusterName", "AssociateEncryptionConfig")
    | asked("resourceArn", "TagResource", "UntagResource"),
    read_key=lambda text: text.split(":cluster/", 1)[-1] if ":cluster/" in text or "arn:" not in text else "",
)

NO_JOB = ("EntityNotFoundException",)

JOB = ResourceType(
    name="AWS::Glue::Job",
    listing=Describe("glue", "GetJobs", at="Jobs[]"),
    key="Name",
    describe=Describe("glue", "GetJob", {"JobName": "{key}"}, "Job", NO_JOB),
    more={"Id": lambda look: look.key},
    resource_name="{key}",
    arn="arn:aws:glue:{region}:{account}:job/{key}",
    created="{CreatedOn}",
    zone=REGIONAL,
    keeps=("DefaultArguments{}",),
    touched_by=asked("name", "CreateJob") | asked("jobName", "DeleteJob", "UpdateJob"),
)

NO_DOCUMENT = ("InvalidDocument",)
OWN_DOCUMENTS = {"Filters": [{"Key": "Owner", "Values": ["Self"]}]}

DOCUMENT = ResourceType(
    name="AWS::SSM::Document",
    listing=Describe("ssm", "ListDocuments", OWN_DOCUMENTS, "DocumentIdentifiers[]"),
    key="Name",
    describe=Describe("ssm", "DescribeDocument", {"Name": "{key}"}, "Document", NO_DOCUMENT),
    resource_name="{key}",
    arn="arn:aws:ssm:{region}:{account}:document/{key}",
    created="{CreatedDate}",
    zone=REGIONAL,
    touched_by=asked("name", "CreateDocument", "DeleteDocument", "ModifyDocumentPermission", "UpdateDocument")
    | asked("name", "UpdateDocumentDefaultVersion", "UpdateDocumentMetadata")
    | asked("resourceId", "AddTagsToResource", "RemoveTagsFromResource"),
    read_key=last_part,
)

NO_ZONE = ("NoSuchHostedZone",)


def _zones(look: Look) -> list[str]:
    """The API lists ids as paths: `/hostedzone/Z...`."""
    listed = look.ask(Describe("route53", "ListHostedZones", at="HostedZones[].Id")) or ()
    return [last_part(each) for each in listed]


def _zone(look: Look) -> Any:
    """A zone with its name servers, which the answer keeps beside it."""
    answer = look.ask(Describe("route53", "GetHostedZone", {"Id": "{key}"}, "", NO_ZONE))
    if answer is None:
        return None
    servers = answer.get("DelegationSet", {}).get("NameServers", [])
    return {**answer["HostedZone"], "Id": look.key, "NameServers": servers, "VPCs": answer.get("VPCs", [])}


HOSTED_ZONE = ResourceType(
    name="AWS::Route53::HostedZone",
    listing=_zones,
    describe=_zone,
    more={
        "Tags": Describe(
            "route53",
            "ListTagsForResource",
            {"ResourceType": "hostedzone", "ResourceId": "{key}"},
            "ResourceTagSet.Tags",
            NO_ZONE,
        )
    },
    resource_name="{Name}",
    arn="arn:aws:route53:::hostedzone/{key}",
    zone=REGIONAL,
    home="us-east-1",
    service="route53",
    touched_by=at(f"{RESPONSE}.hostedZone.id", "CreateHostedZone")
    | asked("id", "DeleteHostedZone", "UpdateHostedZoneComment")
    | asked("hostedZoneId", "AssociateVPCWithHostedZone", "ChangeResourceRecordSets", "DisassociateVPCFromHostedZone")
    | asked("resourceId", "ChangeTagsForResource"),
    read_key=last_part,
)

RESOURCES = (KUBERNETES, JOB, DOCUMENT, HOSTED_ZONE)
