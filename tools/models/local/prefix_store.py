"""Prefix states that outlive a call: the last few in memory, more on disk for the next process.

What is stored is the state llama.cpp writes for one sequence, behind a header of our own with a
checksum, because llama.cpp reads such a state without checking it.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from critiql.tools.private_files import make_file, make_folder, say_once

_MAGIC = b"critiql-prefix-1"
_DIGEST_BYTES = 32


def prefix_key(model: str, context: str, tokens: Sequence[int]) -> str:
    """Name of a prefix state.

    Args:
        model: hash of the weights.
        context: what else the state depends on: library version, context settings.
        tokens: the prefix.
    """
    text = "\n".join((model, context, ",".join(map(str, tokens))))
    return blake2b(text.encode(), digest_size=16).hexdigest()


@dataclass
class PrefixStore:
    """States by key, least recently used first out, in memory and in a folder.

    The folder may be shared by processes: a file appears whole or not at all, and a file that is
    gone, damaged or foreign counts as not there.
    """

    folder: Path | None
    """None keeps nothing on disk."""
    disk_bytes: int
    memory_bytes: int = 256 * 2**20
    _memory: OrderedDict[str, bytes] = field(default_factory=OrderedDict)

    def get(self, key: str) -> bytes | None:
        """The state under the key, or None."""
        state = self._memory.get(key) or self._read(key)
        if state is not None:
            self._remember(key, state)
        return state

    def put(self, key: str, state: bytes) -> None:
        """Keep a state in memory and, where it can be written, on disk."""
        self._remember(key, state)
        if self.folder is not None and len(state) <= self.disk_bytes:
            self._write(key, state)

    def discard(self, key: str) -> None:
        """Forget a state that turned out to be of no use."""
        self._memory.pop(key, None)
        if self.folder is not None:
            _remove(self._file(key))

    def _remember(self, key: str, state: bytes) -> None:
        self._memory[key] = state
        self._memory.move_to_end(key)
        while len(self._memory) > 1 and sum(map(len, self._memory.values())) > self.memory_bytes:
            self._memory.popitem(last=False)

    def _file(self, key: str) -> Path:
        assert self.folder is not None
        return self.folder / f"{key}.prefix"

    def _read(self, key: str) -> bytes | None:
        if self.folder is None:
            return None
        file = self._file(key)
        try:
            content = file.read_bytes()
        except OSError:
            return None
        state = _unseal(key, content)
        if state is None:
            _remove(file)
        else:
            _touch(file)
        return state

    def _write(self, key: str, state: bytes) -> None:
        """Write beside and rename. A full or read-only disk costs only the reuse, so it is not an error."""
        file = self._file(key)
        part = file.with_name(f"{file.name}.{os.getpid()}.{threading.get_ident()}.part")
        try:
            make_folder(file.parent)
            make_file(part)
            part.write_bytes(_seal(key, state))
            part.replace(file)
            self._shrink_folder()
        except OSError as error:
            say_once(file.parent, error.strerror or error, "Prompts are computed anew in each process.")
            _remove(part)

    def _shrink_folder(self) -> None:
        """Remove the least recently used files until the rest is within the bound."""
        assert self.folder is not None
        kept = 0
        for _, size, file in sorted(_ages(self.folder), reverse=True):
            kept += size
            if kept > self.disk_bytes:
                _remove(file)


def _seal(key: str, state: bytes) -> bytes:
    return b"".join((_MAGIC, _digest(key, state), state))


def _unseal(key: str, content: bytes) -> bytes | None:
    start = len(_MAGIC) + _DIGEST_BYTES
    state = content[start:]
    return state if state and content[:start] == _MAGIC + _digest(key, state) else None


def _digest(key: str, state: bytes) -> bytes:
    return blake2b(state, digest_size=_DIGEST_BYTES, key=key.encode()).digest()


def _ages(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """Last use in seconds, size in bytes and path of every file that another process did not remove."""
    for file in folder.iterdir():
        with suppress(OSError):
            status = file.stat()
            yield status.st_mtime, status.st_size, file


def _remove(file: Path) -> None:
    with suppress(OSError):
        file.unlink()


def _touch(file: Path) -> None:
    with suppress(OSError):
        os.utime(file)
