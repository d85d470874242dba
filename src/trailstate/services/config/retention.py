"""For how long the history shows items: thirty days to seven years. What is older stays in the ledger, unseen."""

from collections.abc import Sequence
from typing import Any

from trailstate.configuration.recorder import RETENTION
from trailstate.services.operation import operation
from trailstate.stores.interface import ShelfKey
from trailstate.stores.staged import StagedShelf
from trailstate.wire.call import Call
from trailstate.wire.fault import faults

fault = faults("config")

NAME = "default"
DAYS_MIN, DAYS_MAX = 30, 2557


@operation("config", judges=("RetentionPeriodInDays",))
def put_retention_configuration(call: Call, shelf: StagedShelf, *, RetentionPeriodInDays: int) -> dict[str, Any]:
    """There is one in an account and region, named default."""
    if not DAYS_MIN <= RetentionPeriodInDays <= DAYS_MAX:
        raise fault.InvalidParameterValueException(
            f"The retention period must be {DAYS_MIN} to {DAYS_MAX} days; found {RetentionPeriodInDays}."
        )
    value = {"Name": NAME, "RetentionPeriodInDays": RetentionPeriodInDays}
    shelf.put(_key(call), value)
    return {"RetentionConfiguration": value}


@operation("config")
def describe_retention_configurations(
    call: Call,
    shelf: StagedShelf,
    *,
    RetentionConfigurationNames: Sequence[str] | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """The one there is, if any."""
    if NextToken is not None:
        raise fault.InvalidNextTokenException("The token is not valid: this list has one page.")
    found = shelf.get(_key(call))
    for name in RetentionConfigurationNames or ():
        if found is None or name != NAME:
            raise _unknown(name)
    return {"RetentionConfigurations": [] if found is None else [found]}


@operation("config")
def delete_retention_configuration(
    call: Call, shelf: StagedShelf, *, RetentionConfigurationName: str
) -> dict[str, Any]:
    """Items are shown for seven years again."""
    if RetentionConfigurationName != NAME or shelf.get(_key(call)) is None:
        raise _unknown(RetentionConfigurationName)
    shelf.delete(_key(call))
    return {}


def _unknown(name: str) -> Exception:
    text = f"Cannot find retention configuration with the specified name '{name}'."
    made: Exception = fault.NoSuchRetentionConfigurationException(text)
    return made


def _key(call: Call) -> ShelfKey:
    return ShelfKey(call.account, call.region, RETENTION, NAME)
