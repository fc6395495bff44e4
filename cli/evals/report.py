"""`critiql eval report`: one page and one table of everything in a store."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from critiql.cli.evals.results import results_of
from critiql.evals.data.datasets import load
from critiql.evals.data.item import Item
from critiql.evals.report.page import write_report
from critiql.evals.run.store import Store


def eval_report(
    store: Annotated[Path, typer.Argument(help="Store or export.")],
    out: Annotated[Path, typer.Option(help="Folder for index.html and table.md.")] = Path("report"),
    text: Annotated[
        bool, typer.Option(help="Show questions and gold queries where the data set is here.")
    ] = True,
) -> None:
    """Write one self-contained page with plots and every answer, and a Markdown table."""
    with results_of(store) as results:
        page = write_report(results, out, _questions(results) if text else None)
    Console(stderr=True).print(f"Written: {page} and {out / 'table.md'}", soft_wrap=True)


def _questions(results: Store) -> dict[tuple[str, int], Item]:
    """The items of every data set of the store that is on this machine."""
    found: dict[tuple[str, int], Item] = {}
    for name in {run.spec.dataset for run in results.runs()}:
        try:
            items = load(name).items
        except ValueError:
            continue  # somebody's own file, whose place the store does not keep
        found |= {(name, item.index): item for item in items}
    return found
