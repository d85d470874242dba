"""A resource type of the house as moto's stacks see it, and one resource of a stack that lives in the house.

What is wrong with a template's properties is found before the first call, as far as they themselves can tell.
"""

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from trailstate.estate.child.typed import parameters_of, validation
from trailstate.estate.frames import Settled
from trailstate.estate.stacks import (
    ACCOUNT,
    ANSWER,
    BEFORE,
    FOUND,
    ID,
    NAME,
    REGION,
    TYPES,
    Properties,
    StackType,
    Step,
)

GONE = ("ResourceNotFound", "NotFound", "NoSuch", "TrailNotFound", "ChannelNotFound", "InvalidDocument")
"""How the codes begin with which our services say that something is not there."""


def known(resource_type: str) -> StackType:
    """The row of a type of ours; a modelled error, naming it, when there is none."""
    found = TYPES.get(resource_type)
    if found is None:
        raise validation(f"The resource type {resource_type} is not supported by Trailstate yet")
    return found


class Kind:
    """Stands where moto expects the class of a resource type."""

    def __init__(self, kind: StackType, call: Callable[..., Settled]) -> None:
        self._kind = kind
        self._call = call

    def has_cfn_attr(self, attribute: str) -> bool:
        return attribute in self._kind.attributes

    def create_from_cloudformation_json(
        self, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **_: str
    ) -> "Made":
        made = Made(self._kind, self._call, account_id, region_name, resource_name)
        made.make(_heeded(self._kind, cloudformation_json["Properties"]))
        return made

    def update_from_cloudformation_json(
        self,
        original_resource: "Made",
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> "Made":
        properties = _heeded(self._kind, cloudformation_json["Properties"])
        is_named = bool(self._kind.named_by) and self._kind.named_by in properties
        name = new_resource_name if is_named else original_resource.name
        if name == original_resource.name and not original_resource.is_replaced_by(properties):
            original_resource.change(properties)
            return original_resource
        again = partial(self.create_from_cloudformation_json, new_resource_name, cloudformation_json)
        if new_resource_name == original_resource.name:
            original_resource.delete()
            return again(account_id, region_name)
        made = again(account_id, region_name)
        original_resource.delete()
        return made


def _heeded(kind: StackType, properties: Properties) -> Properties:
    """The properties that are given; a modelled error for one that would go unheeded."""
    told = {name: value for name, value in properties.items() if value is not None}
    for name in told:
        if not kind.knows(name):
            raise validation(f"The property {name[:128]} of {kind.name} is not supported by Trailstate yet")
    return told


class Made:
    """One resource of a stack that lives in the house."""

    cf_resource_type = ""
    logical_resource_id = ""

    def __init__(self, kind: StackType, call: Callable[..., Settled], account: str, region: str, name: str) -> None:
        self._kind = kind
        self._call = partial(call, account, region)
        self._known = {NAME: name, ACCOUNT: account, REGION: region}
        self.name = self.physical_resource_id = name
        self._properties: Properties = {}
        self._answer: dict[str, Any] = {}

    def make(self, properties: Properties) -> None:
        """Create it whole, or not at all."""
        first, *others = self._kind.create
        self._properties = properties
        self._hold_readable(properties)
        self._answer = self._take([first], properties)
        source = self._kind.identified_by
        identity = source(self._beside(properties)) if callable(source) else self._answer.get(source)
        self.physical_resource_id = str(identity or self.name)
        try:
            self._take(others, properties)
        except BaseException:
            self.delete()
            raise

    def _hold_readable(self, properties: Properties) -> None:
        """A modelled error, before any call, for properties that making or unmaking it could not read."""
        known = self._beside(properties)
        for step in (*self._kind.create, *self._kind.delete):
            if step.finds is None:
                self._parameters(step, known)

    def _parameters(self, step: Step, known: Properties) -> list[dict[str, Any]]:
        """What the step's calls are given: none where the properties do not ask for it."""
        try:
            return [parameters_of(self._kind, step, each) for each in step.each(known)] if step.when(known) else []
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise validation(f"{self._kind.name} {self.name}: its properties cannot be read: {error!r}") from error

    def is_replaced_by(self, properties: Properties) -> bool:
        """Whether such a change makes another resource."""
        before = self._properties
        return not self._kind.update or any(properties.get(name) != before.get(name) for name in self._kind.replaced_by)

    def change(self, properties: Properties) -> None:
        self._hold_readable(properties)
        self._take(self._kind.update, {**properties, BEFORE: self._properties})
        self._properties = properties

    def get_cfn_attribute(self, attribute: str) -> Any:
        source = self._kind.attributes.get(attribute)
        if source is None:
            raise validation(
                f"Template error: resource {self.logical_resource_id or self.name} does not support attribute type"
                f" {attribute[:128]} in Fn::GetAtt"
            )
        found = self._beside(self._properties)
        if self._kind.look is not None:
            found[FOUND] = self._found(self._kind.look, found)
        return source(found) if callable(source) else {**self._answer, **found}.get(source)

    def is_created(self) -> bool:
        return True

    def delete(self, *_: str) -> None:
        """What is gone already, by itself or with what it belonged to, is as it should be."""
        self._take(self._kind.delete, self._properties, may_be_gone=True)

    def _take(self, steps: Sequence[Step], properties: Properties, *, may_be_gone: bool = False) -> dict[str, Any]:
        """The steps that the properties ask for, one after the other; the first answer of all."""
        answers: list[dict[str, Any]] = []
        for step in steps:
            known = self._beside(properties)
            if step.finds is not None:
                known[FOUND] = self._found(step.finds, known)
            wanted = self._parameters(step, known)
            answers += [self._asked(step, each, may_be_gone=may_be_gone) for each in wanted]
        return answers[0] if answers else {}

    def _found(self, look: Step, known: Properties) -> dict[str, Any]:
        """The answer of a call that finds something out."""
        (parameters,) = self._parameters(look, known)
        return self._asked(look, parameters)

    def _beside(self, properties: Properties) -> dict[str, Any]:
        return {**properties, **self._known, ID: self.physical_resource_id, ANSWER: self._answer}

    def _asked(self, step: Step, parameters: dict[str, Any], *, may_be_gone: bool = False) -> dict[str, Any]:
        settled = self._call(self._kind.service, step.operation, parameters)
        if may_be_gone and settled.code.startswith(GONE):
            return {}
        if settled.result is None:
            raise validation(f"{self._kind.name} {self.name}: {settled.message} ({settled.code})")
        failures = settled.result.get(step.fails_by)
        if failures:
            raise validation(f"{self._kind.name} {self.name}: {json.dumps(failures, default=str)[:1000]}")
        return settled.result
