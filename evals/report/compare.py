"""Two runs against each other, on the questions that both answered."""

from collections.abc import Sequence
from dataclasses import dataclass

from critiql.evals.run.store import StoredAnswer, paired
from critiql.evals.statistics import Estimate, Paired, compare, proportion


@dataclass(frozen=True)
class Comparison:
    """System B against system A."""

    first: Estimate
    """Accuracy of A."""
    second: Estimate
    """Accuracy of B."""
    paired: Paired
    fixed: list[int]
    """Questions that A has wrong and B right."""
    broken: list[int]
    """Questions that A has right and B wrong."""


def compare_answers(
    first: Sequence[StoredAnswer], second: Sequence[StoredAnswer], *, suite: bool = False
) -> Comparison:
    """Compare by execution accuracy, or by test-suite accuracy.

    Raises:
        ValueError: no question was answered by both.
    """
    pairs = [(a, b) for a, b in paired(first, second) if not suite or _by_suite(a, b)]
    if not pairs:
        raise ValueError("The two runs have no scored question in common.")
    before = [bool(a.suite_correct if suite else a.correct) for a, _ in pairs]
    after = [bool(b.suite_correct if suite else b.correct) for _, b in pairs]
    changes = [(a.index, was, now) for (a, _), was, now in zip(pairs, before, after, strict=True)]
    return Comparison(
        first=proportion(sum(before), len(before)),
        second=proportion(sum(after), len(after)),
        paired=compare(before, after),
        fixed=[index for index, was, now in changes if now and not was],
        broken=[index for index, was, now in changes if was and not now],
    )


def _by_suite(a: StoredAnswer, b: StoredAnswer) -> bool:
    return a.suite_correct is not None and b.suite_correct is not None
