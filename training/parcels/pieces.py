"""Files in pieces that are small enough to be carried, each with its hash."""

from collections.abc import Iterator, Sequence
from hashlib import file_digest, sha256
from pathlib import Path
from typing import NamedTuple


class Piece(NamedTuple):
    """A part of a file."""

    name: str
    sha256: str


def split(file: Path, size: int, folder: Path) -> list[Piece]:
    """Write a file as pieces `NAME.00`, `NAME.01` and so on.

    Args:
        file: what to split.
        size: most bytes of a piece.
        folder: where the pieces go; made where it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pieces: list[Piece] = []
    with file.open("rb") as source:
        while content := source.read(size):
            name = f"{file.name}.{len(pieces):02}"
            (folder / name).write_bytes(content)
            pieces.append(Piece(name, sha256(content).hexdigest()))
    return pieces


def join(pieces: Sequence[Piece], folder: Path, out: Path) -> None:
    """Put a file together again.

    Raises:
        ValueError: pieces are missing, or are not what was sent.
    """
    wrong = list(_wrong(pieces, folder))
    if wrong:
        raise ValueError(f"{', '.join(wrong)} in {folder}. Carry it there again.")
    part = out.with_name(f"{out.name}.part")
    with part.open("wb") as target:
        for piece in pieces:
            target.write((folder / piece.name).read_bytes())
    part.replace(out)


def _wrong(pieces: Sequence[Piece], folder: Path) -> Iterator[str]:
    for piece in pieces:
        path = folder / piece.name
        if not path.is_file():
            yield f"{piece.name} is missing"
        elif digest(path) != piece.sha256:
            yield f"{piece.name} is damaged"


def digest(path: Path) -> str:
    """SHA-256 of a file in hex."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
