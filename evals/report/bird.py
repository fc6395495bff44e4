"""BIRD's scores of the answers of a run."""

from collections.abc import Iterable

from critiql.evals.metrics.bird import BirdScore
from critiql.evals.metrics.bird_summary import Scored
from critiql.evals.run.store import StoredAnswer


def bird_scored(answers: Iterable[StoredAnswer]) -> list[Scored]:
    """The answers of a run that were scored as BIRD does; a question on which the agent failed scores 0."""
    answers = list(answers)
    if all(answer.soft_f1 is None for answer in answers):
        return []
    timed = any(answer.reward for answer in answers)
    return [
        Scored(BirdScore(bool(a.correct), a.soft_f1 or 0.0, a.reward or 0.0), a.difficulty, timed)
        for a in answers
    ]
