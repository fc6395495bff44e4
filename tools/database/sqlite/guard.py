"""What a statement may do inside SQLite: the authorizer, in the worker. Whatever is not listed is denied."""

import re
import sqlite3
from typing import NamedTuple

_FUNCTION_WORDS = """
abs acos acosh asin asinh atan atan2 atanh avg ceil ceiling changes char coalesce concat concat_ws
cos cosh count cume_dist current_date current_time current_timestamp date datetime degrees
dense_rank exp first_value floor format glob group_concat hex ifnull iif if instr json json_array
json_array_length json_error_position json_extract json_group_array json_group_object json_insert
json_object json_patch json_pretty json_quote json_remove json_replace json_set json_type json_valid
jsonb jsonb_array jsonb_extract jsonb_group_array jsonb_group_object jsonb_insert jsonb_object
jsonb_patch jsonb_remove jsonb_replace jsonb_set julianday lag last_value lead length like
likelihood likely ln log log10 log2 lower ltrim max median min mod nth_value ntile nullif
octet_length percent_rank percentile percentile_cont percentile_disc pi pow power printf quote
radians random rank replace round row_number rtrim sign sin sinh soundex sqrt strftime string_agg
substr substring subtype sum tan tanh time timediff total trim trunc typeof unhex unicode unistr
unistr_quote unixepoch unlikely upper match bm25 highlight snippet rtreecheck -> ->>
"""
FUNCTIONS = frozenset(_FUNCTION_WORDS.split())
"""Functions a statement may call: bounded by the length limit, without access to files or to the connection.
Left out: load_extension, readfile, writefile, edit, fts3_tokenizer, zeroblob, randomblob, sqlite_*.
`printf` stays, since models write it; a width bomb ends with the worker at the deadline."""
FORBIDDEN_TABLES = frozenset(
    {"dbstat", "sqlite_master", "sqlite_schema", "bytecode", "tables_used", "generate_series"}
)
"""Built-in tables that show more than the user's data; every `sqlite_` and `pragma_` name too."""
WITH_WORD = re.compile(r"\bwith\b", re.IGNORECASE)
"""A common table expression can take an allowed view's name, which SQLite then reports as the view's."""
UNREPORTED = re.compile(r"\b(?:using|natural)\b", re.IGNORECASE)
"""Joins whose tables and columns SQLite (3.40) may compare without asking the authorizer about either."""


class Denial(NamedTuple):
    """What the authorizer refused first in a statement."""

    message: str
    name: str | None


class Guard:
    """The authorizer of one connection: `begin` before a statement, `denied` tells what was refused in it."""

    def __init__(
        self, allow_tables: list[str] | None, deny_tables: list[str], deny_columns: list[str]
    ) -> None:
        self.allow = None if allow_tables is None else frozenset(allow_tables)
        self.deny_tables = frozenset(deny_tables)
        self.deny_columns = frozenset(deny_columns)
        self.denied: Denial | None = None
        self._is_restricted = allow_tables is not None or bool(deny_tables or deny_columns)
        self._views_pass = self._is_blind = False
        self._through_views: set[str] = set()

    def begin(self, sql: str) -> None:
        """Forget the last statement, and decide whether this one may read through allowed views."""
        self.denied = None
        self._through_views = set()
        self._views_pass = self.allow is not None and not WITH_WORD.search(sql)
        may_hide = self._is_restricted or "sqlite_" in sql.casefold()
        self._is_blind = may_hide and UNREPORTED.search(sql) is not None

    def __call__(
        self, action: int, first: str | None, second: str | None, _database: str | None, source: str | None
    ) -> int:
        """SQLite's callback: allow or deny one action of the statement being prepared."""
        if self._is_blind:
            return self._deny(
                "under an access policy, tables are joined with ON, not with USING or NATURAL", None
            )
        if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE):
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ:
            return self._read((first or "").casefold(), (second or "").casefold(), (source or "").casefold())
        if action == sqlite3.SQLITE_FUNCTION:
            if (second or "").casefold() in FUNCTIONS:
                return sqlite3.SQLITE_OK
            return self._deny(f"the function {second} may not be called here", second)
        if action == sqlite3.SQLITE_PRAGMA and first == "data_version" and second is None:
            return sqlite3.SQLITE_OK  # full-text tables ask it before they answer a query
        return self._deny("only SELECT statements may run here: the database is read-only", None)

    def _read(self, table: str, column: str, source: str) -> int:
        if table.startswith(("sqlite_", "pragma_")) or table in FORBIDDEN_TABLES or table in self.deny_tables:
            return self._deny(f"the table {table} may not be read here", table)
        if f"{table}.{column}" in self.deny_columns:
            return self._deny(f"the column {table}.{column} may not be read here", f"{table}.{column}")
        if self.allow is None or table in self.allow or self._is_through_view(table, column, source):
            return sqlite3.SQLITE_OK
        return self._deny(f"the table {table} may not be read here", table)

    def _is_through_view(self, table: str, column: str, source: str) -> bool:
        """SQLite names the innermost view a read comes from; the scan of its table follows without it."""
        if not self._views_pass or self.allow is None:
            return False
        if source in self.allow:
            self._through_views.add(table)
            return True
        return not column and not source and table in self._through_views

    def _deny(self, message: str, name: str | None) -> int:
        self.denied = self.denied or Denial(message, name)
        return sqlite3.SQLITE_DENY
