"""SHA-256 of large files, computed once for each state of a file."""

import json
import os
from contextlib import suppress
from hashlib import file_digest
from pathlib import Path

from critiql.tools.settings import settings


def file_sha256(path: Path) -> str:
    """SHA-256 of a file in hex; remembered under its inode, size and modification time, so a rename keeps it.

    Raises:
        OSError: the file cannot be read.
    """
    status = path.stat()
    key = f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"
    known = _remembered()
    if key not in known:
        with path.open("rb") as file:
            known[key] = file_digest(file, "sha256").hexdigest()
        _remember(known)
    return known[key]


def _memory() -> Path:
    return settings().cache / "hashes.json"


def _remembered() -> dict[str, str]:
    try:
        known = json.loads(_memory().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    pairs = known.items() if isinstance(known, dict) else ()
    return {key: value for key, value in pairs if isinstance(value, str)}


def _remember(known: dict[str, str]) -> None:
    """Written beside and renamed; without a writable cache the hash is computed again next time."""
    file = _memory()
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(known, indent=1), encoding="utf-8")
        part.replace(file)
