"""What a document would do with these parameters, step by step, without doing any of it.

Calls whose inputs depend on an earlier step's answer are shown with the reference in them; a branch that depends on
one may go anywhere, and so everything after it is shown.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trailstate.remediation.action import Action, Done, StepFailed
from trailstate.remediation.document import Automation, Step, substituted_inputs
from trailstate.remediation.substitute import references, substitute

API_ACTIONS = frozenset({"aws:executeAwsApi", "aws:assertAwsResourceProperty", "aws:waitForAwsResourceProperty"})
OWN_INPUTS = frozenset({"Service", "Api", "PropertySelector", "DesiredValues"})


@dataclass(frozen=True, slots=True)
class Planned:
    """One step as it would run."""

    step: str
    action: str
    call: str
    """`service:Operation` and its parameters as JSON; for other actions, what they are given."""


def planned(made: Automation, values: Mapping[str, Any], actions: Mapping[str, Action]) -> Iterator[Planned]:
    """The steps in the order in which they would run."""
    seen: set[str] = set()
    name: str | None = next(iter(made.steps))
    while name is not None and name not in seen:
        seen.add(name)
        step = made.steps[name]
        inputs = _resolved(substituted_inputs(step), values)
        yield Planned(step.name, step.action, _told(step, inputs))
        name = _next(made, step, inputs, actions)


def _resolved(inputs: Any, values: Mapping[str, Any]) -> Any:
    return substitute(inputs, lambda name: values.get(name, f"{{{{ {name} }}}}"))


def _told(step: Step, inputs: Mapping[str, Any]) -> str:
    if step.action in API_ACTIONS:
        parameters = {name: value for name, value in inputs.items() if name not in OWN_INPUTS}
        return f"{inputs['Service']}:{inputs['Api']} {_json(parameters)}"
    if step.action == "aws:executeScript":
        payload = _json(inputs.get("InputPayload", {}))
        return f"the script's {step.inputs.get('Handler')}({payload}); what it calls is known when it runs"
    return _json(inputs)


def _json(value: Any) -> str:
    return json.dumps(value, separators=(", ", ": "))


def _next(made: Automation, step: Step, inputs: Mapping[str, Any], actions: Mapping[str, Action]) -> str | None:
    if step.action == "aws:branch" and not any(references(inputs)):
        try:
            chosen = actions[step.action].function(None, **inputs)
        except StepFailed:
            return None
        if isinstance(chosen, Done) and chosen.next_step:
            return chosen.next_step
    if step.is_end and step.action != "aws:branch":
        return None
    return step.next_step or made.after(step.name)
