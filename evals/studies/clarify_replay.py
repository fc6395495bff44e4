"""How often the assistant would ask which of two readings is meant, counted on stored answers of text_to_sql.

Run as `python -m critiql.evals.studies.clarify_replay [EXPORT ...]`; prints one JSON object, a line a run. No
model is asked: the rule of the assistant looks at the stored candidates, with what was known of them.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from critiql.agent.assistant.readings import standing_pair
from critiql.agent.evidence import Candidate
from critiql.evals.run.export import open_results
from critiql.evals.run.store import StoredAnswer
from critiql.evals.statistics import wilson
from critiql.evals.studies.decide_replay import EXPORTS, whole

PUBLISHED = (EXPORTS / "train/spider-train-300_dev-run-8.jsonl.gz",)


def pair_of(answer: StoredAnswer) -> tuple[Candidate, Candidate] | None:
    """The answer's candidate and the other reading that a person would be shown; None where none is asked."""
    candidates = [whole(candidate) for candidate in answer.candidates]
    own = next((each for each in candidates if each["sql"] == answer.sql), None)
    if own is None:
        return None
    return standing_pair({"candidates": candidates, "incumbent": own["id"]})


def summary(answers: Sequence[StoredAnswer]) -> dict[str, Any]:
    """Counts over the answers of one run; where nobody knows what is right, an answer is left out."""
    judged = [one for one in answers if one.correct is not None]
    asked = [(one, pair) for one in judged if (pair := pair_of(one))]
    first = sum(bool(own.get("correct")) for _, (own, _) in asked)
    second = sum(bool(other.get("correct")) and not own.get("correct") for _, (own, other) in asked)
    return {
        "answers": len(judged),
        "asked": len(asked),
        "interval": [round(100 * bound, 1) for bound in wilson(len(asked), len(judged))],
        "the answer is right": first,
        "only the other is right": second,
        "neither": len(asked) - first - second,
        "both": sum(bool(own.get("correct")) and bool(other.get("correct")) for _, (own, other) in asked),
        "wrong answers in all": sum(not one.correct for one in judged),
    }


def summaries(path: Path) -> Iterator[dict[str, Any]]:
    """One line for each run of text_to_sql in an export.

    Raises:
        ValueError: it is neither an export nor a store.
    """
    with closing(open_results(path)) as store:
        for run in store.runs():
            if run.spec.system == "text_to_sql":
                settings = {k: v for k, v in run.spec.settings.items() if k not in ("calibration", "seconds")}
                yield {"settings": settings, **summary(list(store.answers(run)))}


def main(
    exports: Annotated[
        list[Path] | None, typer.Argument(help="Exports or stores; without: train-300.")
    ] = None,
) -> None:
    """Print what a person would have been asked."""
    found = {path.name: list(summaries(path)) for path in exports or PUBLISHED}
    typer.echo(json.dumps(found, indent=2))


if __name__ == "__main__":
    typer.run(main)
