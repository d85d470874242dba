"""What an incident is: a question, something that happens, and the API calls that answer it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trailstate.incidents.stage import Stage

Planted = Mapping[str, str]
"""What `play` did, by name: ids, names and who did it. `ask` compares the answer with it."""


TIME = "time (UTC)"


def brief_time(text: str) -> str:
    """A record's time as a row shows it: without the year, so that a table fits a terminal of 80 columns."""
    return text[5:19].replace("T", " ")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said, ready to show."""

    command: str
    """The same question for the stock `aws` command, to copy."""
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    sentence: str
    is_right: bool
    """Whether it names exactly what the incident planted."""


@dataclass(frozen=True, slots=True)
class Incident:
    """A scene: play it on a stage, then ask."""

    name: str
    question: str
    services: str
    """The AWS services and operations that answer it."""
    story: str
    """What happens, in one sentence."""
    play: Callable[["Stage"], Planted]
    ask: Callable[["Stage", Planted], Answer]
    is_of_exam: bool = False
    """Whether it is one of the seven questions that AWS's own security exams ask, which the demo answers."""
