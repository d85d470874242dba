"""What a stack does to something of the house's goes up as a call; moto's own backend for it is never reached.

moto asks one function for the class behind a resource type. Here it gives, for a type that is ours, an object that
makes the calls of `estate.stacks` instead. A type of ours without a row there is refused before anything is made, and
so is a property that no call of its type heeds. A stack with a service role acts as that role.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, Protocol

from trailstate.estate.child.made import Kind, known
from trailstate.estate.child.sources import replace
from trailstate.estate.child.typed import validation
from trailstate.estate.frames import Settled


class Call(Protocol):
    """Account, region, service, operation, parameters -> what came of it."""

    def __call__(
        self,
        account: str,
        region: str,
        service: str,
        operation: str,
        parameters: dict[str, Any],
        *,
        role: str = "",
        by: str = "",
        source: str = "",
    ) -> Settled:
        """`role`: the role that is taken on for it; `by`: the service that makes it, and `source` for which
        resource."""


def leave_ours(marks: Sequence[str], asked: Call) -> None:
    """From here on stacks leave the types with these marks to the house."""
    from moto.cloudformation import models, parsing

    acting = Acting(asked)
    call = acting.call

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
    replace(models.Stack, "create_resources", acting.of_stack(_rolling_back(models.Stack.create_resources)))
    replace(models.Stack, "delete", acting.of_stack(models.Stack.delete))
    replace(models.Stack, "update", acting.keeping_role(models.Stack.update))
    replace(models.ChangeSet, "apply", acting.of_stack(models.ChangeSet.apply))
    if is_ours(TOPIC, marks):
        replace(models, "sns_backends", Topics(call))


TOPIC = "AWS::SNS::Topic"


class Acting:
    """As whom the stack in hand acts: its caller, or the role that it was given."""

    def __init__(self, asked: Call) -> None:
        self._asked = asked
        self._role = ""

    def call(self, account: str, region: str, service: str, operation: str, parameters: dict[str, Any]) -> Settled:
        return self._asked(account, region, service, operation, parameters, role=self._role)

    def of_stack(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """The method of a stack or change set, done in the stack's role; a stack within a stack has the outer one's."""

        @wraps(method)
        def in_role(stack: Any, *arguments: Any) -> Any:
            of_change_set = getattr(getattr(stack, "stack", None), "role_arn", None)
            with self._as(stack.role_arn or of_change_set):
                return method(stack, *arguments)

        return in_role

    def keeping_role(self, update: Callable[..., Any]) -> Callable[..., Any]:
        """A stack keeps its role until it is given another one."""

        @wraps(update)
        def in_role(stack: Any, template: str, role_arn: str | None = None, **more: Any) -> Any:
            role = role_arn or stack.role_arn
            with self._as(role):
                return update(stack, template, role, **more)

        return in_role

    @contextmanager
    def _as(self, role: str | None) -> Iterator[None]:
        outer, self._role = self._role, role or self._role
        try:
            yield
        finally:
            self._role = outer


class Topics:
    """Stands where moto expects SNS, to which it tells what becomes of a stack: `[account][region].publish(…)`."""

    def __init__(self, call: Callable[..., Settled], account: str = "", region: str = "") -> None:
        self._call = call
        self._account = account
        self._region = region

    def __getitem__(self, name: str) -> "Topics":
        return Topics(self._call, self._account or name, name if self._account else "")

    def publish(self, message: str, subject: str, arn: str) -> None:
        told = {"TopicArn": arn, "Subject": subject, "Message": message}
        settled = self._call(self._account, self._region, "sns", "Publish", told)
        if settled.result is None:
            raise validation(f"The topic {arn} cannot be told of the stack: {settled.message} ({settled.code})")


def is_ours(resource_type: str, marks: Sequence[str]) -> bool:
    """A mark is a whole type or, ending in colons, a namespace."""
    return any(resource_type == mark or (mark.endswith("::") and resource_type.startswith(mark)) for mark in marks)


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
