"""Reading the structure of a PostgreSQL database in the worker: what the role may read on its search path."""

from typing import Any

RELATIONS_SQL = """
SELECT c.oid::bigint, c.relname::text, c.relkind IN ('v', 'm'),
    coalesce(obj_description(c.oid, 'pg_class'), ''),
    CASE WHEN c.relkind = 'r' AND c.reltuples >= 0 THEN c.reltuples::bigint END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
    AND n.nspname = ANY(current_schemas(false)) AND pg_table_is_visible(c.oid)
    AND has_any_column_privilege(c.oid, 'SELECT')
ORDER BY c.oid
"""
COLUMNS_SQL = """
SELECT a.attrelid::bigint, a.attname::text, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
    coalesce(array_position(k.conkey, a.attnum), 0), coalesce(col_description(a.attrelid, a.attnum), '')
FROM pg_attribute a LEFT JOIN pg_constraint k ON k.conrelid = a.attrelid AND k.contype = 'p'
WHERE a.attrelid = ANY(%s::bigint[]::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
    AND has_column_privilege(a.attrelid, a.attnum, 'SELECT')
ORDER BY a.attrelid, a.attnum
"""
FOREIGN_KEYS_SQL = """
SELECT k.conrelid::bigint, t.relname::text,
    ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(n, i)
          JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.i),
    ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(n, i)
          JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY u.i)
FROM pg_constraint k JOIN pg_class t ON t.oid = k.confrelid
WHERE k.contype = 'f' AND k.conrelid = ANY(%s::bigint[]::oid[]) AND k.confrelid = ANY(%s::bigint[]::oid[])
ORDER BY k.conrelid, k.conname
"""
VERSION_SQL = """
WITH ours AS (
    SELECT oid, xmin FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f')
        AND relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname = ANY(current_schemas(false)))
)
SELECT md5(coalesce(string_agg(fact, ',' ORDER BY fact), '')) FROM (
    SELECT oid || ':' || xmin FROM ours
    UNION ALL SELECT attrelid || '.' || attnum || ':' || xmin FROM pg_attribute
    WHERE attnum > 0 AND attrelid IN (SELECT oid FROM ours)
    UNION ALL SELECT objoid || '.' || objsubid || ' ' || xmin FROM pg_description
    WHERE classoid = 'pg_class'::regclass AND objoid IN (SELECT oid FROM ours)
) facts (fact)
"""
"""Every row of the catalogue that describes a table says which transaction wrote it."""


def version(connection: Any) -> str:
    """A digest that changes with tables, views, columns, comments and grants.

    Args:
        connection: A psycopg connection in autocommit mode.
    """
    return str(connection.execute(VERSION_SQL).fetchone()[0])


def tables(connection: Any) -> list[dict[str, Any]]:
    """Tables and views in the order they were made, as `schema_of` takes them; `rows` is the estimate.

    Args:
        connection: A psycopg connection in autocommit mode.
    """
    relations = connection.execute(RELATIONS_SQL).fetchall()
    oids = [oid for oid, *_ in relations]
    columns: dict[int, list[dict[str, Any]]] = {oid: [] for oid in oids}
    for oid, name, kind, nullable, place, comment in connection.execute(COLUMNS_SQL, [oids]):
        columns[oid].append(
            {"name": name, "type": kind, "nullable": nullable, "pk": place, "comment": comment}
        )
    keys: dict[int, list[dict[str, Any]]] = {oid: [] for oid in oids}
    for oid, to_table, ours, theirs in connection.execute(FOREIGN_KEYS_SQL, [oids, oids]):
        keys[oid].append({"to_table": to_table, "columns": ours, "to_columns": theirs})
    return [
        {
            "name": name,
            "is_view": is_view,
            "comment": comment,
            "rows": rows,
            "columns": columns[oid],
            "foreign_keys": keys[oid],
        }
        for oid, name, is_view, comment, rows in relations
    ]
