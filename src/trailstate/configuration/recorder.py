"""Which resources a configuration recorder records, and where recorders stand.

Follows "Recording AWS resources" and the API reference's RecordingGroup, RecordingStrategy and RecordingMode. A shelf
document of kind `config.recorder` is the recorder in the API's spelling, with `recording` and the times of its last
start and stop. What became of describing a type stands beside it, a document `config.recording` for each type.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trailstate.configuration.form import ResourceType
from trailstate.configuration.schema import is_published
from trailstate.stores.interface import ShelfKey, Store

RECORDER = "config.recorder"
RECORDING = "config.recording"
CHANNEL = "config.channel"
RETENTION = "config.retention"

DAILY = "DAILY"
CONTINUOUS = "CONTINUOUS"
INCLUSION = "INCLUSION_BY_RESOURCE_TYPES"
EXCLUSION = "EXCLUSION_BY_RESOURCE_TYPES"
EVERYTHING = "ALL_SUPPORTED_RESOURCE_TYPES"

RETENTION_DAYS_MAX = 2557
"""How long items are kept unless a retention configuration says otherwise: seven years."""

Recorder = Mapping[str, Any]


def records(recorder: Recorder, declared: ResourceType) -> bool:
    """Whether the recorder's group holds the type. What AWS Config does not know is recorded whenever anything is."""
    if not is_published(declared.name):
        return True
    group = recorder["recordingGroup"]
    strategy = group["recordingStrategy"]["useOnly"]
    if strategy == INCLUSION:
        return declared.name in group["resourceTypes"]
    if strategy == EXCLUSION:
        return declared.name not in group["exclusionByResourceTypes"]["resourceTypes"]
    return not declared.is_global or bool(group["includeGlobalResourceTypes"])


def frequency(recorder: Recorder, type_name: str) -> str:
    """How often the type is recorded: CONTINUOUS or DAILY; an override of the type before the recorder's own."""
    mode = recorder.get("recordingMode") or {}
    for override in mode.get("recordingModeOverrides", ()):
        if type_name in override["resourceTypes"]:
            return str(override["recordingFrequency"])
    return str(mode.get("recordingFrequency", CONTINUOUS))


@dataclass(frozen=True, slots=True)
class Home:
    """Where a recorder stands."""

    account: str
    region: str


class Recorders:
    """The recorders of every account, as the store has them now."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def at(self, home: Home) -> Recorder | None:
        """The recorder of an account in a region, running or not."""
        return next((recorder for _, recorder in self._all(home.account, home.region)), None)

    def running(self, account: str | None = None) -> dict[Home, Recorder]:
        """The recorders that are on, of one account or of all."""
        return {home: recorder for home, recorder in self._all(account, None) if recorder["recording"]}

    def _all(self, account: str | None, region: str | None) -> Iterator[tuple[Home, Recorder]]:
        for key, document in self._store.documents(account, region, RECORDER):
            yield Home(key.account, key.region), document.value

    def retention_days(self, home: Home) -> int:
        """For how long items of this account and region are shown."""
        found = next(iter(self._store.documents(home.account, home.region, RETENTION)), None)
        return RETENTION_DAYS_MAX if found is None else int(found[1].value["RetentionPeriodInDays"])


def recording_key(home: Home, type_name: str) -> ShelfKey:
    """Where it is written what became of describing a type."""
    return ShelfKey(home.account, home.region, RECORDING, type_name)
