"""What the actor wrote in an evaluation, and whether it was right: examples of errors as they happen."""

from pathlib import Path

from critiql.evals.run.export import open_results
from critiql.evals.run.store import StoredAnswer
from critiql.tools.sql.canonical import fingerprint

Predictions = dict[int, dict[str, bool]]
"""By index of the question: canonical SQL, and whether it gave gold's rows."""


def predictions_of(store: Path, dataset: str) -> Predictions:
    """Every scored query of every run on a data set, out of a store or an export.

    Raises:
        ValueError: the file has no run on it, or is neither store nor export.
    """
    found: Predictions = {}
    with open_results(store) as opened:
        runs = [run for run in opened.runs() if run.spec.dataset == dataset]
        if not runs:
            raise ValueError(
                f"{store} holds no run on {dataset}. Evaluate on it first: critiql eval run {dataset}."
            )
        for run in runs:
            for answer in opened.answers(run):
                found.setdefault(answer.index, {}).update(_scored(answer))
    return found


def _scored(answer: StoredAnswer) -> dict[str, bool]:
    pairs = [(one.get("sql"), one.get("correct")) for one in answer.candidates]
    pairs.append((answer.sql, answer.correct))
    return {fingerprint(sql): right for sql, right in pairs if sql and right is not None}
