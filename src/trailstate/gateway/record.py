"""Nothing is answered before it is recorded: an intent before the effect, the record before the answer; or refusal."""

import contextlib
import itertools
import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trailstate.estate.effects import has_effect
from trailstate.stores.interface import Append, Commit, Store, StoreUnavailable, VersionConflict
from trailstate.trail import journal, record
from trailstate.trail.category import classify, is_silent
from trailstate.wire.call import Call, Outcome

log = logging.getLogger(__name__)


class AuditRefused(Exception):
    """The call's record could not be made durable and the settings say that such a call is refused."""


NOTHING = Commit()
Selects = Callable[[Call], bool]
Further = Callable[[Call], Sequence[Mapping[str, Any]]]


@dataclass(slots=True)
class Begun:
    """A call on its way to the estate: what is written of its record, and whether an intent is to be settled by it."""

    call: Call
    draft: record.Draft | None = None
    is_decided: bool = False
    """Whether somebody has looked if it is kept; that may mean to ask the selectors of every trail."""
    intends: bool = False


def selects_none(_: Call) -> bool:
    """Nobody asks for data events."""
    return False


def nothing_further(_: Call) -> Sequence[Mapping[str, Any]]:
    """A call has its own record and no other."""
    return ()


class Recorder:
    """Writes calls into the journal. Safe from any thread.

    `data_events` is `all` (every data event is kept), `selected` (those that `selects` asks for) or `none`;
    `on_audit_failure` is `refuse` or `count`. `further` gives the records that a call has beside its own.
    """

    def __init__(
        self,
        store: Store,
        *,
        data_events: str,
        on_audit_failure: str,
        selects: Selects = selects_none,
        further: Further = nothing_further,
    ) -> None:
        self._store = store
        fixed: dict[str, Selects] = {"all": lambda _: True, "none": selects_none}
        self._selects = fixed.get(data_events, selects)
        self._further = further
        self._refuses = on_audit_failure == "refuse"
        self._owing = threading.Lock()
        self._owed: list[Append] = []
        self._unkept = itertools.count()
        self._unrecorded = itertools.count()
        self.data_events_not_kept = 0
        self.calls_not_recorded = 0

    def keeps(self, call: Call) -> bool:
        """Whether the call belongs in the journal: management events always, but for work that AWS's services do
        unseen; data events while somebody wants them."""
        if is_silent(call):
            return False
        return classify(call.service, call.operation).category == "Management" or self._selects(call)

    def begin(self, call: Call) -> Begun:
        """Before the estate is asked. The intent of a call that takes effect there is kept when this returns.

        AuditRefused when it cannot be: then nothing may be done either.
        """
        begun = Begun(call)
        if not has_effect(call.service, call.operation):
            return begun
        self.draft(begun)
        if begun.draft is not None:
            try:
                self._commit(Commit(intents=[journal.intent(begun.draft)]))
                begun.intends = True
            except StoreUnavailable as error:
                self._failed(call, error)
        return begun

    def draft(self, begun: Begun) -> None:
        """Write what of the call's record needs no outcome; there is time for it while the estate is at the call."""
        if not begun.is_decided:
            begun.is_decided = True
            begun.draft = record.draft(begun.call) if self.keeps(begun.call) else None

    def keep(self, call: Call, outcome: Outcome, *, begun: Begun | None = None, staged: Commit = NOTHING) -> None:
        """Append the call's record and commit it with what the call staged; durable when this returns.

        AuditRefused when it cannot be kept, or when what was staged cannot, whatever the settings say of records;
        VersionConflict when a changed document was changed by another call.
        """
        begun = begun or Begun(call)
        lines = self._lines(begun, outcome)
        if not lines and staged == NOTHING:
            return
        settled = [call.event_id] if begun.intends else []
        try:
            if staged is NOTHING:
                self._commit(Commit(appends=lines, settled=settled))
            else:
                self._commit(replace(staged, appends=[*lines, *staged.appends], settled=settled))
        except StoreUnavailable as error:
            self._failed(call, error)
            if staged != NOTHING:
                raise AuditRefused(str(error)) from error

    def lost(self, begun: Begun) -> None:
        """Whatever went wrong after an intent was kept, it becomes a record that says so."""
        if begun.draft is None or not begun.intends:
            return
        left = journal.intent(begun.draft)
        lines = [journal.line(each) for each in journal.unanswered(left, journal.Fate.UNKNOWN)]
        with contextlib.suppress(StoreUnavailable):
            self._commit(Commit(appends=lines, settled=[left.id]))

    def owe(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Records of the house itself that nobody waits for: kept at once, or before the next call's if that fails."""
        with self._owing:
            self._owed += [journal.line(each) for each in records]
        with contextlib.suppress(StoreUnavailable):
            self._commit(Commit())

    def _commit(self, commit: Commit) -> None:
        """Commit, with what is owed in front."""
        with self._owing:
            owed, self._owed = self._owed, []
        try:
            self._store.commit(replace(commit, appends=[*owed, *commit.appends]) if owed else commit)
        except (StoreUnavailable, VersionConflict):
            with self._owing:
                self._owed = owed + self._owed
            raise

    def _lines(self, begun: Begun, outcome: Outcome) -> list[Append]:
        """What the journal gets of a call: its own record, unless it is a data event nobody wants, which is counted.
        It is what was decided first, whatever was changed about trails since."""
        call = begun.call
        further = [] if is_silent(call) else [journal.line(each) for each in self._further(call)]
        self.draft(begun)
        if begun.draft is not None:
            return [*(journal.line(each) for each in record.build_all(begun.draft, outcome)), *further]
        self.data_events_not_kept = next(self._unkept) + 1
        return further

    def _failed(self, call: Call, error: StoreUnavailable) -> None:
        self.calls_not_recorded = next(self._unrecorded) + 1
        log.error("the journal could not keep %s %s (%s): %s", call.service, call.operation, call.event_id, error)
        if self._refuses:
            raise AuditRefused(str(error)) from error
