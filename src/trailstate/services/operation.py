"""`@operation`: one plain function is one AWS operation, held against AWS's own model when it is imported.

A function is named as botocore names the operation and takes the call, then whatever of the house it needs (found by
the annotated type), then, keyword-only, the members of the operation's input in AWS's spelling:

    @operation("cloudtrail")
    def lookup_events(call: Call, history: History, *, MaxResults: int | None = None) -> dict[str, Any]: ...
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, get_type_hints

from trailstate.stores.staged import StagedShelf
from trailstate.wire import model
from trailstate.wire.call import Call

Function = TypeVar("Function", bound=Callable[..., Any])
Handler = Callable[[Call, StagedShelf], Mapping[str, Any]]


class MisdeclaredOperation(TypeError):
    """The function does not fit AWS's model; raised at import, so it never reaches a user."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A function that answers one AWS operation."""

    service: str
    name: str
    function: Callable[..., Mapping[str, Any]]
    needs: tuple[type, ...]
    """The types of its positional parameters after the call, in order."""
    judges: frozenset[str] = frozenset()
    """Members whose values it refuses itself, because AWS answers them with an exception of the service's own."""
    when: Mapping[str, str] = field(default_factory=dict)
    """Members with the values that make a call ours; any other is the estate's."""


OPERATIONS: dict[tuple[str, str], Operation] = {}
"""Every operation whose module has been imported, by (service, API name)."""


def operation(
    service: str, *, judges: Iterable[str] = (), when: Mapping[str, str] | None = None
) -> Callable[[Function], Function]:
    """Register the decorated function as the operation of that name; MisdeclaredOperation when the model disagrees.

    The gateway has held the parameters against the model before the function runs, but for the values of `judges`.
    An operation that serves several kinds of thing, of which some are ours, names them in `when`.
    """

    def register(function: Function) -> Function:
        entry = replace(declare(service, function, judges), when=dict(when or {}))
        OPERATIONS[service, entry.name] = entry
        return function

    return register


def declare(service: str, function: Callable[..., Any], judges: Iterable[str] = ()) -> Operation:
    """Hold a function against botocore's model of the service."""
    python_name = function.__name__
    by_python_name = {name.lower(): name for name in model.service_model(service).operation_names}
    name = by_python_name.get(python_name.replace("_", ""))
    if name is None:
        raise MisdeclaredOperation(f"'{service}' has no operation '{python_name}' in AWS's model")
    parameters = list(inspect.signature(function).parameters.values())
    hints = get_type_hints(function)
    if not parameters or hints.get(parameters[0].name) is not Call:
        raise MisdeclaredOperation(f"the first parameter of '{python_name}' must be the Call")
    needs = tuple(hints[each.name] for each in parameters[1:] if each.kind is each.POSITIONAL_OR_KEYWORD)
    given = {each.name: each for each in parameters if each.kind is each.KEYWORD_ONLY}
    _hold_against_model(service, name, given)
    if not set(judges) <= set(given):
        raise MisdeclaredOperation(
            f"{service} {name} judges members it does not have: {sorted(set(judges) - set(given))}"
        )
    return Operation(service, name, function, needs, frozenset(judges))


@dataclass(frozen=True, slots=True)
class Bound:
    """An operation ready to run."""

    handle: Handler
    judges: frozenset[str]
    when: Mapping[str, str]

    def answers(self, parameters: Mapping[str, Any]) -> bool:
        """Whether a call with these parameters is ours."""
        return all(parameters.get(name) == value for name, value in self.when.items())


def bind(entry: Operation, provisions: Mapping[type, object]) -> Bound:
    """The operation with its needs filled; LookupError, naming the type, when the house does not offer one."""
    missing = [need.__name__ for need in entry.needs if need is not StagedShelf and need not in provisions]
    if missing:
        raise LookupError(f"{entry.service} {entry.name} needs {', '.join(missing)}, which nobody provides")

    def handle(call: Call, shelf: StagedShelf) -> Mapping[str, Any]:
        needs = (shelf if need is StagedShelf else provisions[need] for need in entry.needs)
        return entry.function(call, *needs, **call.parameters)

    return Bound(handle, entry.judges, entry.when)


def _hold_against_model(service: str, name: str, given: Mapping[str, inspect.Parameter]) -> None:
    shape = model.operation_model(service, name).input_shape
    members = {} if shape is None else dict(shape.members)
    required = set() if shape is None else set(shape.required_members)
    if set(given) != set(members):
        raise MisdeclaredOperation(
            f"{service} {name} takes {sorted(members)} in AWS's model, but the function takes {sorted(given)}"
        )
    optional = {each for each, parameter in given.items() if parameter.default is not parameter.empty}
    if optional & required or (set(given) - optional) - required:
        raise MisdeclaredOperation(f"{service} {name} requires {sorted(required)}; give exactly the others a default")
