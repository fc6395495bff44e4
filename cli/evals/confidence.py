"""`critiql eval confidence`: fit how likely an actor's answers are right, on the answers of a run."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from critiql import prompts
from critiql.agent.decide.actor_scale import ActorScale, user_folder, write_scale
from critiql.agent.decide.calibration import Confidence
from critiql.cli.evals.results import results_of
from critiql.evals.fit.confidence import LEAST, fit_scale, judged_answers
from critiql.evals.run.store import Run


def eval_confidence(
    store: Annotated[Path, typer.Argument(help="Store or export.")],
    run: Annotated[str, typer.Option(help="Run id, or system.")] = "text_to_sql",
    dataset: Annotated[str | None, typer.Option(help="Only runs on this data set.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write; default: your own folder.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Fit how likely the answers of a model, or of a model with an adapter, are right; it asks nothing."""
    with results_of(store) as results:
        found = results.run(run, dataset)
        judged = judged_answers(results.answers(found))
        scale = _fitted(found, fit_scale(judged, "logprob"), len({one.db_id for one in judged}))
    path = out or user_folder() / f"{scale.actor}-{scale.scale.prompt}.json"
    write_scale(scale, path)
    if as_json:
        typer.echo(json.dumps({"file": str(path)} | scale.model_dump()))
        return
    Console(highlight=False, soft_wrap=True).print("\n".join(_lines(scale, path)))


def _fitted(run: Run, scale: Confidence | None, databases: int) -> ActorScale:
    """The scale with where it comes from.

    Raises:
        ValueError: nothing was fitted, or the run's prompt is not the one in use.
    """
    used = prompts.load("actor").digest
    if run.spec.prompts.get("actor") != used:
        raise ValueError(f"The actor's prompt has changed since run {run.id}. Run it again, then fit.")
    if scale is None:
        raise ValueError(
            f"Nothing was fitted on run {run.id}. It takes {LEAST} answers that ran and could be scored, "
            "right and wrong ones, of at least five databases; and how likely the model held its query has "
            "to tell more than the share of right answers."
        )
    told = scale.model_copy(update={"prompt": used})
    return ActorScale(
        actor=run.spec.model,
        dataset=run.spec.dataset,
        run=run.id,
        databases=databases,
        commit=run.commit,
        scale=told,
    )


def _lines(scale: ActorScale, path: Path) -> list[str]:
    fitted = scale.scale
    return [
        f"Fitted on {fitted.n} answers of {scale.databases} databases.",
        f"Brier score on databases held out: {fitted.brier:.3f}; of the share of right answers alone, "
        f"{fitted.brier_constant:.3f}.",
        f"Answers of this model now say how sure they are: {path}",
    ]
