"""Automation documents, schema 0.3: read from YAML or JSON and held against the schema before anything runs.

https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-schemas-features.html
https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-common-properties (properties of steps)
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import re2

from trailstate.remediation.action import Action
from trailstate.remediation.parameters import BadParameter, read, reader
from trailstate.remediation.substitute import references
from trailstate.values.jsonpath import BadPath, compiled
from trailstate.values.yaml_text import BadYaml, read_yaml, short_functions

CONTENT_CHARACTERS_MAX = 65_536
STEPS_MAX = 100
ATTEMPTS_MAX = 10
SCHEMA_VERSION = "0.3"
STEP_NAME = re.compile(r"[A-Za-z0-9_]{1,128}")
OUTPUT_TYPES = ("String", "StringList", "Boolean", "Integer", "StringMap", "MapList")
TOP_LEVEL = {
    "schemaVersion", "description", "assumeRole", "parameters", "variables", "mainSteps", "outputs", "files"
}  # fmt: skip
STEP_LEVEL = {
    "name", "action", "inputs", "description", "maxAttempts", "timeoutSeconds", "onFailure", "onCancel", "isEnd",
    "nextStep", "isCritical", "outputs",
}  # fmt: skip
PREFIXES = ("global:", "automation:", "variable:")
UNSUBSTITUTED = {"aws:executeScript": {"Script"}}
"""Inputs that are programs: a reference inside them is theirs."""


class BadDocument(ValueError):
    """The content is no automation document; the message says where and why."""


class BadSchemaVersion(BadDocument):
    """The content is of another schema than 0.3."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a document."""

    name: str
    action: str
    inputs: Mapping[str, Any]
    max_attempts: int
    timeout_seconds: float
    on_failure: str
    """Abort, Continue, or `step:NAME`."""
    is_end: bool
    next_step: str | None
    is_critical: bool
    outputs: Sequence[Mapping[str, str]] = ()
    on_cancel: str = "Abort"


@dataclass(frozen=True, slots=True)
class Automation:
    """A checked document."""

    description: str
    assume_role: str
    parameters: Mapping[str, Mapping[str, Any]]
    steps: Mapping[str, Step]
    """By name, in the document's order."""
    outputs: Sequence[str] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)

    def after(self, name: str) -> str | None:
        """The step that stands behind the named one."""
        names = list(self.steps)
        place = names.index(name) + 1
        return names[place] if place < len(names) else None


_FUNCTIONS = short_functions(
    *("And", "Base64", "Cidr", "Condition", "Equals", "FindInMap", "GetAZs", "GetAtt", "If", "ImportValue", "Join"),
    *("Not", "Or", "Ref", "Select", "Split", "Sub", "Transform"),
)


def read_content(text: str) -> dict[str, Any]:
    """The document's value from YAML or JSON; BadDocument for what is neither. Templates are documents too, so short
    forms of CloudFormation's functions are known."""
    try:
        content = read_yaml(text, characters_max=CONTENT_CHARACTERS_MAX, tags=_FUNCTIONS)
    except BadYaml as error:
        raise BadDocument(f"the content is neither JSON nor YAML: {error}") from error
    if not isinstance(content, dict):
        raise BadDocument(f"a document is a map of its parts; found {type(content).__name__}")
    return content


def automation(content: Mapping[str, Any], actions: Mapping[str, Action]) -> Automation:
    """The document that the content describes; BadDocument, saying where, if it breaks the schema."""
    version = str(content.get("schemaVersion", ""))
    if version != SCHEMA_VERSION:
        raise BadSchemaVersion(f"an automation document has the schema version '0.3'; found '{version}'")
    _refuse_unknown(content, TOP_LEVEL, "the document")
    parameters = _map(content.get("parameters"), "parameters")
    for name, declaration in parameters.items():
        _check_parameter(name, declaration)
    steps = _steps(content.get("mainSteps"), actions)
    made = Automation(
        str(content.get("description") or ""),
        str(content.get("assumeRole") or ""),
        parameters,
        steps,
        _list(content.get("outputs"), "outputs"),
        _map(content.get("variables"), "variables"),
    )
    _check_references(made)
    return made


def _refuse_unknown(given: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(str(name) for name in given if name not in known)
    if unknown:
        raise BadDocument(f"{where} has unknown properties: {', '.join(unknown)}")


def _map(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadDocument(f"{where} must be a map; found {type(value).__name__}")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadDocument(f"{where} must be a list; found {type(value).__name__}")
    return value


def _check_parameter(name: str, declaration: Any) -> None:
    where = f"the parameter '{name}'"
    if not isinstance(declaration, dict) or reader(str(declaration.get("type"))) is None:
        raise BadDocument(f"{where} must declare one of the types String, StringList, Boolean, Integer, MapList, …")
    try:
        if "allowedPattern" in declaration:
            re2.compile(str(declaration["allowedPattern"]))
        if declaration.get("default", "") != "":
            read(name, declaration, declaration["default"])
    except (re2.error, BadParameter) as error:
        raise BadDocument(f"{where} cannot have its default or pattern: {error}") from error


def _steps(given: Any, actions: Mapping[str, Action]) -> dict[str, Step]:
    listed = _list(given, "mainSteps")
    if not 1 <= len(listed) <= STEPS_MAX:
        raise BadDocument(f"a document has 1 to {STEPS_MAX} steps; found {len(listed)}")
    steps: dict[str, Step] = {}
    for each in listed:
        made = _step(_map(each, "a step"), actions)
        if made.name in steps:
            raise BadDocument(f"two steps are named '{made.name}'")
        steps[made.name] = made
    for made in steps.values():
        for target in _targets(made):
            if target not in steps:
                raise BadDocument(f"the step '{made.name}' leads to '{target}', and there is no such step")
    return steps


def _step(given: Mapping[str, Any], actions: Mapping[str, Action]) -> Step:
    name = str(given.get("name") or "")
    if STEP_NAME.fullmatch(name) is None:
        raise BadDocument(f"a step's name has letters, digits and '_'; found '{name}'")
    where = f"the step '{name}'"
    _refuse_unknown(given, STEP_LEVEL, where)
    known = actions.get(str(given.get("action")))
    if known is None:
        raise BadDocument(f"{where} has the action '{given.get('action')}', which is not supported by Trailstate yet")
    inputs = _map(given.get("inputs"), f"inputs of {where}")
    _check_inputs(inputs, known, where)
    on_failure = str(given.get("onFailure") or "Abort")
    return Step(
        name,
        known.name,
        inputs,
        _count(given.get("maxAttempts", 1), ATTEMPTS_MAX, f"maxAttempts of {where}"),
        _count(given.get("timeoutSeconds", int(known.timeout_seconds)), 604_800 * 5, f"timeoutSeconds of {where}"),
        _on_failure(on_failure, where),
        _flag(given.get("isEnd", False), f"isEnd of {where}"),
        None if given.get("nextStep") is None else str(given["nextStep"]),
        _flag(given.get("isCritical", on_failure != "Continue"), f"isCritical of {where}"),
        [_output(each, where) for each in _list(given.get("outputs"), f"outputs of {where}")],
        str(given.get("onCancel") or "Abort"),
    )


def _check_inputs(inputs: Mapping[str, Any], known: Action, where: str) -> None:
    missing = sorted(known.required - set(inputs))
    if missing:
        raise BadDocument(f"{where} lacks the inputs that {known.name} requires: {', '.join(missing)}")
    if not known.takes_any:
        _refuse_unknown(inputs, set(known.required | known.optional), f"inputs of {where}")


def _on_failure(value: str, where: str) -> str:
    if value in {"Abort", "Continue"} or value.startswith("step:"):
        return value
    raise BadDocument(f"onFailure of {where} is Abort, Continue or step:NAME; found '{value}'")


def _count(value: Any, most: int, where: str) -> int:
    try:
        count = int(value)
    except (TypeError, ValueError):
        count = 0
    if not 1 <= count <= most:
        raise BadDocument(f"{where} is a whole number from 1 to {most}; found {value!r}")
    return count


def _flag(value: Any, where: str) -> bool:
    if str(value).lower() not in {"true", "false"}:
        raise BadDocument(f"{where} is true or false; found {value!r}")
    return str(value).lower() == "true"


def _output(given: Any, where: str) -> Mapping[str, str]:
    output = _map(given, f"an output of {where}")
    name, type_name = str(output.get("Name") or ""), str(output.get("Type") or "String")
    if not name or type_name not in OUTPUT_TYPES:
        raise BadDocument(f"an output of {where} has a Name and one of the types {', '.join(OUTPUT_TYPES)}")
    try:
        compiled(str(output.get("Selector") or "$"))
    except BadPath as error:
        raise BadDocument(f"the output '{name}' of {where} has no valid Selector: {error}") from error
    return {"Name": name, "Selector": str(output.get("Selector") or "$"), "Type": type_name}


def _targets(step: Step) -> list[str]:
    targets = [step.next_step] if step.next_step else []
    targets += [way.removeprefix("step:") for way in (step.on_failure, step.on_cancel) if way.startswith("step:")]
    if step.action == "aws:branch":
        choices = _list(step.inputs.get("Choices"), f"Choices of the step '{step.name}'")
        targets += [str(_map(choice, "a choice").get("NextStep")) for choice in choices]
        targets += [str(step.inputs["Default"])] if step.inputs.get("Default") else []
    return targets


def substituted_inputs(step: Step) -> dict[str, Any]:
    """The inputs in which references are replaced."""
    kept = UNSUBSTITUTED.get(step.action, set())
    return {name: value for name, value in step.inputs.items() if name not in kept}


def _check_references(made: Automation) -> None:
    texts: list[Any] = [substituted_inputs(step) for step in made.steps.values()]
    for name in references([made.assume_role, *texts]):
        head = name.partition(".")[0]
        if head not in made.parameters and head not in made.steps and not name.startswith(PREFIXES):
            raise BadDocument(f"'{{{{ {name} }}}}' refers to no parameter and no step of the document")
