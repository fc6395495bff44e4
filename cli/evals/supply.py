"""`critiql eval supply`: how often each way of writing a further query wins what the first one lost."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from critiql.cli.evals.results import results_of
from critiql.evals.data.task import questions
from critiql.evals.report.rows import BASELINE, Entry
from critiql.evals.report.supply import Way, nested_alone, ways


def eval_supply(
    store: Annotated[Path, typer.Argument(help="Store or export.")],
    dataset: Annotated[str | None, typer.Option(help="Only runs on this data set.")] = None,
    baseline: Annotated[str, typer.Option(help="Run id, or system, whose misses are to be won.")] = BASELINE,
    nested: Annotated[
        bool, typer.Option("--nested", help="Only where the reference holds more than one SELECT.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Per way of writing a further query: right, repeated, tokens, points of pass@2, won for 1,000 tokens."""
    with results_of(store) as results:
        base = results.run(baseline, dataset)
        answers = list(results.answers(base))
        same = [run for run in results.runs() if run.spec.dataset == base.spec.dataset]
        entries = [Entry(run, list(results.answers(run))) for run in same]
    size = sum(answer.correct is not None for answer in answers)
    if nested:
        answers = nested_alone(answers, questions(base.spec.dataset).items)
    found = ways(answers, entries)
    if as_json:
        typer.echo(
            json.dumps({"baseline": base.id, "questions": size, "ways": [_row(w, size) for w in found]})
        )
        return
    missed = sum(answer.correct is False for answer in answers)
    Console(highlight=False).print(_table(found, size, f"{missed} of {size} questions missed by {base.id}"))


def _row(way: Way, size: int) -> dict[str, object]:
    return asdict(way) | {"points": way.points(size), "won_per_thousand_tokens": way.won_per_thousand}


def _table(found: list[Way], size: int, title: str) -> Table:
    table = Table(title=title)
    table.add_column("run", min_width=14, overflow="fold")
    table.add_column("query", no_wrap=True)
    for column in ("asked", "right", "again", "tokens", "points", "won/1k"):
        table.add_column(column, justify="right", no_wrap=True)
    for way in found:
        rate = way.won_per_thousand
        shares = (f"{100 * way.right.value:.1f} %", f"{100 * way.repeated.value:.0f} %")
        gains = (f"{way.points(size):.1f}", "" if rate is None else f"{rate:.2f}")
        table.add_row(way.label, way.how, str(way.asked), *shares, f"{way.tokens:.0f}", *gains)
    return table
