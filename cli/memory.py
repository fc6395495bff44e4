"""critiql memory: questions with queries that a person verified: add, list, remove, export."""

import csv
import getpass
import io
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape as no_markup

from critiql.cli.completion import complete_pair
from critiql.cli.screen.failures import fail, failures
from critiql.cli.screen.json_text import json_text
from critiql.cli.screen.rows import print_rows
from critiql.tools.schema.quoting import escape, escape_lines

app = typer.Typer(
    help="Questions with queries that you verified; similar questions see them as examples.",
    no_args_is_help=True,
)
Db = Annotated[str, typer.Option(help="Path or URL; without it the sample database.")]
FIELDS = ("question", "sql", "database", "who", "when", "structure", "dialect", "id")
"""Columns of an export; the first three are what `--examples` and `critiql eval` read."""


@app.command()
def add(
    question: Annotated[str, typer.Argument(help="The question in plain language.")],
    sql: Annotated[str, typer.Argument(help="The query that answers it.")],
    db: Db = "",
    who: Annotated[str, typer.Option(help="Who says that it is right.", show_default="your login")] = "",
    instead: Annotated[
        bool, typer.Option("--instead", help="Put it in the place of another query for this question.")
    ] = False,
) -> None:
    """Keep a query that you know to be right. It is run first; one that fails is not kept.

    Exit codes: 0 it is kept, 2 it is not, 3 the database cannot be read.
    """
    from critiql.agent.memory.confirm import confirm
    from critiql.tools.database.engine import DEFAULT_LIMITS
    from critiql.tools.database.named import named_database

    with failures():
        database = named_database(db)
        kept, rows = confirm(
            question, sql, database, who or getpass.getuser(), limits=DEFAULT_LIMITS, instead=instead
        )
    console = Console()
    print_rows(console, rows.columns, rows.rows, truncated=rows.truncated)
    console.print(f"Kept as {kept.name}, by {escape(kept.pair.who)}.", markup=False, soft_wrap=True)


@app.command("list")
def list_pairs(
    db: Annotated[str, typer.Option(help="Only those of this database.", show_default="all")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """Show what is verified: by whom, when, and whether the tables have changed since."""
    rows, damaged, changed = _found(db)
    if as_json:
        typer.echo(json_text(rows))
    else:
        _print(rows, changed)
    _warn(damaged)


@app.command()
def remove(
    name: Annotated[
        str, typer.Argument(help="A name that `critiql memory list` shows.", autocompletion=complete_pair)
    ],
) -> None:
    """Take a pair away."""
    from critiql.agent.memory import verified

    with failures():
        verified.remove(name)
    typer.echo(f"{name} was removed.")


@app.command()
def export(
    file: Annotated[
        Path | None, typer.Argument(help="A .jsonl or .csv file; without it JSON lines are printed.")
    ] = None,
    db: Annotated[str, typer.Option(help="Only those of this database.", show_default="all")] = "",
) -> None:
    """Write the pairs as one file, as `--examples` and `critiql eval` read it."""
    rows, damaged, _ = _found(db)
    if file is not None and file.suffix not in (".jsonl", ".csv"):
        fail(f"{file} is neither a .jsonl nor a .csv file. Name it so.", 2)
    text = _csv(rows) if file is not None and file.suffix == ".csv" else _lines(rows)
    if file is None:
        typer.echo(text, nl=False)
    else:
        try:
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            fail(f"{file} cannot be written: {error.strerror}. Name another file.", 2)
        typer.echo(f"{len(rows)} pairs are in {file}.")
    _warn(damaged)


def _found(db: str) -> tuple[list[dict[str, Any]], list[str], set[str]]:
    """The pairs, the damaged files, and the names of pairs whose tables have changed."""
    from critiql.agent.memory import verified
    from critiql.tools.database.named import named_database

    with failures():
        database = named_database(db) if db else None
        memory = verified.about(database) if database else verified.read_memory()
        now = verified.structure_of(database.schema()) if database else None
    rows = [{"id": one.name, **one.pair.model_dump(mode="json", exclude={"version"})} for one in memory.kept]
    return rows, memory.damaged, {row["id"] for row in rows if now and row["structure"] != now}


def _print(rows: list[dict[str, Any]], changed: set[str]) -> None:
    console = Console()
    for row in rows:
        console.print(f"[bold]{no_markup(escape(row['question']))}[/]", highlight=False, soft_wrap=True)
        console.print(f"  {escape_lines(row['sql'])}", markup=False, highlight=False, soft_wrap=True)
        since = "; the tables have changed since" if row["id"] in changed else ""
        said = f"  {row['id']}: {row['database']}, by {row['who']}, {row['when']}{since}"
        console.print(escape(said), markup=False, highlight=False, style="dim", soft_wrap=True)
    if not rows:
        console.print("Nothing is verified yet. Add a pair: critiql memory add QUESTION SQL --db DATABASE")


def _warn(damaged: list[str]) -> None:
    console = Console(stderr=True)
    for said in damaged:
        console.print(escape(said), markup=False, highlight=False, style="red", soft_wrap=True)


def _lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json_text({name: row[name] for name in FIELDS}) + "\n" for row in rows)


def _csv(rows: list[dict[str, Any]]) -> str:
    file = io.StringIO()
    writer: csv.DictWriter[str] = csv.DictWriter(file, [*FIELDS])
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()
