"""What the repair after detection did: a run of `error_llm` beside `single_shot` on the same questions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from critiql.evals.metrics.detection import Judged, RepairScores, repair_scores
from critiql.evals.run.store import StoredAnswer, paired
from critiql.evals.statistics import Estimate, proportion


@dataclass(frozen=True)
class RepairReport:
    """Detection and repair on the questions that both runs answered."""

    n: int
    same_first: int
    """Questions on which both runs wrote the same first query."""
    before: Estimate
    """EX of the first run."""
    after: Estimate
    true_positives: int
    """First queries that were flagged and wrong."""
    false_positives: int
    scores: RepairScores
    tokens: dict[str, dict[str, dict[str, float]]]
    """By run (`before`, `after`) and role: mean prompt, cached and generated tokens a question."""


def repair_report(before: Sequence[StoredAnswer], after: Sequence[StoredAnswer]) -> RepairReport:
    """Weigh two runs; a query was flagged where the detector found something in the first one.

    Raises:
        ValueError: no question was answered and scored in both.
    """
    pairs = [(a, b) for a, b in paired(before, after) if _scored(a) and _scored(b)]
    if not pairs:
        raise ValueError("The two runs have no scored question in common.")
    judged = [_judged(b) for _, b in pairs]
    return RepairReport(
        n=len(pairs),
        same_first=sum(a.candidates[0].get("sql") == b.candidates[0].get("sql") for a, b in pairs),
        before=_accuracy(a for a, _ in pairs),
        after=_accuracy(b for _, b in pairs),
        true_positives=sum(one.flagged and one.wrong for one in judged),
        false_positives=sum(one.flagged and not one.wrong for one in judged),
        scores=repair_scores(judged),
        tokens={"before": _tokens([a for a, _ in pairs]), "after": _tokens([b for _, b in pairs])},
    )


def _scored(answer: StoredAnswer) -> bool:
    return bool(answer.candidates) and answer.candidates[0].get("correct") is not None


def _judged(answer: StoredAnswer) -> Judged:
    first = answer.candidates[0]
    repaired = answer.sql != first.get("sql")
    return Judged(
        wrong=not first["correct"],
        flagged=bool(first.get("findings")),
        correct_after=bool(answer.correct) if repaired else None,
    )


def _accuracy(answers: Iterable[StoredAnswer]) -> Estimate:
    verdicts = [bool(answer.correct) for answer in answers]
    return proportion(sum(verdicts), len(verdicts))


def _tokens(answers: Sequence[StoredAnswer]) -> dict[str, dict[str, float]]:
    roles = sorted({role for answer in answers for role in answer.usage})
    return {
        role: {
            kind: round(sum(answer.usage.get(role, {}).get(kind, 0) for answer in answers) / len(answers), 2)
            for kind in ("prompt", "cached", "generated")
        }
        for role in roles
    }
