"""What builds, deploys and runs in steps: CodeBuild project, CloudFormation stack, Step Functions state machine."""

from typing import Any

from trailstate.catalog.touch import REQUEST, RESPONSE, asked, at, last_part
from trailstate.configuration.form import REGIONAL, Describe, Look, Part, Relation, ResourceType, Seen


def _listed(configuration: dict[str, Any], _seen: Seen) -> dict[str, Any]:
    """Items hold a project's source and artifacts as lists of one."""
    both = {name: configuration[name] for name in ("source", "artifacts") if name in configuration}
    return configuration | {name: value if isinstance(value, list) else [value] for name, value in both.items()}


PROJECT = ResourceType(
    name="AWS::CodeBuild::Project",
    listing=Describe("codebuild", "ListProjects", at="projects[]"),
    describe=Describe("codebuild", "BatchGetProjects", {"names": ["{key}"]}, "projects[]"),
    id="{arn}",
    resource_name="{name}",
    arn="{arn}",
    created="{created}",
    tags="tags",
    keeps=("tags",),
    finish=_listed,
    relations=(
        Relation(
            "AWS::S3::Bucket",
            "Is associated with ",
            at="artifacts.location",
            resource_name="",
            read=lambda text: text.split("/", 1)[0],
        ),
        Relation("AWS::IAM::Role", "Is associated with ", at="serviceRole", id=None, resource_name="", read=last_part),
    ),
    touched_by=asked("name", "CreateProject", "DeleteProject", "UpdateProject")
    | asked("projectName", "CreateWebhook", "DeleteWebhook", "UpdateWebhook")
    | asked("projectArn", "UpdateProjectVisibility"),
    read_key=last_part,
)

STACK_GONE = ("ValidationError",)


def _stack(look: Look) -> Any:
    """A stack by name or id; None once deleted, though its id is still answered."""
    stack = look.ask(Describe("cloudformation", "DescribeStacks", {"StackName": "{key}"}, "Stacks[]", STACK_GONE))
    found = next(iter(stack or ()), None)
    return None if found is None or found["StackStatus"] == "DELETE_COMPLETE" else found


STACK = ResourceType(
    name="AWS::CloudFormation::Stack",
    listing=Describe("cloudformation", "DescribeStacks", at="Stacks[]"),
    key="StackName",
    describe=_stack,
    listed_whole=True,
    id="{StackId}",
    resource_name="{StackName}",
    arn="{StackId}",
    created="{CreationTime}",
    zone=REGIONAL,
    keeps=("Tags",),
    parts=(
        Part(
            "StackResourceSummaries",
            Describe(
                "cloudformation", "ListStackResources", {"StackName": "{key}"}, "StackResourceSummaries[]", STACK_GONE
            ),
        ),
    ),
    touched_by=at(
        f"{REQUEST}.stackName",
        "CancelUpdateStack",
        "CreateStack",
        "DeleteStack",
        "ExecuteChangeSet",
        "SetStackPolicy",
        "UpdateStack",
        "UpdateTerminationProtection",
    ),
    read_key=lambda text: text.split(":stack/", 1)[-1].split("/", 1)[0],
)

NO_MACHINE = ("StateMachineDoesNotExist",)

STATE_MACHINE = ResourceType(
    name="AWS::StepFunctions::StateMachine",
    listing=Describe("stepfunctions", "ListStateMachines", at="stateMachines[]"),
    key="stateMachineArn",
    describe=Describe("stepfunctions", "DescribeStateMachine", {"stateMachineArn": "{key}"}, "", NO_MACHINE),
    more={"tags": Describe("stepfunctions", "ListTagsForResource", {"resourceArn": "{key}"}, "tags", NO_MACHINE)},
    resource_name="{name}",
    arn="{key}",
    created="{creationDate}",
    zone=REGIONAL,
    tags="tags",
    renames={"stateMachineArn": "Arn", "name": "StateMachineName", "type": "StateMachineType"},
    touched_by=at((f"{RESPONSE}.stateMachineArn",), "CreateStateMachine")
    | asked("stateMachineArn", "DeleteStateMachine", "UpdateStateMachine")
    | asked("resourceArn", "TagResource", "UntagResource"),
    read_key=lambda text: text if ":stateMachine:" in text else "",
)

RESOURCES = (PROJECT, STACK, STATE_MACHINE)
