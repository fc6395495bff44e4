"""What a statement may do inside SQLite: the authorizer, in the worker. Whatever is not listed is denied."""

import sqlite3
from collections.abc import Iterable
from typing import Any, NamedTuple

from critiql.tools.database.sqlite.virtual import VirtualTables
from critiql.tools.database.sqlite.words import Word, called_names, common_names, has_word, words

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
unistr_quote unixepoch unlikely upper match matchinfo offsets bm25 highlight snippet -> ->>
"""
FUNCTIONS = frozenset(_FUNCTION_WORDS.split())
"""Functions a statement may call: bounded by the length limit, without access to files or to the connection.
Left out: load_extension, readfile, writefile, edit, fts3_tokenizer, zeroblob, randomblob, sqlite_*.
`printf` stays, since models write it; a width bomb ends with the worker at the deadline."""
FORBIDDEN_TABLES = frozenset(
    {"dbstat", "sqlite_master", "sqlite_schema", "bytecode", "tables_used", "generate_series"}
)
"""Built-in tables that show more than the user's data; every `sqlite_` and `pragma_` name too."""
PURE_TABLES = frozenset({"json_each", "json_tree"})
"""Table functions that read nothing but their arguments, unless the file has a table of that name."""


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
        self.deny_columns = frozenset(deny_columns)
        self.denied: Denial | None = None
        self._deny_tables = frozenset(deny_tables)
        self._is_restricted = allow_tables is not None or bool(deny_tables or deny_columns)
        self.knows(VirtualTables(), frozenset(), {})
        self.begin("")

    def knows(self, virtual: VirtualTables, names: frozenset[str], roots: dict[int, str]) -> None:
        """Take in what the file holds.

        Args:
            virtual: Its virtual tables.
            names: All tables and views, case-folded.
            roots: Table by the root page of the table or of one of its indexes.
        """
        narrowed = frozenset(pair.rpartition(".")[0] for pair in self.deny_columns)
        told = frozenset[str]().union(*(virtual.tell(table) for table in narrowed))
        closed = virtual.closed_by(self._deny_tables)
        self.deny_tables = virtual.closed_by(self._deny_tables | told)
        self._narrowed_indexes = narrowed & virtual.indexes
        self._pure = PURE_TABLES - names
        readable = frozenset(virtual.tables) if self.allow is None else self.allow
        inside = virtual.inside(readable - self.deny_tables) - closed
        self._inside = inside if self.allow is not None else inside & self.deny_tables
        self._roots = roots

    def begin(self, sql: str) -> None:
        """Forget the last statement, and decide whether this one may read through allowed views."""
        tokens = words(sql) if self._is_restricted or "sqlite_" in sql.casefold() else []
        self.denied = None
        self._through_views = set[str]()
        self._named = frozenset(token.text for token in tokens if token.may_name)
        self._hides_names = common_names(tokens)
        self._called = called_names(tokens) | ({"match"} if has_word(tokens, "match") else frozenset())
        self.is_unreported = has_word(tokens, "using", "natural")
        self.is_explain = bool(tokens) and tokens[0] == Word("explain", False)
        self.runs_inside = False

    @property
    def needs_two_looks(self) -> bool:
        """Whether the engine itself reads tables that a statement may not name."""
        return bool(self._inside)

    def __call__(
        self, action: int, first: str | None, second: str | None, _database: str | None, source: str | None
    ) -> int:
        """SQLite's callback: allow or deny one action of the statement being prepared."""
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

    def opened(self, steps: Iterable[tuple[int, str, int, int, int, Any]]) -> Denial | None:
        """What a statement with USING or NATURAL may not open, though SQLite reported no reading of it.

        Args:
            steps: The rows of its EXPLAIN: address, operation, three numbers and a text.
        """
        for _, operation, _, page, _, _ in (step[:6] for step in steps):
            if operation == "VOpen" and self._is_restricted:
                return Denial("a virtual table is joined with ON here, not with USING or NATURAL", None)
            if operation not in ("OpenRead", "ReopenIdx"):
                continue
            table = self._roots.get(page, "sqlite_schema")
            is_viewed = table in self._through_views and table not in self._named
            is_listed = self.allow is None or table in self.allow or is_viewed
            if not is_listed or table.startswith("sqlite_") or table in self.deny_tables:
                return Denial(f"the table {table} may not be read here", table)
            if self._may_compare(table):
                said = (
                    f"{table} has a column that may not be read: join it with ON, not with USING or NATURAL"
                )
                return Denial(said, table)
        return None

    def _may_compare(self, table: str) -> bool:
        """Whether a denied column may be among those that USING or NATURAL compares."""
        columns = [
            column for of, _, column in (pair.rpartition(".") for pair in self.deny_columns) if of == table
        ]
        return bool(columns) and ("natural" in self._named or not self._named.isdisjoint(columns))

    def _read(self, table: str, column: str, source: str) -> int:
        if self.runs_inside and table in self._inside:
            return sqlite3.SQLITE_OK
        if table.startswith(("sqlite_", "pragma_")) or table in FORBIDDEN_TABLES or table in self.deny_tables:
            return self._deny(f"the table {table} may not be read here", table)
        if f"{table}.{column}" in self.deny_columns:
            return self._deny(f"the column {table}.{column} may not be read here", f"{table}.{column}")
        if self._is_search(table, column):
            return self._deny(f"{table} may not be searched here: one of its columns may not be read", table)
        if self._is_listed(table) or self._is_through_view(table, column, source):
            return sqlite3.SQLITE_OK
        return self._deny(f"the table {table} may not be read here", table)

    def _is_listed(self, table: str) -> bool:
        return self.allow is None or table in self.allow or table in self._pure

    def _is_search(self, table: str, column: str) -> bool:
        """Whether words of a denied column of a full-text table could be looked for."""
        if table not in self._narrowed_indexes:
            return False
        return column in (table, "rank") or "match" in self._called or table in self._called

    def _is_through_view(self, table: str, column: str, source: str) -> bool:
        """SQLite names the innermost view a read comes from; the scan of its table follows without it.

        It names a common table expression likewise, which can take a view's name.
        """
        if self.allow is None:
            return False
        if source in self.allow and source not in self._hides_names:
            self._through_views.add(table)
            return True
        return not column and not source and table in self._through_views

    def _deny(self, message: str, name: str | None) -> int:
        self.denied = self.denied or Denial(message, name)
        return sqlite3.SQLITE_DENY
