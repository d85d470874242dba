"""The form of a stack's resource type: the calls that make, change and unmake it, and where their members come from.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html

A member comes from a property of the template, by its name, or from a function of all properties where the template
says it otherwise than the API does (inline source, maps written as lists). Beside the properties stand what the names
below mean.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Properties: TypeAlias = Mapping[str, Any]
Source: TypeAlias = str | Callable[[Properties], Any]
"""A property's name, or what is made of all of them; None leaves the member out."""

ID = "@id"
"""What identifies the resource; before it is made, the name it is to have."""
NAME = "@name"
ACCOUNT = "@account"
REGION = "@region"
BEFORE = "@before"
"""The properties as they were before the change; none while it is made."""
ANSWER = "@answer"
"""The answer of the first call that made it."""
FOUND = "@found"
"""The answer of the call that a step makes first to find something out."""


def always(_: Properties) -> bool:
    return True


def once(properties: Properties) -> Iterable[Properties]:
    return (properties,)


def given(*names: str) -> Callable[[Properties], bool]:
    """When the template says something of one of these."""
    return lambda properties: any(properties.get(name) for name in names)


def changed(*names: str) -> Callable[[Properties], bool]:
    """When the template says something else of one of these than before."""
    return lambda properties: any(properties.get(name) != before(properties).get(name) for name in names)


def says(name: str, value: bool) -> Callable[[Properties], bool]:
    """When the template gives that truth value; CloudFormation takes it as a word too."""
    return lambda properties: str(properties.get(name)).lower() == str(value).lower()


def constant(value: Any) -> Callable[[Properties], Any]:
    return lambda _: value


def alone(name: str) -> Callable[[Properties], Any]:
    """A list of one, where the operation takes many."""
    return lambda properties: [properties[name]]


def before(properties: Properties) -> Properties:
    found: Properties = properties.get(BEFORE) or {}
    return found


def each_of(name: str) -> Callable[[Properties], Iterable[Properties]]:
    """One call for each entry of a list; the entry's members stand before the template's."""
    return lambda properties: [{**properties, **entry} for entry in properties.get(name) or ()]


def each_found(name: str) -> Callable[[Properties], Iterable[Properties]]:
    """One call for each entry of a list in what was found."""
    return lambda properties: [{**properties, **entry} for entry in properties[FOUND].get(name) or ()]


@dataclass(frozen=True, slots=True)
class Step:
    """One call, or one for each of what `each` gives. A dotted member lies deeper."""

    operation: str
    members: Mapping[str, Source]
    when: Callable[[Properties], bool] = always
    each: Callable[[Properties], Iterable[Properties]] = once
    finds: "Step | None" = None
    """A call made first; its answer stands at FOUND."""
    fails_by: str = ""
    """The member of the answer that tells of failures, in an operation that answers success all the same."""


@dataclass(frozen=True, slots=True)
class StackType:
    """One resource type."""

    name: str
    service: str
    named_by: str
    """The property that names it, empty where none does; changing that makes another resource."""
    create: tuple[Step, ...]
    update: tuple[Step, ...]
    """Empty: it is not changed but made anew."""
    delete: tuple[Step, ...]
    identified_by: Source = ""
    """What identifies it once it is made: a member of the first answer, or what is made of all that is known; empty:
    its name."""
    replaced_by: tuple[str, ...] = ()
    """Further properties whose change makes another resource."""
    further: tuple[str, ...] = ()
    """The properties that functions read."""
    look: Step | None = None
    """What is asked before an attribute is told; its answer stands at FOUND."""
    attributes: Mapping[str, Source] = field(default_factory=dict)
    """What Fn::GetAtt may ask -> a member of the first answer, or what is made of all that is known."""

    def knows(self, name: str) -> bool:
        """Whether any step heeds the property."""
        steps = (*self.create, *self.update, *self.delete)
        read = {each for step in steps for each in step.members.values() if isinstance(each, str)}
        return name in read or name in (*self.further, *self.replaced_by, self.named_by)


# ---- tags ----

Tags: TypeAlias = Mapping[str, str]


def tags_of(properties: Properties) -> Tags:
    """A template's tags, which are a list of Key and Value or, for a few types, a map."""
    found = properties.get("Tags") or {}
    return dict(found) if isinstance(found, Mapping) else {each["Key"]: each["Value"] for each in found}


def tag_map(properties: Properties) -> Any:
    return dict(tags_of(properties)) or None


def tag_list(properties: Properties) -> Any:
    return [{"Key": name, "Value": value} for name, value in tags_of(properties).items()] or None


def _gone(properties: Properties) -> list[str]:
    return [name for name in tags_of(before(properties)) if name not in tags_of(properties)]


def retagged(
    resource: str, source: Source, tags: str = "Tags", keys: str = "TagKeys", told: Source = tag_list
) -> tuple[Step, ...]:
    """The two calls that make a resource's tags those of the changed template: its member and where that comes from,
    the members of tags and keys, and how tags are told."""
    return (
        Step("UntagResource", {resource: source, keys: _gone}, lambda properties: bool(_gone(properties))),
        Step(
            "TagResource",
            {resource: source, tags: told},
            lambda properties: bool(tags_of(properties)) and changed("Tags")(properties),
        ),
    )


def arn(service: str, kind: str) -> Callable[[Properties], str]:
    """The ARN of a resource by its name."""
    return lambda found: f"arn:aws:{service}:{found[REGION]}:{found[ACCOUNT]}:{kind}{found[ID]}"
