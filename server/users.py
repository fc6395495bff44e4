"""Users who share a server: a file of their names and tokens, which only its owner may read."""

import re
from pathlib import Path

from critiql.server.offer import OfferError, checked_tokens

_NAME = re.compile(r"[A-Za-z0-9_.@-]{1,64}")
OTHERS = 0o077
"""Rights of everybody but the file's owner."""


def read_users(file: Path) -> dict[str, str]:
    """Name to token; each line holds both, with a space between them, and `#` begins a remark.

    Raises:
        OfferError: the file cannot be read, others may read it, or a line is not of that form.
    """
    try:
        text, rights = file.read_text(encoding="utf-8"), file.stat().st_mode
    except (OSError, UnicodeError) as error:
        raise OfferError(f"The users in {file} cannot be read: {error}. Give another file.") from error
    if rights & OTHERS:
        raise OfferError(f"Others may read {file}, which holds tokens. Run: chmod 600 {file}")
    users: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) != 2 or not _NAME.fullmatch(words[0]) or words[0] in users:
            raise OfferError(f"Line {number} of {file} is not a new NAME, a space and a TOKEN.")
        users[words[0]] = words[1]
    if not users:
        raise OfferError(f"{file} names nobody. Write a line NAME TOKEN for each user.")
    checked_tokens("", users)
    return users
