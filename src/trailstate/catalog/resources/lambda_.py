"""Lambda: a function with its policy, concurrency and tags; what its environment holds is never kept."""

from typing import Any

import msgspec

from trailstate.catalog.touch import asked, last_part
from trailstate.configuration.form import Describe, Fact, Look, Part, Relation, ResourceType

GONE = ("ResourceNotFoundException",)


def _function(look: Look) -> Any:
    answer = look.ask(Describe("lambda", "GetFunction", {"FunctionName": "{key}"}, absent=GONE))
    if answer is None:
        return None
    held = {name: answer[name] for name in ("Concurrency", "Tags") if name in answer}
    return {**answer["Configuration"], **held}


POLICY = Describe("lambda", "GetPolicy", {"FunctionName": "{key}"}, "Policy", GONE)


def _policy(look: Look) -> Any:
    text = look.ask(POLICY)
    return None if text is None else msgspec.json.decode(text)


def function_name(text: str) -> str:
    """The name within a name, a partial ARN (`123456789012:function:echo`) or a full one, without its qualifier."""
    if ":function:" in text:
        text = text.split(":function:", 1)[1]
    return text.split(":", 1)[0]


FUNCTION = ResourceType(
    name="AWS::Lambda::Function",
    listing=Describe("lambda", "ListFunctions", at="Functions[]"),
    key="FunctionName",
    describe=_function,
    resource_name="{FunctionName}",
    arn="{FunctionArn}",
    keeps=("LoggingConfig",),
    relations=(
        Relation("AWS::IAM::Role", "Is associated with ", at="Role", id=None, resource_name="", read=last_part),
        Relation("AWS::EC2::SecurityGroup", "Is associated with ", at="VpcConfig.SecurityGroupIds[]"),
        Relation("AWS::EC2::Subnet", "Is contained in ", at="VpcConfig.SubnetIds[]"),
    ),
    parts=(
        Part("Concurrency", lambda look: look.raw.get("Concurrency")),
        Part("Policy", POLICY, plain=True),
        Part("Tags", lambda look: look.raw.get("Tags"), plain=True),
    ),
    facts=(Fact("Policy", _policy),),
    touched_by=asked(
        "functionName",
        "AddPermission20150331v2",
        "CreateFunction20150331",
        "DeleteFunction20150331",
        "DeleteFunctionConcurrency20171031",
        "PublishVersion20150331",
        "PutFunctionConcurrency20171031",
        "RemovePermission20150331v2",
        "UpdateFunctionCode20150331v2",
        "UpdateFunctionConfiguration20150331v2",
    )
    | asked("resource", "TagResource20170331v2", "UntagResource20170331v2"),
    read_key=function_name,
)

RESOURCES = (FUNCTION,)
