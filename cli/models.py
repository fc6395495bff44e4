"""`critiql models`: the local models: which there are, pull, verify, remove."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from critiql.cli.completion import complete_model
from critiql.cli.screen.failures import failures
from critiql.cli.screen.pulling import gigabytes, pull_shown
from critiql.tools.models.files import store
from critiql.tools.models.files.pulled import find_pulled, pulled_models
from critiql.tools.models.files.registry import HubModel, ModelRecord, registry
from critiql.tools.models.local.adapter import JOIN
from critiql.tools.schema.quoting import escape

app = typer.Typer(help="The local models: list, pull, verify, remove.", no_args_is_help=True)
_out = Console()

Name = Annotated[
    str,
    typer.Argument(
        help="A name that `critiql models list` shows, or hf:OWNER/NAME[:QUANT].",
        autocompletion=complete_model,
    ),
]


@app.command("list")
def list_models() -> None:
    """Show every model with a name: its size, its licence, and whether it is here."""
    columns = [Column(header, no_wrap=True) for header in ("model", "size", "licence", "here")]
    table = Table(*columns, "about")
    for record in registry().models:
        _add(table, record.name, record, record.about)
        for one in record.adapters:
            size = f"{one.size / 1e6:.1f} MB"
            table.add_row(f"{record.name}{JOIN}{one.role}", size, one.licence, "yes", one.about)
    short = {model.stands_for: model for model in registry().on_hub}
    for model in short.values():
        _add_hub_model(table, model)
    for record in pulled_models():
        if record.name not in short:
            _add(table, record.name, record, "Pulled from the hub.")
    _out.print(table)


@app.command()
def pull(name: Name) -> None:
    """Download a model into the local store; a pull that was broken off goes on where it ended.

    `hf:OWNER/NAME:QUANT` gets a GGUF file of the Hugging Face hub. Without QUANT it is Q4_K_M where that is
    there. The licence that its repository states is shown before anything is downloaded.
    """
    with failures():
        record, path = pull_shown(name)
    _out.print(
        f"{record.name} is here: {path} (licence: {escape(record.licence)})", soft_wrap=True, markup=False
    )


@app.command()
def verify(name: Name) -> None:
    """Check a stored model against its size and SHA-256."""
    with failures():
        record = store.record_of(name)
        store.verify(record)
    _out.print(f"{record.name} is whole (SHA-256 {record.sha256[:12]}…).")


@app.command()
def remove(name: Name) -> None:
    """Delete a model from the local store."""
    with failures():
        record = store.record_of(name)
        was_here = store.remove(record)
    _out.print(f"{record.name} was removed." if was_here else f"{record.name} was not here.")


def _add_hub_model(table: Table, model: HubModel) -> None:
    """A row for a model that only the hub knows the size and the licence of, until it is pulled."""
    record = find_pulled(model.stands_for)
    if record:
        _add(table, model.name, record, model.about)
    else:
        table.add_row(model.name, "?", "told by the hub", "no", model.about)


def _add(table: Table, name: str, record: ModelRecord, about: str) -> None:
    """A row for a model whose file is known."""
    here = "yes" if store.is_here(record) else "no"
    table.add_row(*map(escape, (name, gigabytes(record), record.licence, here, about)))
