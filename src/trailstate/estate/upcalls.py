"""The simulator's upward socket, at the house's end: one call at a time, and what it causes in the estate meanwhile.

While the simulator waits for the outcome of such a call it serves questions on this socket, because the one it was at
keeps everything else behind it. So as long as a call is out, whoever asks the estate something asks it here: the call
itself, and whatever the call waits for. A question has its answer before the next is put; a call that comes instead of
the answer is served first. Calls within calls end in the reverse order of their beginning.
"""

import logging
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

from trailstate.estate.frames import Answer, BadFrame, Line, LineClosed, Question, Settled, Upward

log = logging.getLogger(__name__)

Settle: TypeAlias = Callable[[Upward], Settled]

DEPTH_MAX = 8
CLOSE_SECONDS = 1.0


class Upcalls:
    """One end of the socket and the threads behind it."""

    def __init__(self, end: socket.socket, settle: Settle) -> None:
        self._line: Line[Answer | Upward] = Line(end, Answer | Upward)
        self._settle = settle
        self._talk = threading.Condition(threading.Lock())
        """Whoever holds it may speak; nobody does while only calls are out."""
        self._out = 0
        self._pool = ThreadPoolExecutor(DEPTH_MAX, thread_name_prefix="estate-upcall")
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
        self._pool.shutdown(wait=False)
        self._listener.join(CLOSE_SECONDS)
        self._line.close()

    def _listen(self) -> None:
        while True:
            try:
                asked, _ = self._line.receive()
                assert isinstance(asked, Upward), "only a question of this side has an answer"
                with self._talk:
                    self._serve(asked)
            except (LineClosed, BadFrame, OSError):
                return

    def _serve(self, asked: Upward) -> None:
        """Let the call be made, with the line free meanwhile, and tell what came of it."""
        self._out += 1
        depth = self._out
        self._talk.release()
        try:
            settled = self._outcome(asked, depth)
        finally:
            self._talk.acquire()
        self._talk.wait_for(lambda: self._out == depth)
        self._out -= 1
        self._talk.notify_all()
        self._line.send(settled)

    def _outcome(self, asked: Upward, depth: int) -> Settled:
        if depth > DEPTH_MAX:
            return Settled(None, "LimitExceededException", f"Stacks within stacks go {DEPTH_MAX} deep at most.", 400)
        made = self._pool.submit(self._settle, asked)
        error = made.exception()
        if error is None:
            return made.result()
        log.error("a call out of the estate failed: %s %s", asked.service, asked.operation, exc_info=error)
        return Settled(None, "InternalFailure", "The call could not be made.", 500)
