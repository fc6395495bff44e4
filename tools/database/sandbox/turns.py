"""A number of places that are given away in the order of asking, with a limit on the wait."""

import threading
import time
from collections import deque


class Turns:
    """`size` places. Who asked first is first; nobody who comes later overtakes a waiting one."""

    def __init__(self, size: int) -> None:
        self._lock = threading.Lock()
        self._free = size
        self._waiting: deque[threading.Event] = deque()

    def take(self, deadline: float) -> bool:
        """Take a place; False when none came free before the deadline, a moment on `time.monotonic`."""
        with self._lock:
            if self._free > 0:  # then nobody waits: a place that is given back goes to the first who does
                self._free -= 1
                return True
            mine = threading.Event()
            self._waiting.append(mine)
        came, is_over = False, False
        try:
            came = mine.wait(max(0.0, deadline - time.monotonic()))
            is_over = True
        finally:
            if not is_over:  # the wait was interrupted, as by Ctrl-C
                self._leave(mine)
        return came or not self._leave(mine, keep=True)

    def give_back(self) -> None:
        """Give the place to the first who waits."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1

    def _leave(self, mine: threading.Event, *, keep: bool = False) -> bool:
        """Stop waiting; False when the place came in this very moment, which is then kept or passed on."""
        with self._lock:
            if not mine.is_set():
                self._waiting.remove(mine)
                return True
        if not keep:
            self.give_back()
        return False
