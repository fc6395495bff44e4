"""A time limit kept by one thread for all statements of a session. Standard library only."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Alarm:
    """Calls a function when a statement passes its deadline.

    The thread is woken only for a deadline before the one it sleeps towards, so that quick statements
    neither start a thread nor wait for one.
    """

    def __init__(self, ring: Callable[[], object]) -> None:
        self._ring = ring
        self._changed = threading.Condition()
        self._deadline = self._wakes_at = math.inf
        threading.Thread(target=self._watch, daemon=True).start()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Ring once if the block takes longer."""
        self.set(seconds)
        try:
            yield
        finally:
            self.clear()

    def set(self, seconds: float) -> None:
        """Ring once in so many seconds, unless it is cleared or set anew before."""
        with self._changed:
            self._deadline = time.monotonic() + seconds
            if self._deadline < self._wakes_at:
                self._changed.notify()

    def clear(self) -> None:
        """Do not ring; what is ringing now has ended when this returns."""
        with self._changed:
            self._deadline = math.inf

    def _watch(self) -> None:
        with self._changed:
            while True:
                if self._deadline <= time.monotonic():
                    self._deadline = math.inf
                    self._ring()
                self._wakes_at = self._deadline
                is_set = self._deadline < math.inf
                self._changed.wait(self._deadline - time.monotonic() if is_set else None)
