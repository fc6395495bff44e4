"""Places are given away in the order of asking."""

import threading
import time

from critiql.tools.database.sandbox.turns import Turns


def soon(seconds: float = 5.0) -> float:
    return time.monotonic() + seconds


def test_places_are_given_in_the_order_of_asking() -> None:
    turns, served = Turns(1), list[int]()
    assert turns.take(soon())

    def ask(number: int) -> None:
        assert turns.take(soon())
        served.append(number)
        turns.give_back()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for waiting, thread in enumerate(threads, 1):
        thread.start()
        while len(turns._waiting) < waiting:
            time.sleep(0.001)
    turns.give_back()
    for thread in threads:
        thread.join()
    assert served == list(range(8))


def test_one_that_comes_later_does_not_overtake() -> None:
    turns = Turns(1)
    assert turns.take(soon())
    took = threading.Event()
    waiting = threading.Thread(target=lambda: turns.take(soon()) and took.set())
    waiting.start()
    while not turns._waiting:
        time.sleep(0.001)
    turns.give_back()
    assert not turns.take(time.monotonic() + 0.02), "the place belongs to who waited for it"
    waiting.join()
    assert took.is_set()


def test_who_stops_waiting_leaves_no_place_behind_and_takes_none() -> None:
    turns = Turns(2)
    assert turns.take(soon())
    assert turns.take(soon())
    started = time.monotonic()
    assert not turns.take(started + 0.1)
    assert 0.1 <= time.monotonic() - started < 0.5
    turns.give_back()
    turns.give_back()
    assert turns.take(soon(0))
    assert turns.take(soon(0))
    assert not turns.take(soon(0))


def test_places_are_neither_lost_nor_doubled_under_load() -> None:
    turns, inside, most = Turns(3), list[int](), list[int]()
    lock = threading.Lock()

    def work() -> None:
        for _ in range(200):
            if turns.take(time.monotonic() + 0.002):
                with lock:
                    inside.append(1)
                    most.append(len(inside))
                with lock:
                    inside.pop()
                turns.give_back()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) <= 3
    assert [turns.take(soon(0)) for _ in range(4)] == [True, True, True, False]
