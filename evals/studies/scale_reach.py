"""How far an actor's scale of confidence holds on answers that it was not fitted on.

Run as `python -m critiql.evals.studies.scale_reach SCALE FILE...`: a file of `critiql eval confidence`, and
stores or exports of the same actor. It asks no model, and prints one JSON object a run.
"""

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any

import typer

from critiql.agent.decide.actor_scale import ActorScale, read_scale
from critiql.agent.decide.calibration import Confidence
from critiql.evals.fit.confidence import Judged, judged_answers
from critiql.evals.run.export import open_results

SYSTEMS = ("single_shot", "text_to_sql")
"""Graphs whose answers have such a confidence."""


def reach(scale: Confidence, judged: Sequence[Judged]) -> dict[str, Any]:
    """What the scale says on average, what was right, and both for what it holds for probably wrong.

    Answers below the lowest reading of the fit have no confidence, and are counted apart.
    """
    known = [(scale.of(one.reading), one.right) for one in judged if scale.covers(one.reading)]
    if not known:
        return {"answers": 0, "without": len(judged)}
    doubtful = [right for sure, right in known if sure < 0.5]
    share = fmean(right for _, right in known)
    return {
        "answers": len(known),
        "without": len(judged) - len(known),
        "said": round(fmean(sure for sure, _ in known), 3),
        "right": round(share, 3),
        "brier": round(fmean((sure - right) ** 2 for sure, right in known), 3),
        "brier_constant": round(share * (1 - share), 3),
        "said_below_half": {"answers": len(doubtful), "right": sum(doubtful)},
    }


def main(
    scale: Annotated[Path, typer.Argument(help="Scale of critiql eval confidence.")],
    files: Annotated[list[Path], typer.Argument(help="Stores and exports.")],
) -> None:
    """Print how far the scale holds on every run of its actor."""
    fitted = read_scale(scale)
    for path in files:
        with closing(open_results(path)) as results:
            for run in results.runs():
                if run.spec.model == fitted.actor and run.spec.system in SYSTEMS:
                    told = reach(fitted.scale, judged_answers(results.answers(run)))
                    typer.echo(json.dumps(_named(path, run.id, run.spec.system, fitted) | told))


def _named(path: Path, run: str, system: str, fitted: ActorScale) -> dict[str, Any]:
    return {"file": path.name, "run": run, "system": system, "fitted_on_it": run == fitted.run}


if __name__ == "__main__":
    typer.run(main)
