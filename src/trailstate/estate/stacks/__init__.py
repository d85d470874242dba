"""CloudFormation's resource types that are the house's own: which operations make, change and unmake each of them."""

from trailstate.estate.stacks.form import (
    ACCOUNT,
    ANSWER,
    BEFORE,
    FOUND,
    ID,
    NAME,
    REGION,
    Properties,
    Source,
    StackType,
    Step,
)
from trailstate.estate.stacks.types import TYPES, ours

__all__ = [
    "ACCOUNT",
    "ANSWER",
    "BEFORE",
    "FOUND",
    "ID",
    "NAME",
    "REGION",
    "TYPES",
    "Properties",
    "Source",
    "StackType",
    "Step",
    "ours",
]
