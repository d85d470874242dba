"""The simulator's upward socket, at the house's end: one call at a time, and what it causes in the estate meanwhile.

While the simulator waits for the outcome of such a call it serves questions on this socket, because the one it was at
keeps everything else behind it. So as long as a call is out, whoever asks the estate something asks it here: the call
itself, and whatever the call waits for. Calls within calls come back one inside the other.
"""

import logging
import socket
import threading
from collections.abc import Callable
from typing import TypeAlias

from trailstate.estate.frames import Answer, BadFrame, Line, LineClosed, Question, Settled, Upward

log = logging.getLogger(__name__)

Settle: TypeAlias = Callable[[Upward], Settled]


class Upcalls:
    """One end of the socket and the thread that listens there."""

    def __init__(self, end: socket.socket, settle: Settle) -> None:
        self._line: Line[Answer | Upward] = Line(end, Answer | Upward)
        self._settle = settle
        self._talk = threading.RLock()
        self._out = 0
        self._listener = threading.Thread(target=self._listen, name="estate-upcalls", daemon=True)
        self._listener.start()

    def asked(self, question: Question, attachment: int | None) -> tuple[Answer, int | None] | None:
        """The answer to a question put while a call is out; None when none is, and the question was not put."""
        if not self._out:
            return None
        with self._talk:
            if not self._out:
                return None
            self._line.send(question, attachment)
            while True:
                answer, body = self._line.receive()
                if not isinstance(answer, Upward):
                    return answer, body
                self._serve(answer)

    def close(self) -> None:
        """Nothing more is heard; the listener is gone when this returns, or at the end of the call it is at."""
        self._line.hang_up()
        self._listener.join(1.0)
        self._line.close()

    def _listen(self) -> None:
        while True:
            try:
                asked, _ = self._line.receive()
                assert isinstance(asked, Upward), "only a question of this side has an answer"
                self._serve(asked)
            except (LineClosed, BadFrame, OSError):
                return

    def _serve(self, asked: Upward) -> None:
        settled = Settled(None, "InternalFailure", "The call could not be made.", 500)
        self._begin()
        try:
            settled = self._settle(asked)
        except Exception:  # There is no caller above this thread; the simulator must have an answer all the same.
            log.exception("a call out of the simulated estate failed: %s %s", asked.service, asked.operation)
        finally:
            self._end(settled)

    def _begin(self) -> None:
        with self._talk:
            self._out += 1

    def _end(self, settled: Settled) -> None:
        with self._talk:  # whoever is in the middle of a question gets the answer first
            self._out -= 1
            self._line.send(settled)
