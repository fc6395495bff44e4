"""Reading the structure of a DuckDB file in the worker: the tables of its default schema."""

from typing import Any

TABLES_SQL = """
SELECT table_oid, table_name, false, coalesce(comment, ''), estimated_size FROM duckdb_tables()
WHERE database_name = current_database() AND schema_name = current_schema() AND NOT internal AND NOT temporary
UNION ALL
SELECT view_oid, view_name, true, coalesce(comment, ''), NULL FROM duckdb_views()
WHERE database_name = current_database() AND schema_name = current_schema() AND NOT internal AND NOT temporary
ORDER BY 1
"""
COLUMNS_SQL = """
SELECT table_name, column_name, data_type, is_nullable, coalesce(comment, '') FROM duckdb_columns()
WHERE database_name = current_database() AND schema_name = current_schema() AND NOT internal
ORDER BY table_name, column_index
"""
KEYS_SQL = """
SELECT table_name, constraint_type, constraint_column_names, referenced_table, referenced_column_names
FROM duckdb_constraints()
WHERE database_name = current_database() AND schema_name = current_schema()
    AND constraint_type IN ('PRIMARY KEY', 'FOREIGN KEY')
ORDER BY table_name, constraint_index
"""


def tables(connection: Any) -> list[dict[str, Any]]:
    """Tables and views in the order they were made, as `schema_of` takes them; `rows` is the estimate.

    Args:
        connection: A DuckDB connection.
    """
    primary: dict[str, list[str]] = {}
    foreign: dict[str, list[dict[str, Any]]] = {}
    for table, kind, columns, to_table, to_columns in connection.execute(KEYS_SQL).fetchall():
        if kind == "PRIMARY KEY":
            primary[table] = columns
        else:
            key = {"to_table": to_table, "columns": columns, "to_columns": to_columns}
            foreign.setdefault(table, []).append(key)
    found: dict[str, list[dict[str, Any]]] = {}
    for table, name, kind, nullable, comment in connection.execute(COLUMNS_SQL).fetchall():
        keys = primary.get(table, [])
        place = keys.index(name) + 1 if name in keys else 0
        column = {"name": name, "type": kind, "nullable": nullable, "pk": place, "comment": comment}
        found.setdefault(table, []).append(column)
    return [
        {
            "name": name,
            "is_view": is_view,
            "comment": comment,
            "rows": rows,
            "columns": found.get(name, []),
            "foreign_keys": foreign.get(name, []),
        }
        for _, name, is_view, comment, rows in connection.execute(TABLES_SQL).fetchall()
    ]
