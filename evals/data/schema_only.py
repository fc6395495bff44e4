"""Schemas of NL2SQL-Bugs, whose databases are not at hand: names, types and keys, and no rows."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from critiql.tools.schema.model import Column, ForeignKey, Schema, Table


def bugs_schemas(file: Path) -> dict[str, Schema]:
    """Every schema of `schema_dev.json`, by database.

    Raises:
        OSError: the file cannot be read.
    """
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return {db_id: _schema(found["tables"]) for db_id, found in document.items()}


def _schema(tables: Mapping[str, Any]) -> Schema:
    return Schema(tuple(_table(table, tables) for table in tables.values()))


def _table(table: Mapping[str, Any], tables: Mapping[str, Any]) -> Table:
    keys = set(table["primary_keys"])
    columns = tuple(
        Column(column["name"], column["type"], not column["notnull"], column["name"] in keys)
        for column in table["columns"]
    )
    links = (_link(table["name"], link, tables) for link in table["foreign_keys"])
    return Table(table["name"], columns, tuple(link for link in links if link is not None))


def _link(name: str, link: Mapping[str, Any], tables: Mapping[str, Any]) -> ForeignKey | None:
    """A foreign key; one that names no column means the primary key of the table it refers to."""
    primary = tables.get(link["to_table"], {}).get("primary_keys", [])
    target = link["to_column"] or (primary[0] if len(primary) == 1 else None)
    return ForeignKey(name, (link["from"],), link["to_table"], (target,)) if target else None
