"""Frames arrive whole, or not at all."""

import socket
from collections.abc import Iterator

import pytest

from trailstate.estate.frames import (
    FRAME_BYTES_MAX,
    HEAD,
    Answer,
    Answered,
    Ask,
    BadFrame,
    Done,
    Line,
    LineClosed,
    Question,
    bytes_of,
    file_of,
)

Pair = tuple[Line[Answer], Line[Question], socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, theirs:
        for end in (ours, theirs):
            end.settimeout(5)
        yield Line(ours, Answer), Line(theirs, Question), ours, theirs


def test_one_question_one_answer(pair: Pair) -> None:
    house, simulator, _, _ = pair
    house.send(Ask("AKIA"))
    assert simulator.receive() == (Ask("AKIA"), None)
    simulator.send(Answered(200, [("content-type", "text/plain")], b"\x00body"))
    assert house.receive() == (Answered(200, [("content-type", "text/plain")], b"\x00body"), None)


def test_questions_and_answers_may_go_by_sockets_of_their_own() -> None:
    asking, asked = socket.socketpair()
    hearing, answering = socket.socketpair()
    house: Line[Answer] = Line(hearing, Answer, asking)
    simulator: Line[Question] = Line(asked, Question, answering)
    house.give_up_after(5)
    for name in ("first", "second"):
        house.send(Ask(name))
        assert simulator.receive() == (Ask(name), None)
        with file_of(name.encode()) as file:
            simulator.send(Done(), file.fileno())
        answer, attachment = house.receive()
        assert (answer, bytes_of(attachment or 0)) == (Done(), name.encode())
    house.hang_up()
    for line in (simulator, house):
        with pytest.raises(LineClosed):
            line.receive()
        line.close()


def test_a_large_body_travels_as_a_descriptor(pair: Pair) -> None:
    house, simulator, _, _ = pair
    body = b"z" * 5_000_000
    with file_of(body) as file:
        simulator.send(Answered(200, [], b""), file.fileno())
    answer, attachment = house.receive()
    assert answer == Answered(200, [], b"")
    assert attachment is not None
    assert bytes_of(attachment) == body


def test_a_frame_in_pieces_is_put_together(pair: Pair) -> None:
    _, simulator, ours, _ = pair
    message = HEAD.pack(7, 0) + b"\x92\xa3ask\xa1k"
    for position in range(len(message)):
        ours.send(message[position : position + 1])
    assert simulator.receive() == (Ask("k"), None)


def test_questions_that_arrive_together_keep_their_order_and_their_files(pair: Pair) -> None:
    house, simulator, _, _ = pair
    for name, body in (("first", None), ("second", b"2"), ("third", None), ("fourth", b"4")):
        if body is None:
            house.send(Ask(name))
        else:
            with file_of(body) as file:
                house.send(Ask(name), file.fileno())
    heard = [simulator.receive() for _ in range(4)]
    assert [question for question, _ in heard] == [Ask("first"), Ask("second"), Ask("third"), Ask("fourth")]
    assert [None if file is None else bytes_of(file) for _, file in heard] == [None, b"2", None, b"4"]


@pytest.mark.parametrize(
    ("sent", "complaint"),
    [
        (HEAD.pack(FRAME_BYTES_MAX + 1, 0), "at most"),
        (HEAD.pack(1, 0) + b"\xc1", "unreadable"),
        (HEAD.pack(7, 1) + b"\x92\xa3ask\xa1k", "do not belong together"),
    ],
)
def test_refuses(pair: Pair, sent: bytes, complaint: str) -> None:
    _, simulator, ours, _ = pair
    ours.sendall(sent)
    with pytest.raises(BadFrame, match=complaint):
        simulator.receive()


def test_does_not_send_what_the_other_side_would_refuse(pair: Pair) -> None:
    with pytest.raises(BadFrame, match="at most"):
        pair[0].send(Answered(200, [], bytes(FRAME_BYTES_MAX)))


def test_does_not_wait_for_ever(pair: Pair) -> None:
    house = pair[0]
    house.give_up_after(0.01)
    with pytest.raises(TimeoutError):
        house.receive()
    with pytest.raises(TimeoutError):
        _send_for_ever(house)


def _send_for_ever(line: Line[Answer]) -> None:
    while True:
        line.send(Done())


def test_tells_when_the_other_side_is_gone(pair: Pair) -> None:
    house, _, ours, theirs = pair
    ours.sendall(HEAD.pack(100, 0))
    theirs.close()
    with pytest.raises(LineClosed):
        house.receive()
    with pytest.raises(LineClosed):
        house.send(Done())
