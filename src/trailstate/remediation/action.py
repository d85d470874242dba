"""`@action`: one plain function is one action of automation documents; its signature is the schema of its inputs.

A function takes the step's run and, keyword-only, the inputs in AWS's spelling, with `{{ }}` already replaced. It
answers with its outputs, or with how long to wait before it is called again, or raises StepFailed:

    @action("aws:sleep")
    def sleep(step: StepRun, *, Duration: str | None = None, Timestamp: str | None = None) -> Outcome: ...

https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-actions.html
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from trailstate.stores.interface import ShelfChange

DEFAULT_TIMEOUT_SECONDS = 3600


class StepFailed(Exception):
    """The step did not reach its goal; `kind` is what AWS calls the type of the failure."""

    def __init__(self, message: str, kind: str = "Unknown", outputs: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.outputs = outputs or {}
        """What there is to show all the same, e.g. what a script printed."""


@dataclass(frozen=True, slots=True)
class Done:
    """The step succeeded. `next_step` overrides what the document says comes next (a branch); `source` is what the
    document's selectors read, the outputs themselves unless it is given."""

    outputs: Mapping[str, Any] = field(default_factory=dict)
    next_step: str | None = None
    source: Any = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """The step is to be called again after so many seconds, or as soon as a signal or a child's end wakes it.

    `memory` is kept durably and given to the next call; `changes` commit with it.
    """

    seconds: float
    memory: Mapping[str, Any]
    status: str = "InProgress"
    changes: Sequence[ShelfChange] = ()


Outcome = Done | Waiting


@dataclass(frozen=True, slots=True)
class Script:
    """A program for the sandbox: one Python text and the function in it."""

    text: str
    handler: str
    payload: Any
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class ScriptResult:
    """What the handler returned, and what the program printed."""

    value: Any
    log: str


class Hands(Protocol):
    """What a step may do: call AWS as the execution's role, and run a program under it."""

    def call(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """The operation's output; raises `wire.fault.Fault`."""

    def run(self, script: Script) -> ScriptResult:
        """Raises StepFailed with what the program said."""


@dataclass(frozen=True, slots=True)
class StepRun:
    """One call of an action: where, when, what it remembered when it last waited, and its hands."""

    account: str
    region: str
    execution: str
    key: str
    """Names this attempt of this step for ever; equal on a repetition after a crash."""
    now: datetime
    started: datetime
    timeout_seconds: float
    memory: Mapping[str, Any]
    signals: Sequence[Mapping[str, Any]]
    """What SendAutomationSignal told this step, oldest first."""
    hands: Hands
    ended: Callable[[str], Mapping[str, Any] | None]
    """Another execution of this account and region, by id, once it is over; None before."""

    @property
    def deadline(self) -> datetime:
        return self.started + timedelta(seconds=self.timeout_seconds)

    @property
    def seconds_left(self) -> float:
        return (self.deadline - self.now).total_seconds()


Function = Callable[..., Outcome]


@dataclass(frozen=True, slots=True)
class Action:
    """A registered action and what its signature says of its inputs."""

    name: str
    function: Function
    required: frozenset[str]
    optional: frozenset[str]
    takes_any: bool
    """Whether further inputs are its own business (the parameters of an API)."""
    timeout_seconds: float
    outputs: frozenset[str]
    """The outputs it always has, besides those that a document selects."""


ACTIONS: dict[str, Action] = {}
"""Every action whose module has been imported, by its name."""


def action(
    name: str, *, outputs: Sequence[str] = (), timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
) -> Callable[[Function], Function]:
    """Register the decorated function as the action of that name."""

    def register(function: Function) -> Function:
        parameters = list(inspect.signature(function).parameters.values())[1:]
        named = [each for each in parameters if each.kind is each.KEYWORD_ONLY]
        ACTIONS[name] = Action(
            name,
            function,
            frozenset(each.name for each in named if each.default is each.empty),
            frozenset(each.name for each in named if each.default is not each.empty),
            any(each.kind is each.VAR_KEYWORD for each in parameters),
            timeout_seconds,
            frozenset(outputs),
        )
        return function

    return register
