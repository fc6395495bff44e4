"""`critiql eval merge`: several stores and exports as one store."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from critiql.cli.evals.results import stated
from critiql.evals.data.task import questions
from critiql.evals.run.merge import merge
from critiql.evals.run.store import Store


def eval_merge(
    out: Annotated[Path, typer.Argument(help="Store to write, or to add to.")],
    files: Annotated[list[Path], typer.Argument(help="Stores and exports.")],
    task: Annotated[str | None, typer.Option(help="Only the questions of this task.")] = None,
) -> None:
    """Put runs made apart into one store, for compare, supply and report."""
    with stated():
        indices = {item.index for item in questions(task).items} if task else None
        with closing(Store(out)) as store:
            count = merge(files, store, indices)
    Console(stderr=True).print(f"{count} answers added to {out}", soft_wrap=True)
