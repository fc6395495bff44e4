"""The schema in the M-Schema form of XiYan-SQL: one line a column, with type, key, comment and examples.

Differs from the published printer where that one is broken or unsafe: foreign keys are always printed, text
examples are quoted, line breaks and control characters escaped.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from critiql.tools.schema.model import Column, Schema, Table
from critiql.tools.schema.quoting import cell_text, quote_name

Examples = Mapping[tuple[str, str], Sequence[object]]
"""Values to show per (table, column), the best first."""
EXAMPLES = 3
SHORT, LONG = 20, 50
"""Longest example of which several are shown, and of which one is shown."""
COMMENT_CHARACTERS = 80
PRIVATE = re.compile(r"@|://|^www\.")
"""Addresses say nothing about a column and cost many tokens."""


def mschema(
    schema: Schema, name: str = "", values: Examples | None = None, tables: Iterable[str] | None = None
) -> str:
    """M-Schema text, the same bytes for the same content.

    Args:
        schema: What to print.
        name: The database's name, shown in the first line when given.
        values: Example values to show first; where a column has none, those of the schema's sample rows.
        tables: Names of the tables to print, case ignored; all when None.
    """
    wanted = None if tables is None else {table.casefold() for table in tables}
    shown = [table for table in schema.tables if wanted is None or table.name.casefold() in wanted]
    head = [f"【DB_ID】 {cell_text(name)}"] if name else []
    blocks = [_table(table, schema, values or {}) for table in shown]
    return "\n".join([*head, "【Schema】", *blocks, *_foreign_keys(shown, schema.dialect)])


def _table(table: Table, schema: Schema, values: Examples) -> str:
    note = f", {cell_text(table.comment, COMMENT_CHARACTERS)}" if table.comment else ""
    sampled = schema.samples.get(table.name, ())
    lines = []
    for place, column in enumerate(table.columns):
        found = values.get((table.name, column.name)) or [row[place] for row in sampled]
        lines.append(_column(column, found, schema.dialect))
    return f"# Table: {quote_name(table.name, schema.dialect)}{note}\n[\n" + ",\n".join(lines) + "\n]"


def _column(column: Column, values: Sequence[object], dialect: str) -> str:
    kind = re.sub(r"\(.*", "", column.type, flags=re.DOTALL).strip().upper()
    name = quote_name(column.name, dialect)
    parts = [f"{name}:{cell_text(kind)}" if kind else name]
    if column.comment:
        parts.append(cell_text(column.comment, COMMENT_CHARACTERS))
    if column.primary_key:
        parts.append("Primary Key")
    if examples := _examples(values, kind):
        parts.append(f"Examples: [{', '.join(examples)}]")
    return f"({', '.join(parts)})"


def _examples(values: Sequence[object], kind: str) -> list[str]:
    """At most three different values; one for dates and long text, none for very long text and addresses."""
    seen = list(
        dict.fromkeys(value for value in values if value not in (None, "") and not isinstance(value, bytes))
    )
    longest = max((len(str(value)) for value in seen), default=0)
    if longest > LONG or any(PRIVATE.search(str(value)) for value in seen):
        return []
    several = longest <= SHORT and not kind.startswith(("DATE", "TIME"))
    return [_literal(value) for value in seen[: EXAMPLES if several else 1]]


def _literal(value: object) -> str:
    text = cell_text(value)
    return "'" + text.replace("'", "''") + "'" if isinstance(value, str) else text


def _foreign_keys(tables: Sequence[Table], dialect: str) -> list[str]:
    names = {table.name for table in tables}
    lines = []
    for key in (key for table in tables for key in table.foreign_keys if key.to_table in names):
        ours, theirs = quote_name(key.table, dialect), quote_name(key.to_table, dialect)
        lines += [
            f"{ours}.{quote_name(column, dialect)}={theirs}.{quote_name(target, dialect)}"
            for column, target in zip(key.columns, key.to_columns, strict=True)
        ]
    return ["【Foreign keys】", *lines] if lines else []
