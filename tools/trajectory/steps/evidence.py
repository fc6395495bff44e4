"""What a step-by-step run says about a query: where the rows vanish, where they multiply."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from critiql.tools.trajectory.steps.interpret import StepRun


@dataclass(frozen=True)
class Evidence:
    """One thing a critic should know."""

    kind: Literal["vanish", "multiply", "failed"]
    line: int
    text: str


def evidence(runs: Sequence[StepRun]) -> tuple[Evidence, ...]:
    """The first step of each frame after which no row is left, and each join with more rows than either side.

    A join that gives each row several partners is common and says nothing; more rows than the larger of both
    sides means that partners are shared, as when a join condition is missing.
    """
    found: list[Evidence] = []
    for run in runs:
        if run.rows == 0 and run.before != 0 and run.action != "frame":
            found.append(Evidence("vanish", run.line, _vanish(run)))
        elif run.joined is not None and run.rows is not None and run.before is not None:
            most = run.before + run.joined if run.keeps_unmatched else max(run.before, run.joined)
            if run.rows > most:
                found.append(
                    Evidence(
                        "multiply",
                        run.line,
                        f"{run.text} makes {run.rows:,} rows out of {run.before:,} and {run.joined:,}: "
                        "rows are matched several times over on both sides",
                    )
                )
        elif run.note.startswith("did not run") and run.frame == runs[-1].frame:
            found.append(Evidence("failed", run.line, f"{run.text}: {run.note}"))
    return tuple(found)


def _vanish(run: StepRun) -> str:
    if run.before is None:
        return f"{run.text} finds no row at all"
    return f"{run.text} leaves none of {run.before:,} rows"
