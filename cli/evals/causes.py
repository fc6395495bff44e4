"""`critiql eval causes`: why the wrong answers of a run are wrong."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from critiql.cli.evals.results import results_of
from critiql.evals.data.task import questions
from critiql.evals.report.causes import Cause, Wrong, causes, wrong_answers

SHOWN = 4
"""Questions that a row names."""


def eval_causes(
    store: Annotated[Path, typer.Argument(help="Store or export.")],
    system: Annotated[str, typer.Argument(help="Run id, or system: its newest run.")],
    dataset: Annotated[str | None, typer.Option(help="Only runs on this data set.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Count wrong answers by error type: alone, failing to run, with a right candidate there, broken."""
    with results_of(store) as results:
        run = results.run(system, dataset)
        items = {item.index: item for item in questions(run.spec.dataset).items}
        found = wrong_answers(results.answers(run), items)
    counted = causes(found)
    if as_json:
        typer.echo(json.dumps({"run": run.id, "wrong": len(found), "causes": [asdict(c) for c in counted]}))
    else:
        console = Console(highlight=False)
        console.print(_table(counted, f"{len(found)} wrong answers of {run.spec.system} ({run.id})"))
        console.print(_sentence(found), soft_wrap=True)


def _table(counted: list[Cause], title: str) -> Table:
    table = Table(title=title)
    table.add_column("cause", no_wrap=True)
    for column in ("answers", "alone", "fails", "choice", "broken"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("questions")
    for cause in counted:
        named = ", ".join(map(str, cause.indices[:SHOWN])) + (", …" if len(cause.indices) > SHOWN else "")
        counts = (cause.answers, cause.alone, cause.fails, cause.choice, cause.broken)
        table.add_row(cause.name, *map(str, counts), named)
    return table


def _sentence(found: list[Wrong]) -> str:
    choice = sum(wrong.choice for wrong in found)
    broken = sum(wrong.broken for wrong in found)
    return (
        f"A right candidate was there for {choice}, none was supplied for {len(found) - choice}; "
        f"{broken} had been right at first."
    )
