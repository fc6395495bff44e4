"""Text from token bytes: characters only when they are whole, nothing of a stop string."""

import codecs
from collections.abc import Sequence


class TextStream:
    """Collects the bytes of tokens and releases the text that is certain to belong to the answer."""

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self._stop = tuple(filter(None, stop))
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self.stopped = False
        """Whether a stop string was met; nothing is released after it."""

    def feed(self, data: bytes) -> str:
        """Take the bytes of a token; give the text that can be shown now."""
        self._held += self._decoder.decode(data)
        cut = self._stop_position()
        if cut is not None:
            self.stopped = True
            return self._release(cut)
        return self._release(len(self._held) - self._doubtful())

    def finish(self) -> str:
        """Give what was still held back, at the end of a generation."""
        if self.stopped:
            return ""
        self._held += self._decoder.decode(b"", final=True)
        return self._release(len(self._held))

    def _release(self, length: int) -> str:
        text, self._held = self._held[:length], self._held[length:]
        return text

    def _stop_position(self) -> int | None:
        found = [place for stop in self._stop if (place := self._held.find(stop)) >= 0]
        return min(found, default=None)

    def _doubtful(self) -> int:
        """Length of the longest end of the held text that may be the beginning of a stop string."""
        longest = max(map(len, self._stop), default=1) - 1
        for length in range(min(longest, len(self._held)), 0, -1):
            if any(stop.startswith(self._held[-length:]) for stop in self._stop):
                return length
        return 0
