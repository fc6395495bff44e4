"""Databases that are sent: capped, called by a plain name, and opened by the sandbox alone.

Where users share a server, a name begins with letters that nobody guesses: it is known to its sender alone.
"""

import re
import secrets
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from critiql.server.auth import LONGEST_UPLOAD
from critiql.tools.exceptions import CritiqlError

LARGEST = LONGEST_UPLOAD
"""Bytes of a file."""
MAGIC = b"SQLite format 3\x00"
MOST = 20
"""Files that are kept at a time."""
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,61}\.(?:sqlite3?|db)")


class UploadError(CritiqlError, ValueError):
    """A file cannot be taken. The message says what happened, why, and what to do."""


async def accept_upload(parts: AsyncIterator[bytes], name: str, folder: Path, *, secret: bool = False) -> str:
    """Keep a file in the folder of this server.

    Args:
        parts: its content.
        name: what its sender calls it.
        folder: where it is kept.
        secret: whether nobody but its sender may be able to name it.

    Returns:
        The name under which it may be asked.

    Raises:
        UploadError: the name, the content or the number of files is not what is taken.
    """
    if not _NAME.fullmatch(name):
        raise UploadError(
            "Call the file by at most 70 letters, digits, - and _, with .sqlite or .db at its end."
        )
    taken = f"{secrets.token_hex(8)}-{name}" if secret else name
    if not (folder / taken).exists() and sum(1 for _ in folder.iterdir()) >= MOST:
        raise UploadError(f"There are {MOST} files here already. Ask whoever runs this server to remove one.")
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".", delete=False) as file:
        kept = Path(file.name)
        try:
            async for part in parts:
                file.write(part)
            file.flush()
            check_content(kept)
            kept.replace(folder / taken)
        finally:  # also where the client left in the middle
            kept.unlink(missing_ok=True)
    return taken


def check_content(file: Path) -> None:
    """Look at the first bytes; the rest is for the sandbox.

    Raises:
        UploadError: it is no SQLite file.
    """
    with file.open("rb") as opened:
        if opened.read(len(MAGIC)) != MAGIC:
            raise UploadError("The file is not a SQLite database. Send one that SQLite wrote.")
