"""`critiql eval repairs`: an actor's own wrong queries as a corpus of repairs that the refiner is shown."""

import json
from pathlib import Path
from typing import Annotated

import typer

from critiql.cli.evals.results import stated
from critiql.cli.screen.failures import failures
from critiql.cli.train import progress
from critiql.evals.data.task import questions
from critiql.evals.detect.repair_corpus import repairs_of
from critiql.evals.run.export import open_results


def eval_repairs(
    store: Annotated[Path, typer.Argument(help="Store or export of a run on training questions.")],
    out: Annotated[Path, typer.Option(help="Where the corpus goes, one JSON object a line.")],
    system: Annotated[str, typer.Option(help="Run id, or system: its newest run.")] = "single_shot",
    dataset: Annotated[str | None, typer.Option(help="Only runs on this data set.")] = None,
) -> None:
    """Write a corpus of repairs; it holds text of the benchmark, so keep it to yourself."""
    with failures(), stated(), open_results(store) as results:
        run = results.run(system, dataset)
        if "dev" in run.spec.dataset:
            raise ValueError(
                f"Run {run.id} is on {run.spec.dataset}. Repairs are learnt from training questions only."
            )
        answers = list(results.answers(run))
        items = {item.index: item for item in questions(run.spec.dataset).items}
        wrong = sum(bool(a.candidates) and a.candidates[0].get("correct") is False for a in answers)
        with progress("wrong queries") as follow:
            found = list(repairs_of(answers, items, follow(wrong)))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found), "utf-8")
    typer.echo(f"{len(found)} repairs of {wrong} wrong queries written to {out}")
