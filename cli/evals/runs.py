"""`critiql eval runs`: what a store holds."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from critiql.cli.evals.results import results_of
from critiql.evals.report.rows import Entry
from critiql.evals.statistics import proportion


def eval_runs(store: Annotated[Path, typer.Argument(help="Store or export.")]) -> None:
    """List the runs of a store, oldest first: the ids that `compare` takes."""
    table = Table(
        Column("id", no_wrap=True),
        Column("system and settings", overflow="fold"),
        Column("task", overflow="fold"),
        *("answers", "EX", "started"),
    )
    with results_of(store) as results:
        for run in results.runs():
            entry = Entry(run, list(results.answers(run)))
            scored = [bool(a.correct) for a in entry.answers if a.correct is not None]
            share = proportion(sum(scored), len(scored))
            figures = (str(len(entry.answers)), f"{share.value:.1%}" if share.n else "")
            table.add_row(run.id, entry.label, run.task, *figures, run.started[:16].replace("T", " "))
    Console().print(table)
