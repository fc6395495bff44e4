"""`critiql models`: the local models: which there are, pull, verify, remove."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from critiql.cli.completion import complete_model
from critiql.cli.screen import exit_codes
from critiql.tools.models.files import store
from critiql.tools.models.files.download import pull as pull_model
from critiql.tools.models.files.registry import ModelRecord, registry
from critiql.tools.models.model import ModelError

app = typer.Typer(help="The local models: list, pull, verify, remove.", no_args_is_help=True)
_out = Console()
_err = Console(stderr=True)

Name = Annotated[
    str, typer.Argument(help="A name that `critiql models list` shows.", autocompletion=complete_model)
]


@app.command("list")
def list_models() -> None:
    """Show every model with a name: its size, its licence, and whether it is here."""
    columns = [Column(header, no_wrap=True) for header in ("model", "size", "licence", "here")]
    table = Table(*columns, "about")
    for record in registry().models:
        here = "yes" if store.stored_file(record).is_file() else "no"
        table.add_row(record.name, _gigabytes(record), record.licence, here, record.about)
    _out.print(table)


@app.command()
def pull(name: Name) -> None:
    """Download a model into the local store; a pull that was broken off goes on where it ended."""
    with _errors(), _progress_bar() as bar:
        record = registry().get(name)
        task = bar.add_task(record.name, total=record.size)
        path = pull_model(record, lambda done, _: bar.update(task, completed=done))
        bar.update(task, completed=record.size)
    _out.print(f"{record.name} is here: {path}", soft_wrap=True)


@app.command()
def verify(name: Name) -> None:
    """Check a stored model against its size and SHA-256."""
    with _errors():
        record = registry().get(name)
        store.verify(record)
    _out.print(f"{record.name} is whole (SHA-256 {record.sha256[:12]}…).")


@app.command()
def remove(name: Name) -> None:
    """Delete a model from the local store."""
    with _errors():
        record = registry().get(name)
        was_here = store.remove(record)
    _out.print(f"{record.name} was removed." if was_here else f"{record.name} was not here.")


def _gigabytes(record: ModelRecord) -> str:
    return f"{record.size / 1e9:.2f} GB"


def _progress_bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=_err)


@contextmanager
def _errors() -> Iterator[None]:
    """Show a model error as a sentence, and exit."""
    try:
        yield
    except ModelError as error:
        _err.print(str(error), style="red", soft_wrap=True, markup=False)
        raise typer.Exit(exit_codes.MODEL) from None
