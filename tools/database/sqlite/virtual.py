"""Virtual tables of a SQLite file: their shadow tables, and what a full-text index or vocabulary reads.

A denied table is denied with everything that holds or tells its content: the shadow tables of FTS3, FTS4,
FTS5 and R-tree tables, an index whose `content` it is, and the vocabulary of such an index.
"""

import sqlite3
from collections.abc import Mapping
from typing import NamedTuple

from critiql.tools.database.sqlite.words import words

SHADOWS = {
    "fts3": ("content", "segments", "segdir", "docsize", "stat"),
    "fts4": ("content", "segments", "segdir", "docsize", "stat"),
    "fts5": ("data", "idx", "content", "docsize", "config"),
    "rtree": ("node", "rowid", "parent"),
    "rtree_i32": ("node", "rowid", "parent"),
    "geopoly": ("node", "rowid", "parent"),
}
"""What follows a virtual table's name and an underscore in the names of its tables, by module. All that begin
so belong to a table of another module."""
INDEXES = frozenset({"fts3", "fts4", "fts5"})
SQL = "SELECT name, sql, rootpage FROM sqlite_master WHERE type = 'table'"


class VirtualTable(NamedTuple):
    """One, case-folded; no dataclass, whose module would add a fifth to the time of a worker's start."""

    name: str
    module: str
    shadows: frozenset[str]
    sources: frozenset[str]
    """Tables or other virtual tables that it reads by their names."""


class VirtualTables(NamedTuple):
    """Those of a file."""

    tables: Mapping[str, VirtualTable] = {}
    """By name."""

    def closed_by(self, denied: frozenset[str]) -> frozenset[str]:
        """The denied tables and all that holds or tells their content."""
        closed = set(denied)
        while True:
            more = {table.name for table in self.tables.values() if table.sources & closed}
            more |= {shadow for name in (closed | more) & set(self.tables) for shadow in self._all_of(name)}
            if more <= closed:
                return frozenset(closed)
            closed |= more

    def _all_of(self, name: str) -> frozenset[str]:
        return self.tables[name].shadows

    def tell(self, table: str) -> frozenset[str]:
        """Shadow tables, and what reads a table by name: all that tells the content of its columns."""
        own = self.tables[table].shadows if table in self.tables else frozenset()
        readers = frozenset(each.name for each in self.tables.values() if table in each.sources)
        return self.closed_by(own | readers)

    def inside(self, names: frozenset[str]) -> frozenset[str]:
        """What the engine itself reads to answer from these virtual tables."""
        found = [self.tables[name] for name in names & set(self.tables)]
        return frozenset[str]().union(*(table.shadows | table.sources for table in found))

    @property
    def shadows(self) -> frozenset[str]:
        """All shadow tables."""
        return frozenset[str]().union(*(table.shadows for table in self.tables.values()))

    @property
    def indexes(self) -> frozenset[str]:
        """Full-text tables."""
        return frozenset(table.name for table in self.tables.values() if table.module in INDEXES)


def read_virtual_tables(connection: sqlite3.Connection) -> VirtualTables:
    """Those of the file.

    Raises:
        sqlite3.Error: the file cannot be read.
    """
    found = connection.execute(SQL).fetchall()
    names = frozenset(name.casefold() for name, _, _ in found)
    tables = [_table(name.casefold(), sql or "", names) for name, sql, page in found if not page]
    return VirtualTables({table.name: table for table in tables})


def _table(name: str, sql: str, names: frozenset[str]) -> VirtualTable:
    tokens = [token.text for token in words(sql)]
    at = tokens.index("using") + 1 if "using" in tokens else len(tokens)
    module, arguments = (tokens[at], tokens[at + 1 :]) if at < len(tokens) else ("", [])
    own = frozenset(f"{name}_{ending}" for ending in SHADOWS.get(module, ()))
    if module not in SHADOWS:
        own = frozenset(other for other in names if other.startswith(f"{name}_"))
    return VirtualTable(name, module, own, _sources(module, arguments, names) - {name})


def _sources(module: str, arguments: list[str], names: frozenset[str]) -> frozenset[str]:
    """Tables that arguments name: of an index only after `content =`, of any other module anywhere."""
    if module in SHADOWS:
        after = zip(arguments, arguments[1:], arguments[2:], strict=False)
        return frozenset(third for first, second, third in after if (first, second) == ("content", "="))
    return frozenset(arguments) & names
