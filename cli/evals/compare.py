"""`critiql eval compare`: two systems on the same questions."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from critiql.cli.evals.results import results_of
from critiql.evals.report.compare import Comparison, compare_answers
from critiql.evals.run.store import Run
from critiql.evals.statistics import Estimate


def eval_compare(
    store: Annotated[Path, typer.Argument(help="Store or export.")],
    a: Annotated[str, typer.Argument(help="Run id, or system: its newest run.")],
    b: Annotated[str, typer.Argument(help="The run that is to be better.")],
    dataset: Annotated[str | None, typer.Option(help="Only runs on this data set.")] = None,
    suite: Annotated[bool, typer.Option("--suite", help="Compare by test-suite accuracy.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Paired difference of two systems: fixed, broken, McNemar's exact test, a bootstrap interval."""
    with results_of(store) as results:
        first, second = results.run(a, dataset), results.run(b, dataset)
        found = compare_answers(list(results.answers(first)), list(results.answers(second)), suite=suite)
    if as_json:
        typer.echo(json.dumps({"a": first.id, "b": second.id, **asdict(found)}))
    else:
        Console().print(_table(first, second, found))


def _table(first: Run, second: Run, found: Comparison) -> Table:
    table = Table("", "value", "95 % interval", title=f"{found.paired.n} questions in common")
    table.add_row(f"A: {first.spec.system} ({first.id})", *_cells(found.first))
    table.add_row(f"B: {second.spec.system} ({second.id})", *_cells(found.second))
    table.add_row("B - A", *_cells(found.paired.difference))
    table.add_row("fixed", str(found.paired.fixed), _list(found.fixed))
    table.add_row("broken", str(found.paired.broken), _list(found.broken))
    table.add_row("McNemar, exact", f"p = {found.paired.p_value:.4g}", "")
    return table


def _cells(estimate: Estimate) -> tuple[str, str]:
    return f"{estimate.value:+.2%}".removeprefix("+"), f"{estimate.low:.2%} to {estimate.high:.2%}"


def _list(indices: list[int]) -> str:
    shown = ", ".join(map(str, indices[:12]))
    return f"{shown}, …" if len(indices) > 12 else shown
