"""Whoever asked first is served first."""

import threading

from trailstate.estate.turns import Turns


def test_hands_on_in_the_order_of_asking() -> None:
    turns = Turns()
    served: list[int] = []

    def take(number: int) -> None:
        with turns:
            served.append(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(20)]
    with turns:
        for waiting, thread in enumerate(threads):
            thread.start()
            while turns.waiting <= waiting:
                pass
    for thread in threads:
        thread.join()
    assert served == list(range(20))


def test_is_free_again_after_an_error() -> None:
    turns = Turns()
    try:
        with turns:
            raise ValueError
    except ValueError:
        pass
    with turns:
        assert turns.waiting == 0
