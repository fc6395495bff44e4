"""One thread keeps the time of all statements."""

import threading
import time

from critiql.tools.database.sandbox.alarm import Alarm


def test_it_rings_for_what_takes_too_long_and_only_then() -> None:
    rung = threading.Event()
    alarm = Alarm(rung.set)
    for _ in range(100):
        with alarm.within(0.5):
            pass
    assert not rung.wait(0.6)
    with alarm.within(0.05):
        assert rung.wait(10)


def test_a_sooner_deadline_wakes_a_thread_that_sleeps_towards_a_later_one() -> None:
    rung = threading.Event()
    alarm = Alarm(rung.set)
    with alarm.within(60):
        time.sleep(0.05)
    with alarm.within(0.05):
        assert rung.wait(10)


def test_it_rings_once_a_block() -> None:
    rings: list[float] = []
    alarm = Alarm(lambda: rings.append(time.monotonic()))
    for _ in range(3):
        with alarm.within(0.02):
            time.sleep(0.2)
    assert len(rings) == 3


def test_statements_start_no_thread() -> None:
    alarm = Alarm(lambda: None)
    before = threading.active_count()
    with alarm.within(10):
        assert threading.active_count() == before
