"""Rows as a table of text: Markdown for chats, HTML for notebooks. Nothing in a cell becomes a mark."""

from collections.abc import Sequence
from html import escape as html_escape
from typing import Any

from critiql.agent.wording.sentence import cell, plain
from critiql.tools.schema.quoting import escape

SHOWN = 50
"""Rows of a table that is shown."""


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, truncated: bool) -> str:
    """A table in Markdown, and a line that says where it was cut."""
    if not columns:
        return ""
    head = f"| {' | '.join(plain(name) for name in columns)} |"
    rule = f"|{'---|' * len(columns)}"
    lines = [f"| {' | '.join(cell(value) for value in row)} |" for row in rows[:SHOWN]]
    cut = f"\n\n{cut_note(rows, truncated=truncated)}".rstrip()
    return "\n".join([head, rule, *lines]) + cut


def html_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, truncated: bool) -> str:
    """A table in HTML, and a line that says where it was cut."""
    if not columns:
        return ""
    head = "".join(f"<th>{html_escape(escape(name))}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(_html_cell(value) for value in row)}</tr>" for row in rows[:SHOWN])
    note = cut_note(rows, truncated=truncated)
    cut = f"<p>{html_escape(note)}</p>" if note else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{cut}"


def cut_note(rows: Sequence[Sequence[Any]], *, truncated: bool) -> str:
    """Where a table was cut; empty where it was not."""
    if truncated:
        return f"The first {min(len(rows), SHOWN)} rows; there are more than {len(rows)}."
    return f"The first {SHOWN} of {len(rows)} rows." if len(rows) > SHOWN else ""


def _html_cell(value: Any) -> str:
    return f"<td>{'<i>NULL</i>' if value is None else html_escape(escape(str(value)))}</td>"
