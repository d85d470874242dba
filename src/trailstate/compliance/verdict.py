"""The four verdicts. A sentence goes with each one that somebody has to act on."""

from dataclasses import dataclass
from typing import Literal

Compliance = Literal["COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE", "INSUFFICIENT_DATA"]

ANNOTATION_CHARACTERS_MAX = 256
"""AWS keeps no longer annotation."""


@dataclass(frozen=True, slots=True)
class Verdict:
    compliance: Compliance
    annotation: str = ""


COMPLIANT = Verdict("COMPLIANT")
NOT_APPLICABLE = Verdict("NOT_APPLICABLE")


def non_compliant(sentence: str) -> Verdict:
    """The resource breaks the rule; the sentence says what was found, in words its owner understands."""
    return Verdict("NON_COMPLIANT", _shortened(sentence))


def insufficient_data(reason: str) -> Verdict:
    """Nothing can be said, because what the rule looks at is not known; never used for what is merely absent."""
    return Verdict("INSUFFICIENT_DATA", _shortened(reason))


def _shortened(sentence: str) -> str:
    return sentence if len(sentence) <= ANNOTATION_CHARACTERS_MAX else sentence[: ANNOTATION_CHARACTERS_MAX - 3] + "..."
