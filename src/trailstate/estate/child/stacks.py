"""What a stack does to something of the house's goes up as a call; moto's own backend for it is never reached.

moto asks one function for the class behind a resource type. Here it gives, for a type that is ours, an object that
makes the calls of `estate.stacks` instead. A type of ours without a row there is refused before anything is made.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from trailstate.estate import stacks
from trailstate.estate.child.sources import replace
from trailstate.estate.frames import Settled
from trailstate.estate.stacks import ID, StackType, Step
from trailstate.wire import model

Call = Callable[[str, str, str, str, dict[str, Any]], Settled]
"""Account, region, service, operation, parameters -> what came of it."""

TRUTHS = {"true": True, "false": False}


def leave_ours(marks: Sequence[str], call: Call) -> None:
    """From here on stacks leave the types with these marks to the house."""
    from moto.cloudformation import models, parsing

    class_of, name_property_of, load = (
        parsing.resource_class_from_type,
        parsing.resource_name_property_from_type,
        parsing.ResourceMap.load,
    )

    def class_from_type(resource_type: str) -> Any:
        return Kind(known(resource_type), call) if is_ours(resource_type, marks) else class_of(resource_type)

    def name_property(resource_type: str) -> Any:
        return known(resource_type).named_by if is_ours(resource_type, marks) else name_property_of(resource_type)

    def load_checked(resources: Any) -> None:
        load(resources)
        for each in resources:
            class_from_type(resources._resource_json_map[each]["Type"])  # noqa: SLF001

    replace(parsing, "resource_class_from_type", class_from_type)
    replace(parsing, "resource_name_property_from_type", name_property)
    replace(parsing.ResourceMap, "load", load_checked)
    replace(models.Stack, "create_resources", _rolling_back(models.Stack.create_resources))
    if is_ours(TOPIC, marks):
        replace(models, "sns_backends", Topics(call))


TOPIC = "AWS::SNS::Topic"


class Topics:
    """Stands where moto expects SNS, to which it tells what becomes of a stack: `[account][region].publish(…)`."""

    def __init__(self, call: Call, account: str = "", region: str = "") -> None:
        self._call = call
        self._account = account
        self._region = region

    def __getitem__(self, name: str) -> "Topics":
        return Topics(self._call, self._account or name, name if self._account else "")

    def publish(self, message: str, subject: str, arn: str) -> None:
        told = {"TopicArn": arn, "Subject": subject, "Message": message}
        settled = self._call(self._account, self._region, "sns", "Publish", told)
        if settled.result is None:
            raise _validation(f"The topic {arn} cannot be told of the stack: {settled.message} ({settled.code})")


def is_ours(resource_type: str, marks: Sequence[str]) -> bool:
    """A mark is a whole type or, ending in colons, a namespace."""
    return any(resource_type == mark or (mark.endswith("::") and resource_type.startswith(mark)) for mark in marks)


def known(resource_type: str) -> StackType:
    """The row of a type of ours; a modelled error, naming it, when there is none."""
    found = stacks.TYPES.get(resource_type)
    if found is None:
        raise _validation(f"The resource type {resource_type} is not supported by Trailstate yet")
    return found


class Kind:
    """Stands where moto expects the class of a resource type."""

    def __init__(self, kind: StackType, call: Call) -> None:
        self._kind = kind
        self._call = call

    def has_cfn_attr(self, attribute: str) -> bool:
        return attribute in self._kind.attributes

    def create_from_cloudformation_json(
        self, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **_: str
    ) -> "Made":
        made = Made(self._kind, partial(self._call, account_id, region_name), resource_name)
        made.make(cloudformation_json["Properties"])
        return made

    def update_from_cloudformation_json(
        self,
        original_resource: "Made",
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> "Made":
        properties = cloudformation_json["Properties"]
        name = new_resource_name if self._kind.named_by in properties else original_resource.name
        if name == original_resource.name and self._kind.update:
            original_resource.take(self._kind.update, properties)
            return original_resource
        if name == original_resource.name:
            original_resource.delete()
            return self.create_from_cloudformation_json(name, cloudformation_json, account_id, region_name)
        made = self.create_from_cloudformation_json(name, cloudformation_json, account_id, region_name)
        original_resource.delete()
        return made


class Made:
    """One resource of a stack that lives in the house."""

    cf_resource_type = ""
    logical_resource_id = ""

    def __init__(self, kind: StackType, call: Callable[[str, str, dict[str, Any]], Settled], name: str) -> None:
        self._kind = kind
        self._call = call
        self.name = self.physical_resource_id = name
        self._answer: dict[str, Any] = {}

    def make(self, properties: Mapping[str, Any]) -> None:
        """Create it whole, or not at all."""
        first, *others = self._kind.create
        self._answer = self._asked(first, properties)
        self.physical_resource_id = str(self._answer.get(self._kind.identified_by) or self.name)
        try:
            self.take(others, properties)
        except BaseException:
            self.delete()
            raise

    def take(self, steps: Sequence[Step], properties: Mapping[str, Any]) -> None:
        """The steps that the properties ask for, one after the other."""
        for step in steps:
            if step.when(properties):
                self._asked(step, properties)

    def get_cfn_attribute(self, attribute: str) -> Any:
        return self._answer.get(self._kind.attributes.get(attribute, ""))

    def is_created(self) -> bool:
        return True

    def delete(self, *_: str) -> None:
        self.take(self._kind.delete, {})

    def _asked(self, step: Step, properties: Mapping[str, Any]) -> dict[str, Any]:
        parameters = parameters_of(self._kind, step, {**properties, ID: self.physical_resource_id})
        settled = self._call(self._kind.service, step.operation, parameters)
        if settled.result is None:
            raise _validation(f"{self._kind.name} {self.name}: {settled.message} ({settled.code})")
        return settled.result


def parameters_of(kind: StackType, step: Step, properties: Mapping[str, Any]) -> dict[str, Any]:
    """The members of the operation that the template fills, in the operation's types and spelling."""
    found: dict[str, Any] = {}
    for path, name in step.members.items():
        if properties.get(name) is None:
            continue
        *above, last = path.split(".")
        place = found
        for each in above:
            place = place.setdefault(each, {})
        place[last] = properties[name]
    shape = model.operation_model(kind.service, step.operation).input_shape
    typed: dict[str, Any] = as_typed(shape, found)
    return typed


def as_typed(shape: Any, value: Any) -> Any:
    """A template's value as the model wants it: templates write numbers and truths as words, documents as objects,
    and members with a capital."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        members = {name.lower(): name for name in shape.members}
        named = {members.get(name.lower(), name): each for name, each in value.items()}
        return {n: as_typed(shape.members[n], each) if n in shape.members else each for n, each in named.items()}
    if kind == "list" and isinstance(value, list):
        return [as_typed(shape.member, each) for each in value]
    if kind == "map" and isinstance(value, dict):
        return {name: as_typed(shape.value, each) for name, each in value.items()}
    return _scalar(kind, value)


def _scalar(kind: str, value: Any) -> Any:
    if kind == "boolean" and isinstance(value, str):
        return TRUTHS.get(value.lower(), value)
    if kind in ("integer", "long") and isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    if kind == "string" and isinstance(value, dict | list):
        return json.dumps(value)
    if kind == "string" and isinstance(value, bool):
        return str(value).lower()
    return str(value) if kind == "string" and isinstance(value, int | float) else value


def _rolling_back(create: Callable[[Any], None]) -> Callable[[Any], None]:
    """A stack that one of our calls refuses is undone and says why, as CloudFormation's do."""
    from moto.cloudformation.exceptions import ValidationError
    from moto.cloudformation.parsing import OutputMap

    def create_or_roll_back(stack: Any) -> None:
        try:
            create(stack)
        except ValidationError as error:
            stack._add_stack_event("ROLLBACK_IN_PROGRESS", resource_status_reason=error.message)  # noqa: SLF001
            stack.resource_map.delete()
            stack.resource_map._resource_json_map = {}  # noqa: SLF001 - looking at one would make it
            stack.output_map = OutputMap(stack.resource_map, {}, stack.stack_id)
            stack._add_stack_event("ROLLBACK_COMPLETE", resource_status_reason=error.message)  # noqa: SLF001
            stack.status = "ROLLBACK_COMPLETE"

    return create_or_roll_back


def _validation(message: str) -> Exception:
    from moto.cloudformation.exceptions import ValidationError

    error: Exception = ValidationError(message=message)
    return error
