"""The simulator's program: `python -m trailstate.estate.child QUESTIONS ANSWERS UPWARD EPOCH_MICROSECONDS OURS…`.

The first three are descriptors of sockets. It says Done once it can serve, then answers one frame with one frame until
the other side hangs up. OURS are the marks of the resource types it leaves to the house (`estate.stacks`).
"""

import io
import socket
import sys
from typing import Any, BinaryIO

sys.modules.setdefault("pytest", None)  # type: ignore[arg-type]  # else time-machine would load it where it is installed

from trailstate.estate.child.sources import Sources  # noqa: E402
from trailstate.estate.frames import (  # noqa: E402
    INLINE_BYTES,
    Answer,
    Answered,
    Ask,
    AskLogin,
    Done,
    Known,
    KnownLogin,
    Line,
    LineClosed,
    Question,
    Reset,
    Serve,
    Settled,
    Upward,
    Warm,
    bytes_of,
    file_of,
)


def main() -> None:
    questions, answers, calls = (socket.socket(fileno=int(each)) for each in sys.argv[1:4])
    line: Line[Question] = Line(questions, Question, answers)
    upward: Line[Question | Settled] = Line(calls, Question | Settled)
    sources = Sources(int(sys.argv[4]))
    # Only now: whatever moto imports must find the sources in place.
    from trailstate.estate.child.simulator import Simulator

    simulator = Simulator(sources, tuple(sys.argv[5:]))
    simulator.upward = lambda asked: _asked(upward, simulator, asked)
    try:
        line.send(Done())
        while True:
            question, attachment = line.receive()
            _send(line, _answer(simulator, question, attachment))
    except LineClosed:
        return


def _asked(line: "Line[Question | Settled]", simulator: Any, asked: Upward) -> Settled:
    """What came of a call of ours; what it causes here is served until it is known."""
    line.send(asked)
    while True:
        heard, attachment = line.receive()
        if isinstance(heard, Settled):
            return heard
        _send(line, _answer(simulator, heard, attachment))


def _answer(simulator: Any, question: Question, attachment: int | None) -> Answer:
    match question:
        case Serve():
            body = question.body if attachment is None else bytes_of(attachment)
            content: BinaryIO = io.BytesIO(body)
            answer: Answer = simulator.serve(question, content, len(body))
            return answer
        case Ask():
            return Known(simulator.credentials.find(question.access_key_id))
        case AskLogin():
            return KnownLogin(simulator.credentials.login(question.account, question.user_name))
        case Reset():
            simulator.reset()
        case Warm():
            simulator.warm(question.service)
    return Done()


def _send(line: Line[Any], answer: Answer) -> None:
    if isinstance(answer, Answered) and len(answer.body) > INLINE_BYTES:
        with file_of(answer.body) as file:
            answer.body = b""
            line.send(answer, file.fileno())
        return
    line.send(answer)


if __name__ == "__main__":
    main()
