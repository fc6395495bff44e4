"""Rows as a table in the terminal. Cells are hostile: their control characters and markup are only shown."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from critiql.tools.schema.quoting import cell_text, escape, shown_number

SHOWN_ROWS = 50
"""Rows drawn; the number of the others is said under the table."""
CELL_CHARACTERS = 60


def print_rows(
    console: Console, columns: Sequence[str], rows: Sequence[Sequence[object]], *, truncated: bool = False
) -> None:
    """Draw the first rows, and say how many there are and whether a cap cut them."""
    table = Table(header_style="bold")
    for name in columns:
        table.add_column(Text(escape(name)), overflow="fold")
    for row in rows[:SHOWN_ROWS]:
        table.add_row(*(_cell(value) for value in row))
    if columns:
        console.print(table)
    console.print(_count(len(rows), truncated), markup=False, highlight=False, style="dim")


def _cell(value: object) -> Text:
    style = "dim" if value is None else ""
    shown = shown_number(value) if isinstance(value, float) else value
    text = Text(cell_text(shown, CELL_CHARACTERS), style=style)
    text.justify = "right" if isinstance(value, int | float) else "left"
    return text


def _count(count: int, truncated: bool) -> str:
    said = "1 row" if count == 1 else f"{count} rows"
    hidden = f", {count - SHOWN_ROWS} of them not shown" if count > SHOWN_ROWS else ""
    return f"{said}{hidden}{', cut at a limit: there is more' if truncated else ''}"
