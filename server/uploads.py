"""Databases that are sent: capped, called by a plain name, and opened by the sandbox alone."""

import re
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
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,90}\.(?:sqlite3?|db)")


class UploadError(CritiqlError, ValueError):
    """A file cannot be taken. The message says what happened, why, and what to do."""


async def accept_upload(parts: AsyncIterator[bytes], name: str, folder: Path) -> str:
    """Keep a file in the folder of this server.

    Returns:
        The name under which it may be asked.

    Raises:
        UploadError: the name, the content or the number of files is not what is taken.
    """
    if not _NAME.fullmatch(name):
        raise UploadError("Call the file by letters, digits, - and _, with .sqlite or .db at its end.")
    if not (folder / name).exists() and sum(1 for _ in folder.iterdir()) >= MOST:
        raise UploadError(f"There are {MOST} files here already. Ask whoever runs this server to remove one.")
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".", delete=False) as file:
        kept = Path(file.name)
        try:
            async for part in parts:
                file.write(part)
            file.flush()
            check_content(kept)
        except BaseException:
            kept.unlink(missing_ok=True)
            raise
    kept.replace(folder / name)
    return name


def check_content(file: Path) -> None:
    """Look at the first bytes; the rest is for the sandbox.

    Raises:
        UploadError: it is no SQLite file.
    """
    with file.open("rb") as opened:
        if opened.read(len(MAGIC)) != MAGIC:
            raise UploadError("The file is not a SQLite database. Send one that SQLite wrote.")
