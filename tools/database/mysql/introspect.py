"""Reading the structure of a MySQL or MariaDB database in the worker: what the account may read."""

from typing import Any

TABLES_SQL = """
SELECT table_name, table_type LIKE '%VIEW', IF(table_type LIKE '%VIEW', '', table_comment), table_rows
FROM information_schema.tables WHERE table_schema = database() AND table_type NOT LIKE 'SEQUENCE'
ORDER BY create_time IS NULL, create_time, table_name
"""
COLUMNS_SQL = """
SELECT table_name, column_name, column_type, is_nullable = 'YES', column_comment
FROM information_schema.columns WHERE table_schema = database() ORDER BY table_name, ordinal_position
"""
KEYS_SQL = """
SELECT table_name, constraint_name, column_name, referenced_table_name, referenced_column_name
FROM information_schema.key_column_usage
WHERE table_schema = database()
    AND (constraint_name = 'PRIMARY' OR referenced_table_schema = database())
ORDER BY table_name, constraint_name, ordinal_position
"""
VIEWS_SQL = "SELECT table_name, view_definition FROM information_schema.views WHERE table_schema = database()"
SCHEMAS_SQL = "SELECT schema_name FROM information_schema.schemata WHERE schema_name <> database()"
ROUTINES_SQL = "SELECT routine_name FROM information_schema.routines WHERE routine_name IS NOT NULL"
VERSION_SQL = """
SELECT CONCAT_WS('.', COUNT(*), SUM(CRC32(CONCAT_WS('|', table_name, column_name, ordinal_position,
column_type, is_nullable, column_default, column_comment, column_key)))) FROM information_schema.columns
WHERE table_schema = database() UNION ALL SELECT CONCAT_WS('.', COUNT(*), SUM(CRC32(CONCAT_WS('|',
table_name, table_type, table_comment)))) FROM information_schema.tables WHERE table_schema = database()
"""


def version(cursor: Any) -> str:
    """A text that changes with tables, views, columns and comments.

    Args:
        cursor: A PyMySQL cursor.
    """
    return " ".join(str(value) for (value,) in _all(cursor, VERSION_SQL))


def tables(cursor: Any) -> list[dict[str, Any]]:
    """Tables and views, older ones first, as `schema_of` takes them; `rows` is the estimate.

    Args:
        cursor: A PyMySQL cursor.
    """
    primary, foreign = _keys(_all(cursor, KEYS_SQL))
    columns: dict[str, list[dict[str, Any]]] = {}
    for table, name, kind, nullable, comment in _all(cursor, COLUMNS_SQL):
        places = primary.get(table, [])
        place = places.index(name) + 1 if name in places else 0
        column = {"name": name, "type": kind, "nullable": bool(nullable), "pk": place, "comment": comment}
        columns.setdefault(table, []).append(column)
    return [
        {
            "name": name,
            "is_view": bool(is_view),
            "comment": comment or "",
            "rows": rows,
            "columns": columns.get(name, []),
            "foreign_keys": list(foreign.get(name, {}).values()),
        }
        for name, is_view, comment, rows in _all(cursor, TABLES_SQL)
    ]


def _all(cursor: Any, sql: str) -> list[tuple[Any, ...]]:
    cursor.execute(sql)
    return list(cursor.fetchall())


def _keys(
    rows: list[tuple[Any, ...]],
) -> tuple[dict[str, list[str]], dict[str, dict[str, dict[str, Any]]]]:
    """Primary key columns by table, and foreign keys by table and constraint."""
    primary: dict[str, list[str]] = {}
    foreign: dict[str, dict[str, dict[str, Any]]] = {}
    for table, constraint, column, to_table, to_column in rows:
        if to_table is None:
            primary.setdefault(table, []).append(column)
            continue
        empty: dict[str, Any] = {"to_table": to_table, "columns": [], "to_columns": []}
        key = foreign.setdefault(table, {}).setdefault(constraint, empty)
        key["columns"].append(column)
        key["to_columns"].append(to_column)
    return primary, foreign
