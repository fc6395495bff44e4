"""Names of a DuckDB database, and the texts of its views and macros, as its own catalogue gives them."""

from dataclasses import dataclass, field
from typing import Any

from critiql.tools.database.guard.tokens import Token, UnreadableError, tokenize

TABLES_SQL = "SELECT lower(table_name), estimated_size FROM duckdb_tables() WHERE NOT internal"
VIEWS_SQL = "SELECT lower(view_name), sql FROM duckdb_views() WHERE NOT internal"
SCHEMAS_SQL = "SELECT DISTINCT lower(schema_name) FROM duckdb_schemas()"
DATABASE_SQL = "SELECT lower(current_database()), lower(current_schema())"
MACROS_SQL = """
SELECT lower(function_name), function_type, macro_definition FROM duckdb_functions() WHERE NOT internal
"""
KNOWN_FUNCTION_SQL = "SELECT count(*) FROM duckdb_functions() WHERE lower(function_name) = $1"
SYSTEM = frozenset({"system", "temp"})
"""Databases that every connection has."""


@dataclass(frozen=True)
class Catalog:
    """What there is, case-folded; several views or macros of one name are all kept."""

    database: str = ""
    schema: str = ""
    """The schema that a plain name refers to."""
    schemas: frozenset[str] = frozenset()
    tables: frozenset[str] = frozenset()
    views: dict[str, tuple[str | None, ...]] = field(default_factory=dict)
    """Queries of views by name; None for one that cannot be told from the text the engine gives."""
    macros: dict[str, tuple[str | None, ...]] = field(default_factory=dict)
    """Queries that read as the bodies of macros do."""
    largest: int = 0
    """Rows of the largest table, as the engine estimates them."""

    @property
    def qualifiers(self) -> frozenset[str]:
        """What may stand before a relation's name."""
        return self.schemas | SYSTEM | {self.database}


def read_catalog(connection: Any) -> Catalog:
    """The names of a database.

    Args:
        connection: A DuckDB connection.
    """
    database, schema = connection.execute(DATABASE_SQL).fetchone()
    tables = connection.execute(TABLES_SQL).fetchall()
    views: dict[str, tuple[str | None, ...]] = {}
    for name, text in connection.execute(VIEWS_SQL).fetchall():
        views[name] = (*views.get(name, ()), query_of_view(text or ""))
    macros: dict[str, tuple[str | None, ...]] = {}
    for name, kind, text in connection.execute(MACROS_SQL).fetchall():
        body = text if kind == "table_macro" or text is None else f"SELECT {text}"
        macros[name] = (*macros.get(name, ()), body)
    return Catalog(
        database,
        schema,
        frozenset(name for (name,) in connection.execute(SCHEMAS_SQL).fetchall()),
        frozenset(name for name, _ in tables),
        views,
        macros,
        max((rows or 0 for _, rows in tables), default=0),
    )


def query_of_view(text: str) -> str | None:
    """The query in `CREATE VIEW name [(columns)] AS query`, which the engine wrote; None if it is not so."""
    try:
        tokens = tokenize(text, "duckdb")
    except UnreadableError:
        return None
    depth = 0
    for token in tokens:
        depth += token.is_mark("(") - token.is_mark(")")
        if depth == 0 and token.is_word("as"):
            return _rest(text, token)
    return None


def _rest(text: str, token: Token) -> str:
    return text[token.end :].strip().removesuffix(";")
