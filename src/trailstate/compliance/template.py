"""The template of a conformance pack: parameters, conditions and resources, resolved to plain rules.

Follows "Custom Conformance Pack Templates" in the AWS Config developer guide and the intrinsic functions of
CloudFormation that such templates may use: Ref, If, Not, Equals, And, Or, and the pseudo parameter AWS::NoValue.
Whatever else a template asks for is refused by name: half a pack would look like a whole one.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import re2

from trailstate.values.yaml_text import BadYaml, read_yaml, short_functions

BODY_BYTES_MAX = 51_200
"""Of a template in the request itself; one from S3 or Systems Manager may be larger."""
TEMPLATE_BYTES_MAX = 300_000
RULES_MAX = 130
NESTING_MAX = 32

RULE = "AWS::Config::ConfigRule"
REMEDIATION = "AWS::Config::RemediationConfiguration"
SECTIONS = frozenset({"AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Conditions", "Resources"})
NO_VALUE = "AWS::NoValue"

_ABSENT: Any = object()
_SHORT = short_functions("Ref", "If", "Not", "Equals", "And", "Or")


class BadTemplate(ValueError):
    """The template is not one that can be deployed; the sentence says what was found."""


@dataclass(frozen=True, slots=True)
class PackRule:
    """One rule of a pack, in the spelling of PutConfigRule; `logical` is its name in the template."""

    logical: str
    rule: Mapping[str, Any]
    controls: Sequence[str] = ()
    """The framework's controls that the template says it serves."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template with its parameters filled in."""

    rules: Sequence[PackRule]
    remediations: Sequence[Mapping[str, Any]] = ()
    """In the spelling of PutRemediationConfigurations; each names its rule as the template does."""
    parameters: Mapping[str, str] = field(default_factory=dict)


def read_template(text: str, given: Mapping[str, str], *, bytes_max: int = TEMPLATE_BYTES_MAX) -> Template:
    """The pack that the text describes with these parameters. Raises BadTemplate."""
    size = len(text.encode())
    if size > bytes_max:
        raise BadTemplate(f"The template has {size} bytes; at most {bytes_max} are allowed.")
    document = _document(text)
    parameters = _parameters(document.get("Parameters") or {}, given)
    scope = _Scope(parameters, document.get("Conditions") or {})
    scope.hold_conditions()
    rules, remediations = [], []
    declared = 0
    for logical, resource in _section(document, "Resources").items():
        kind, properties = _resource(logical, resource, scope)
        declared += kind == RULE
        if properties is None:
            continue
        if kind == RULE:
            rules.append(_rule(logical, resource, properties))
        else:
            remediations.append(_remediation(logical, properties))
    if not declared:
        raise BadTemplate("The template has no rule: a conformance pack needs at least one AWS::Config::ConfigRule.")
    if len(rules) > RULES_MAX:
        raise BadTemplate(f"The template has {len(rules)} rules; a conformance pack may have {RULES_MAX}.")
    return Template(rules, remediations, parameters)


def _document(text: str) -> dict[str, Any]:
    try:
        document = read_yaml(text, characters_max=TEMPLATE_BYTES_MAX, tags=_SHORT)
    except BadYaml as error:
        raise BadTemplate(f"The template cannot be read: {error}.") from error
    if not isinstance(document, dict):
        raise BadTemplate("The template must be a mapping with the key 'Resources'.")
    unknown = [str(each) for each in document if each not in SECTIONS]
    if unknown:
        raise BadTemplate(f"The template's section '{unknown[0]}' is not supported in a conformance pack.")
    return document


def _section(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = document.get(name)
    if not isinstance(section, dict) or not section:
        raise BadTemplate(f"The template must have a section '{name}' with at least one entry.")
    return section


# ---- parameters ----


def _parameters(declared: Any, given: Mapping[str, str]) -> dict[str, str]:
    if not isinstance(declared, dict):
        raise BadTemplate("The template's section 'Parameters' must be a mapping.")
    unknown = [name for name in given if name not in declared]
    if unknown:
        raise BadTemplate(f"The input parameter '{unknown[0]}' is not in the template.")
    return {name: _parameter(name, each, given.get(name)) for name, each in declared.items()}


def _parameter(name: str, declared: Any, given: str | None) -> str:
    if not isinstance(declared, dict) or declared.get("Type") not in ("String", "Number", "CommaDelimitedList"):
        raise BadTemplate(f"The parameter '{name}' must have the Type String, Number or CommaDelimitedList.")
    value = declared.get("Default") if given is None else given
    if value is None:
        raise BadTemplate(f"The parameter '{name}' has no default, so it must be given.")
    text = _text(value)
    allowed = [_text(each) for each in _listed(declared.get("AllowedValues"))]
    if allowed and text not in allowed:
        raise BadTemplate(f"The parameter '{name}' must be one of {', '.join(allowed)}; got '{text}'.")
    pattern = declared.get("AllowedPattern")
    if pattern is not None and not _matches(name, str(pattern), text):
        raise BadTemplate(f"The parameter '{name}' must match {pattern}; got '{text}'.")
    return text


def _matches(name: str, pattern: str, text: str) -> bool:
    try:
        return bool(re2.fullmatch(pattern, text))
    except re2.error:
        raise BadTemplate(f"The AllowedPattern of the parameter '{name}' cannot be read: {pattern}") from None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# ---- conditions and functions ----


class _Scope:
    """What names mean in one template, and what its functions yield."""

    def __init__(self, parameters: Mapping[str, str], conditions: Any) -> None:
        if not isinstance(conditions, dict):
            raise BadTemplate("The template's section 'Conditions' must be a mapping.")
        self._parameters = parameters
        self._conditions = conditions
        self._asked: list[str] = []
        self._decided: dict[str, bool] = {}

    def hold_conditions(self) -> None:
        """Each of them can be decided."""
        for name in self._conditions:
            self.condition(name)

    def condition(self, name: Any) -> bool:
        """Whether the condition of that name holds; each is decided once."""
        if not isinstance(name, str) or name not in self._conditions:
            raise BadTemplate(f"The condition '{name}' is not in the template.")
        if name in self._asked:
            raise BadTemplate(f"The condition '{name}' depends on itself.")
        if name not in self._decided:
            self._asked.append(name)
            self._decided[name] = self._holds(self._conditions[name])
            self._asked.pop()
        return self._decided[name]

    def _holds(self, term: Any) -> bool:
        if not isinstance(term, dict) or len(term) != 1:
            raise BadTemplate("A condition must be one of Fn::Equals, Fn::Not, Fn::And, Fn::Or and Condition.")
        (name, given), *_ = term.items()
        if name == "Condition":
            return self.condition(given)
        if not isinstance(name, str) or name not in _CONDITIONS or not isinstance(given, list):
            raise BadTemplate(f"'{name}' is not a function that a condition of a conformance pack can use.")
        return _CONDITIONS[name](self, given)

    def equals(self, given: list[Any]) -> bool:
        if len(given) != 2:
            raise BadTemplate(f"Fn::Equals compares two values; got {len(given)}.")
        first, second = (self.resolve(each) for each in given)
        return _text(first) == _text(second)

    def negated(self, given: list[Any]) -> bool:
        if len(given) != 1:
            raise BadTemplate(f"Fn::Not takes one condition; got {len(given)}.")
        return not self._holds(given[0])

    def every(self, given: list[Any]) -> bool:
        found = [self._holds(each) for each in given]  # each is held to be a condition, whatever the others say
        return all(found)

    def some(self, given: list[Any]) -> bool:
        found = [self._holds(each) for each in given]
        return any(found)

    def resolve(self, value: Any, depth: int = 0) -> Any:
        """The value with every function worked out; what is AWS::NoValue is left out of its mapping or list."""
        if depth > NESTING_MAX:
            raise BadTemplate(f"The template is nested deeper than {NESTING_MAX}.")
        if isinstance(value, list):
            items = (self.resolve(each, depth + 1) for each in value)
            return [each for each in items if each is not _ABSENT]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (name, given), *_ = value.items()
            if name == "Ref":
                return self._ref(given)
            if name == "Fn::If":
                return self._if(given, depth)
            if isinstance(name, str) and name.startswith("Fn::"):
                raise BadTemplate(f"'{name}' is not a function that a conformance pack can use.")
        members = {name: self.resolve(each, depth + 1) for name, each in value.items()}
        return {name: each for name, each in members.items() if each is not _ABSENT}

    def _ref(self, name: Any) -> Any:
        if name == NO_VALUE:
            return _ABSENT
        if not isinstance(name, str) or name not in self._parameters:
            raise BadTemplate(f"The template refers to '{name}', which is no parameter of it.")
        return self._parameters[name]

    def _if(self, given: Any, depth: int) -> Any:
        if not isinstance(given, list) or len(given) != 3:
            raise BadTemplate("Fn::If takes a condition and two values.")
        name, first, second = given
        return self.resolve(first if self.condition(name) else second, depth + 1)


_CONDITIONS: Mapping[str, Callable[[_Scope, list[Any]], bool]] = {
    "Fn::Equals": _Scope.equals,
    "Fn::Not": _Scope.negated,
    "Fn::And": _Scope.every,
    "Fn::Or": _Scope.some,
}


# ---- resources ----


def _resource(logical: str, resource: Any, scope: _Scope) -> tuple[str, Mapping[str, Any] | None]:
    """Type and properties of a resource; None for properties when its condition leaves it out."""
    if not isinstance(resource, dict) or not isinstance(resource.get("Properties"), dict):
        raise BadTemplate(f"The resource '{logical}' must have a Type and Properties.")
    kind = resource.get("Type")
    if kind not in (RULE, REMEDIATION):
        raise BadTemplate(f"The resource '{logical}' has the type '{kind}'; a pack may hold {RULE} and {REMEDIATION}.")
    if "Condition" in resource and not scope.condition(resource["Condition"]):
        return kind, None
    properties = scope.resolve(resource["Properties"])
    if not isinstance(properties, dict):
        raise BadTemplate(f"The Properties of the resource '{logical}' must be a mapping.")
    return kind, properties


_RULE_MEMBERS = frozenset(
    {"ConfigRuleName", "Description", "InputParameters", "MaximumExecutionFrequency", "Scope", "Source"}
    | {"EvaluationModes", "Compliance"}
)
_NAME = re.compile(r"[A-Za-z0-9_-]+")


def _rule(logical: str, resource: Mapping[str, Any], properties: Mapping[str, Any]) -> PackRule:
    unknown = [name for name in properties if name not in _RULE_MEMBERS]
    if unknown:
        raise BadTemplate(f"The rule '{logical}' has the unknown property '{unknown[0]}'.")
    if not isinstance(properties.get("Source"), dict) or "Owner" not in properties["Source"]:
        raise BadTemplate(f"The rule '{logical}' must have a Source with an Owner.")
    name = str(properties.get("ConfigRuleName") or logical)
    if not _NAME.fullmatch(name):
        raise BadTemplate(f"The rule '{logical}' has the name '{name}'; use letters, digits, '-' and '_'.")
    rule: dict[str, Any] = {
        key: each for key, each in properties.items() if key not in ("InputParameters", "Compliance")
    }
    rule["ConfigRuleName"] = name
    given = properties.get("InputParameters")
    if isinstance(given, dict) and given:
        rule["InputParameters"] = msgspec.json.encode({key: _text(each) for key, each in given.items()}).decode()
    elif isinstance(given, str) and given:
        rule["InputParameters"] = given
    return PackRule(logical, rule, tuple(map(_text, _listed(resource.get("Controls")))))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _remediation(logical: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    if not all(isinstance(properties.get(name), str) for name in ("ConfigRuleName", "TargetId")):
        raise BadTemplate(f"The remediation '{logical}' must have a ConfigRuleName and a TargetId.")
    return properties
