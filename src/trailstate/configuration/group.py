"""The recording group and mode of a recorder, as a caller gives them and as they are kept.

Follows the API reference's RecordingGroup, ExclusionByResourceTypes, RecordingStrategy and RecordingMode: three ways to
say which types are recorded, exactly one of which a group uses. What is not said follows from what is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from trailstate.configuration.recorder import CONTINUOUS, EVERYTHING, EXCLUSION, INCLUSION
from trailstate.wire.fault import Fault, faults

fault = faults("config")

Group = dict[str, Any]


def recording_group(given: Mapping[str, Any] | None) -> Group:
    """The whole group; InvalidRecordingGroupException when its parts contradict one another."""
    group = given or {}
    named, excluded = group.get("resourceTypes") or [], _excluded(group)
    strategy = (group.get("recordingStrategy") or {}).get("useOnly") or _implied(group, named, excluded)
    _hold(strategy, group, named, excluded)
    return {
        "allSupported": strategy == EVERYTHING,
        "includeGlobalResourceTypes": bool(group.get("includeGlobalResourceTypes", False)),
        "resourceTypes": list(named),
        "exclusionByResourceTypes": {"resourceTypes": list(excluded)},
        "recordingStrategy": {"useOnly": strategy},
    }


def _excluded(group: Mapping[str, Any]) -> Sequence[str]:
    found: Sequence[str] = (group.get("exclusionByResourceTypes") or {}).get("resourceTypes") or []
    return found


def _implied(group: Mapping[str, Any], named: Sequence[str], excluded: Sequence[str]) -> str:
    if excluded:
        return EXCLUSION
    return INCLUSION if named or group.get("allSupported") is False else EVERYTHING


def _hold(strategy: str, group: Mapping[str, Any], named: Sequence[str], excluded: Sequence[str]) -> None:
    all_supported, with_global = group.get("allSupported"), group.get("includeGlobalResourceTypes")
    if strategy == EVERYTHING and (named or excluded or all_supported is False):
        raise _contradiction("records all supported types, and so can neither name nor exclude types")
    if strategy == INCLUSION and (excluded or all_supported or with_global or not named):
        raise _contradiction("records the types it names: it must name some, and set none of the other options")
    if strategy == EXCLUSION and (named or all_supported or with_global or not excluded):
        raise _contradiction("records all but the types it excludes: it must exclude some, and set no other option")


def _contradiction(text: str) -> Fault:
    made: Fault = fault.InvalidRecordingGroupException(f"The recording group is not valid. A group that {text}.")
    return made


def recording_mode(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The whole mode; ValidationException when two overrides name one type."""
    mode = given or {"recordingFrequency": CONTINUOUS}
    overrides = mode.get("recordingModeOverrides") or []
    named = [each for override in overrides for each in override["resourceTypes"]]
    twice = sorted({each for each in named if named.count(each) > 1})
    if twice:
        raise fault.ValidationException(f"A resource type may stand in one override of the mode; {twice[0]} is in two.")
    whole = {"recordingFrequency": mode["recordingFrequency"]}
    return whole | ({"recordingModeOverrides": list(overrides)} if overrides else {})
