"""From what a worker read about a database to the typed schema."""

from typing import Any

from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.schema.model import Column, ForeignKey, Schema, Table


def _column(raw: dict[str, Any]) -> Column:
    return Column(raw["name"], raw["type"], raw["nullable"], raw["pk"] > 0, raw.get("comment", ""))


def _canonical(wanted: str, table: dict[str, Any]) -> str | None:
    folded = wanted.casefold()
    return next((column["name"] for column in table["columns"] if column["name"].casefold() == folded), None)


def _targets(key: dict[str, Any], target: dict[str, Any]) -> list[str | None]:
    """Names of the columns referred to; where the key does not say, the target's primary key."""
    if all(column is not None for column in key["to_columns"]):
        return [_canonical(column, target) for column in key["to_columns"]]
    primary = sorted(
        (column for column in target["columns"] if column["pk"]), key=lambda column: column["pk"]
    )
    return [column["name"] for column in primary]


def _foreign_keys(raw: dict[str, Any], by_name: dict[str, dict[str, Any]]) -> tuple[ForeignKey, ...]:
    """Keys whose tables and columns all exist, once each; malformed ones are left out."""
    found: dict[ForeignKey, None] = {}
    for key in raw["foreign_keys"]:
        target = by_name.get(key["to_table"].casefold())
        if target is None:
            continue
        columns = [_canonical(column, raw) for column in key["columns"]]
        to_columns = _targets(key, target)
        pairs = [(one, other) for one, other in zip(columns, to_columns, strict=False) if one and other]
        if pairs and len(pairs) == len(columns) == len(to_columns):
            ours, theirs = zip(*pairs, strict=True)
            found[ForeignKey(raw["name"], ours, target["name"], theirs)] = None
    return tuple(found)


def _visible(raw: dict[str, Any], policy: AccessPolicy) -> dict[str, Any]:
    columns = [column for column in raw["columns"] if policy.allows_column(raw["name"], column["name"])]
    return {**raw, "columns": columns}


def schema_of(
    raw_tables: list[dict[str, Any]],
    dialect: str,
    policy: AccessPolicy,
    row_counts: dict[str, int] | None = None,
) -> Schema:
    """The schema of what may be seen.

    Args:
        raw_tables: Each with name, is_view, columns (name, type, nullable, pk: the place in the primary key
            from 1, else 0), foreign_keys (to_table, columns, to_columns), and perhaps comment.
        dialect: The sqlglot dialect.
        policy: What may be seen.
        row_counts: Rows by table name, where counted.
    """
    seen = [_visible(raw, policy) for raw in raw_tables if policy.allows_table(raw["name"])]
    by_name = {raw["name"].casefold(): raw for raw in seen}
    counts = row_counts or {}
    tables = tuple(
        Table(
            raw["name"],
            tuple(_column(column) for column in raw["columns"]),
            _foreign_keys(raw, by_name),
            raw["is_view"],
            raw.get("comment", ""),
            counts.get(raw["name"]),
        )
        for raw in seen
        if raw["columns"]
    )
    return Schema(tables, dialect)
