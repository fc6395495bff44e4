"""A file that is still arriving: what is there survives an interruption and is added to later."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Partial:
    """An unfinished file beside the place of the finished one."""

    target: Path

    @property
    def path(self) -> Path:
        """The unfinished file."""
        return self.target.with_name(f"{self.target.name}.part")

    @property
    def _seams_path(self) -> Path:
        return self.target.with_name(f"{self.target.name}.seams.json")

    def size(self) -> int:
        """Bytes that arrived."""
        return self.path.stat().st_size if self.path.exists() else 0

    def append(self, chunks: Iterable[bytes], at: int) -> Iterable[int]:
        """Write chunks from a position on, dropping what came after it; gives the size after each.

        Raises:
            OSError: the disk is full, for example.
        """
        self.path.touch()
        with self.path.open("r+b") as file:
            file.truncate(at)
            file.seek(at)
            for chunk in chunks:
                file.write(chunk)
                yield file.tell()

    def seams(self) -> list[int]:
        """Sizes the file had whenever a part of it was complete; only those it still reaches."""
        try:
            known = json.loads(self._seams_path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        size = self.size()
        return [seam for seam in known if seam <= size]

    def mark_seam(self) -> None:
        """Remember that a part is complete."""
        self._seams_path.write_text(json.dumps([*self.seams(), self.size()]), encoding="utf-8")

    def finish(self) -> None:
        """Put the file in its place, at once."""
        self.path.replace(self.target)
        self._seams_path.unlink(missing_ok=True)

    def discard(self) -> None:
        """Forget everything that arrived."""
        self.path.unlink(missing_ok=True)
        self._seams_path.unlink(missing_ok=True)
