"""A database as a caller names it: by path or URL, by one that is open, or by nothing."""

from pathlib import Path

from critiql.tools.database.engine import Database
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.open import get_database

DatabaseName = str | Path | Database
"""A path, a URL, or an open database; an empty text is the sample database."""


def named_database(name: DatabaseName = "", policy: AccessPolicy | None = None) -> Database:
    """The database of that name, kept for the process; an open one is taken as it is, with its own policy.

    Raises:
        DatabaseError: unknown scheme, missing driver, or the database cannot be read.
    """
    if not isinstance(name, str | Path):
        return name
    if name == "":
        from critiql.tools.database.sample.build import sample_database

        return get_database(sample_database(), policy)
    return get_database(name, policy)
