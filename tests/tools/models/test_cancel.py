from threading import Event

import pytest

from critiql.tools.models.cancel import (
    CallCancelledError,
    cancellable,
    cancelled,
    ensure_not_cancelled,
    time_limit,
)


def test_nothing_is_cancelled_by_itself() -> None:
    assert not cancelled()
    ensure_not_cancelled()


def test_an_event_cancels_its_block_only() -> None:
    with cancellable(Event()) as event:
        assert not cancelled()
        event.set()
        assert cancelled()
        with pytest.raises(CallCancelledError, match="cancelled"):
            ensure_not_cancelled()
    assert not cancelled()


def test_an_outer_event_cancels_inner_blocks_too() -> None:
    with cancellable(Event()) as outer, cancellable(Event()):
        outer.set()
        assert cancelled()


def test_a_deadline_passes_and_an_inner_one_cannot_extend_it() -> None:
    with time_limit(0), time_limit(100):
        assert cancelled()
    with time_limit(100):
        assert not cancelled()
