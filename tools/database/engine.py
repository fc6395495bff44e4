"""The interface every database engine fills."""

from typing import Protocol

from critiql.tools.database.result import Limits, Result
from critiql.tools.exceptions import DATABASE, CritiqlError
from critiql.tools.schema.model import Schema

DEFAULT_LIMITS = Limits()


class DatabaseError(CritiqlError):
    """A database cannot be opened or read. The message says what happened, why, and what to do."""

    exit_code = DATABASE


class Database(Protocol):
    """A database opened read-only. Safe to use from several threads."""

    @property
    def url(self) -> str:
        """What it was opened with, without secrets."""
        ...

    @property
    def dialect(self) -> str:
        """The sqlglot dialect of its SQL: sqlite, postgres, duckdb or mysql."""
        ...

    def schema(self) -> Schema:
        """Tables, columns, keys, comments, row counts; read once and kept.

        Raises:
            DatabaseError: the database cannot be read.
        """
        ...

    def run(self, sql: str, limits: Limits = DEFAULT_LIMITS) -> Result:
        """Run one statement, read-only, within the limits. Never raises for what the SQL does."""
        ...

    def close(self) -> None:
        """Release the connection and the worker; a later `run` opens them again."""
        ...
