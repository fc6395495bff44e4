"""A LangChain `SQLDatabase` as a database here: only its URL is taken, nothing of it runs a statement."""

from typing import TYPE_CHECKING

from critiql.tools.database.engine import Database, DatabaseError
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.open import open_database

if TYPE_CHECKING:
    from langchain_community.utilities import SQLDatabase


def url_of(database: "SQLDatabase") -> str:
    """What `ask` takes for this database: its URL, with the password.

    Raises:
        DatabaseError: the database lives in the memory of this process.
    """
    url = database._engine.url
    if not url.database or url.database == ":memory:":
        msg = "The SQLDatabase has no file or server behind it, so no other connection can see its tables."
        raise DatabaseError(msg)
    return str(url.render_as_string(hide_password=False))


def from_langchain(database: "SQLDatabase", policy: AccessPolicy | None = None) -> Database:
    """The same database, opened read-only by our own engine.

    Args:
        database: Made by `SQLDatabase.from_uri` or from an SQLAlchemy engine.
        policy: Tables and columns that may be read; when None, the tables LangChain was told to use.

    Raises:
        DatabaseError: the engine's URL names no database that can be opened here.
    """
    usable = frozenset(database.get_usable_table_names())
    narrowed = usable != frozenset(database._all_tables)
    allowed = AccessPolicy(allow_tables=usable) if narrowed else None
    return open_database(url_of(database), policy or allowed)
