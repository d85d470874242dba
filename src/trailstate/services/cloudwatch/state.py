"""DeleteAlarms, SetAlarmState and the switch of alarms' actions."""

from collections.abc import Sequence
from typing import Any

import msgspec

from trailstate.services.cloudwatch.alarm import note
from trailstate.services.cloudwatch.data import fault
from trailstate.services.operation import operation
from trailstate.stores.staged import StagedShelf
from trailstate.watch import change
from trailstate.watch.alarm import ALARM, INSUFFICIENT, OK
from trailstate.watch.composite import read_rule
from trailstate.wire.call import Call


@operation("cloudwatch")
def delete_alarms(call: Call, shelf: StagedShelf, *, AlarmNames: Sequence[str]) -> dict[str, Any]:
    """All of them or, when one is not there or a composite alarm needs it, none. Their history stays."""
    found = [existing(call, shelf, name) for name in AlarmNames]
    for _, value in shelf.documents(call.account, call.region, change.ALARMS):
        if value["Type"] == change.COMPOSITE_ALARM and value["AlarmName"] not in AlarmNames:
            needed = set(read_rule(value["AlarmRule"])[1]) & set(AlarmNames)
            if needed:
                raise fault.ValidationException(
                    f"The alarm {min(needed)} cannot be deleted: the composite alarm {value['AlarmName']} looks at it."
                )
    for document in found:
        note(
            call,
            shelf,
            document,
            "ConfigurationUpdate",
            f'Alarm "{document["AlarmName"]}" deleted',
            {"version": "1.0", "type": "Delete"},
        )
        shelf.delete(change.alarm_key(call.account, call.region, document["AlarmName"]))
    return {}


def existing(call: Call, shelf: StagedShelf, name: str) -> dict[str, Any]:
    """The alarm's document; ResourceNotFound when there is none."""
    found = shelf.get(change.alarm_key(call.account, call.region, name))
    if found is None:
        raise fault.ResourceNotFound(f"Alarm {name} does not exist.")
    return found


@operation("cloudwatch")
def set_alarm_state(
    call: Call,
    shelf: StagedShelf,
    *,
    AlarmName: str,
    StateValue: str,
    StateReason: str,
    StateReasonData: str | None = None,
) -> dict[str, Any]:
    """Put the alarm into a state until it is evaluated next; what follows from the state follows."""
    assert StateValue in (OK, ALARM, INSUFFICIENT), "the model allows no other"
    before = existing(call, shelf, AlarmName)
    if StateReasonData is not None:
        _hold_json(StateReasonData)
    after, item = change.moved(before, StateValue, StateReason, None, call.now)
    if StateReasonData is not None:
        after["StateReasonData"] = StateReasonData
    shelf.put(change.alarm_key(call.account, call.region, AlarmName), after)
    if before["StateValue"] == StateValue:
        return {}
    key = change.history_key(call.account, call.region, AlarmName)
    shelf.put(key, change.with_history(shelf.get(key), item))
    for row in change.rows(before, after, call.account, call.region):
        shelf.send(row)
    return {}


def _hold_json(text: str) -> None:
    try:
        msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise fault.InvalidFormatFault("StateReasonData is not JSON.") from None


@operation("cloudwatch")
def enable_alarm_actions(call: Call, shelf: StagedShelf, *, AlarmNames: Sequence[str]) -> dict[str, Any]:
    """From now on the alarms' changes of state have their actions; what changed meanwhile is not made up for."""
    return _switch(call, shelf, AlarmNames, enabled=True)


@operation("cloudwatch")
def disable_alarm_actions(call: Call, shelf: StagedShelf, *, AlarmNames: Sequence[str]) -> dict[str, Any]:
    """The alarms go on being judged, and nobody is told."""
    return _switch(call, shelf, AlarmNames, enabled=False)


def _switch(call: Call, shelf: StagedShelf, names: Sequence[str], *, enabled: bool) -> dict[str, Any]:
    """Names of no alarm are passed over."""
    for name in names:
        key = change.alarm_key(call.account, call.region, name)
        document = shelf.get(key)
        if document is not None:
            shelf.put(key, document | {"ActionsEnabled": enabled})
    return {}
