"""Containers: ECR repository; ECS cluster, service and task definition."""

from typing import Any

from trailstate.catalog.standing import standing
from trailstate.catalog.touch import REQUEST, RESPONSE, anywhere, asked, at, last_part
from trailstate.configuration.form import REGIONAL, Describe, Look, ResourceType, Seen

NO_REPOSITORY = ("RepositoryNotFoundException", "RepositoryPolicyNotFoundException", "LifecyclePolicyNotFoundException")


def _repository(operation: str, at: str = "") -> Describe:
    return Describe("ecr", operation, {"repositoryName": "{key}"}, at, NO_REPOSITORY)


REPOSITORY = ResourceType(
    name="AWS::ECR::Repository",
    listing=Describe("ecr", "DescribeRepositories", at="repositories[]"),
    key="repositoryName",
    describe=Describe("ecr", "DescribeRepositories", {"repositoryNames": ["{key}"]}, "repositories[]", NO_REPOSITORY),
    listed_whole=True,
    more={
        "LifecyclePolicy": lambda look: look.ask(_repository("GetLifecyclePolicy")) or {},
        "RepositoryPolicyText": lambda look: look.ask(_repository("GetRepositoryPolicy", "policyText")) or {},
        "tags": Describe("ecr", "ListTagsForResource", {"resourceArn": "{repositoryArn}"}, "tags", NO_REPOSITORY),
    },
    resource_name="{key}",
    arn="{repositoryArn}",
    zone=REGIONAL,
    tags="tags",
    renames={"repositoryArn": "Arn"},
    keeps=("RepositoryPolicyText", "encryptionConfiguration", "LifecyclePolicy"),
    touched_by=asked(
        "repositoryName",
        "CreateRepository",
        "DeleteLifecyclePolicy",
        "DeleteRepository",
        "DeleteRepositoryPolicy",
        "PutImageScanningConfiguration",
        "PutImageTagMutability",
        "PutLifecyclePolicy",
        "SetRepositoryPolicy",
    )
    | asked("resourceArn", "TagResource", "UntagResource"),
    read_key=lambda text: text.split(":repository/", 1)[-1],
)


def _ecs_key(kind: str) -> Any:
    """Reads ARNs of this kind and bare names."""

    def read(text: str) -> str:
        return text if not text.startswith("arn:") or f":{kind}/" in text else ""

    return read


INACTIVE = "INACTIVE"
WANTED = ["SETTINGS", "CONFIGURATIONS", "TAGS"]


ECS_CLUSTER = ResourceType(
    name="AWS::ECS::Cluster",
    listing=lambda look: [
        last_part(arn) for arn in look.ask(Describe("ecs", "ListClusters", at="clusterArns[]")) or ()
    ],
    describe=standing(
        Describe("ecs", "DescribeClusters", {"clusters": ["{key}"], "include": WANTED}, "clusters[]"),
        "status",
        INACTIVE,
    ),
    resource_name="{key}",
    arn="{clusterArn}",
    zone=REGIONAL,
    tags="tags",
    renames={"clusterArn": "Arn", "settings": "ClusterSettings"},
    service="ecs",
    touched_by=asked("clusterName", "CreateCluster")
    | asked("cluster", "DeleteCluster", "PutClusterCapacityProviders", "UpdateCluster", "UpdateClusterSettings")
    | asked("resourceArn", "TagResource", "UntagResource"),
    read_key=lambda text: last_part(_ecs_key("cluster")(text)),
)


def _definition(look: Look) -> Any:
    """The revision with its tags, which the answer keeps beside it; None once it is deregistered."""
    answer = look.ask(
        Describe(
            "ecs", "DescribeTaskDefinition", {"taskDefinition": "{key}", "include": ["TAGS"]}, "", ("ClientException",)
        )
    )
    if answer is None or answer["taskDefinition"].get("status") == INACTIVE:
        return None
    family = answer["taskDefinition"]
    return {**family, "tags": answer.get("tags", []), "Name": f"{family['family']}:{family['revision']}"}


HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"


def _without_values(configuration: dict[str, Any], _seen: Seen) -> dict[str, Any]:
    """Which variables a container has is configuration; what they hold may be a secret."""
    for container in configuration.get("ContainerDefinitions", ()):
        for variable in container.get("Environment", ()):
            variable["Value"] = HIDDEN
    return configuration


TASK_DEFINITION = ResourceType(
    name="AWS::ECS::TaskDefinition",
    listing=Describe("ecs", "ListTaskDefinitions", {"status": "ACTIVE"}, "taskDefinitionArns[]"),
    describe=_definition,
    resource_name="{Name}",
    arn="{taskDefinitionArn}",
    zone=REGIONAL,
    tags="tags",
    finish=_without_values,
    touched_by=at(f"{RESPONSE}.taskDefinition.taskDefinitionArn", "RegisterTaskDefinition", "DeregisterTaskDefinition")
    | asked("taskDefinitions[]", "DeleteTaskDefinitions")
    | asked("resourceArn", "TagResource", "UntagResource"),
    read_key=_ecs_key("task-definition"),
)


def _services(look: Look) -> Any:
    clusters = look.ask(Describe("ecs", "ListClusters", at="clusterArns[]")) or ()
    asked_for = (look.ask(Describe("ecs", "ListServices", {"cluster": arn}, "serviceArns[]")) for arn in clusters)
    return [service for services in asked_for for service in services or ()]


def _service(look: Look) -> Any:
    """A service's ARN names its cluster: `service/CLUSTER/NAME`."""
    cluster = look.key.split("/")[-2] if look.key.count("/") > 1 else "default"
    asked_for = {"cluster": cluster, "services": ["{key}"], "include": ["TAGS"]}
    services = Describe("ecs", "DescribeServices", asked_for, "services[]", ("ClusterNotFoundException",))
    return standing(services, "status", INACTIVE)(look)


ECS_SERVICE = ResourceType(
    name="AWS::ECS::Service",
    listing=_services,
    describe=_service,
    resource_name="{serviceName}",
    arn="{serviceArn}",
    zone=REGIONAL,
    tags="tags",
    renames={"clusterArn": "Cluster"},
    service="ecs",
    touched_by=at(f"{RESPONSE}.service.serviceArn", "CreateService", "DeleteService", "UpdateService")
    | at((f"{REQUEST}.resourceArn",), "TagResource", "UntagResource")
    | anywhere("DeleteCluster"),
    read_key=_ecs_key("service"),
)

RESOURCES = (REPOSITORY, ECS_CLUSTER, TASK_DEFINITION, ECS_SERVICE)
