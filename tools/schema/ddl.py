"""The schema as compact CREATE TABLE text, the form AC-SQL shows its actor and critic; byte-stable."""

import re
from collections.abc import Iterable

from critiql.tools.schema.model import Column, ForeignKey, Schema, Table
from critiql.tools.schema.quoting import cell_text, quote_name

COMMENT_CHARACTERS = 80


def ddl(schema: Schema, sample_rows: int = 0, tables: Iterable[str] | None = None) -> str:
    """One CREATE TABLE per table in the database's order, with keys, comments and perhaps rows.

    Args:
        schema: What to print.
        sample_rows: Rows per table, as a comment block under it.
        tables: Names of the tables to print, case ignored; all when None. Keys to others are left out.
    """
    wanted = None if tables is None else {name.casefold() for name in tables}
    shown = [table for table in schema.tables if wanted is None or table.name.casefold() in wanted]
    names = {table.name for table in shown}
    return "\n".join(_table(table, schema, names, sample_rows) for table in shown)


def _table(table: Table, schema: Schema, shown: set[str], sample_rows: int) -> str:
    keys = [key for key in table.foreign_keys if key.to_table in shown]
    kind = "VIEW" if table.is_view else "TABLE"
    head = f"CREATE {kind} {quote_name(table.name, schema.dialect)} ("
    lines = [_column(column, table, schema.dialect) for column in table.columns]
    lines += _primary_key(table, schema.dialect)
    lines += [_foreign_key(key, schema.dialect) for key in keys]
    body = _with_commas(lines)
    note = f" -- {cell_text(table.comment, COMMENT_CHARACTERS)}" if table.comment else ""
    return f"{head}{note}\n{body}\n);{_samples(table, schema, sample_rows)}"


def _with_commas(lines: list[tuple[str, str]]) -> str:
    last = len(lines) - 1
    return "\n".join(
        f" {text}{',' if place < last else ''}{f' -- {note}' if note else ''}"
        for place, (text, note) in enumerate(lines)
    )


def _column(column: Column, table: Table, dialect: str) -> tuple[str, str]:
    """Text and comment of one column."""
    parts = [quote_name(column.name, dialect), _type(column.type)]
    if column.primary_key and len(table.primary_key) == 1:
        parts.append("PRIMARY KEY")
    return " ".join(part for part in parts if part), cell_text(column.comment, COMMENT_CHARACTERS)


def _type(declared: str) -> str:
    """The declared type when it looks like one; a type is free text in SQLite and may hold anything."""
    return (
        declared.upper()
        if re.fullmatch(r"[\w ]{1,40}(\(\s*\d+\s*(,\s*\d+\s*)?\))?[\w ]{0,40}", declared)
        else ""
    )


def _primary_key(table: Table, dialect: str) -> list[tuple[str, str]]:
    if len(table.primary_key) < 2:
        return []
    return [(f"PRIMARY KEY ({_names(table.primary_key, dialect)})", "")]


def _foreign_key(key: ForeignKey, dialect: str) -> tuple[str, str]:
    target = f"{quote_name(key.to_table, dialect)}({_names(key.to_columns, dialect)})"
    return f"FOREIGN KEY ({_names(key.columns, dialect)}) REFERENCES {target}", ""


def _names(names: Iterable[str], dialect: str) -> str:
    return ", ".join(quote_name(name, dialect) for name in names)


def _samples(table: Table, schema: Schema, sample_rows: int) -> str:
    rows = schema.samples.get(table.name, ())[:sample_rows]
    if not rows:
        return ""
    lines = "\n".join(" | ".join(cell_text(cell) for cell in row) for row in rows)
    return f"\n/* {len(rows)} rows, data only:\n{lines}\n*/"
