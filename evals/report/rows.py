"""The figures of a report: one row a run, each number with its error."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from critiql.evals.fit.draws import GENERATED
from critiql.evals.metrics.cost import Cost, QuestionCost, Spent, cost
from critiql.evals.report.compare import Comparison, compare_answers
from critiql.evals.run.store import Run, StoredAnswer
from critiql.evals.statistics import Estimate, holm, proportion
from critiql.tools.schema.quoting import escape

BASELINE = "single_shot"
"""The system that every other one is compared with."""

QUIET = ("model", "seconds")
"""Settings that a label leaves out."""


@dataclass(frozen=True)
class Entry:
    """A run with its answers."""

    run: Run
    answers: list[StoredAnswer]

    @property
    def label(self) -> str:
        """System and the settings that differ from their defaults."""
        parts = [f"{k}={_short(v)}" for k, v in self.run.spec.settings.items() if k not in QUIET]
        return escape(" ".join([self.run.spec.system, *parts]))


@dataclass(frozen=True)
class Row:
    """One run in the table."""

    entry: Entry
    accuracy: Estimate
    suite: Estimate | None
    """None where test-suite accuracy was not scored."""
    any_right: Estimate
    """Questions with a right candidate: pass@k."""
    cost: Cost
    median_seconds: float
    """Of the model calls of a question, when they were first made."""
    p95_seconds: float
    repeated: Estimate
    """Share of the retries whose canonical SQL was there before."""
    failed: int
    """Questions on which the agent itself failed."""
    unjudged: int
    """Questions whose gold query does not run."""
    against: Comparison | None
    """Against the baseline of the same data set and model; None for itself."""
    holm: float | None = None
    """McNemar's p, corrected for all rows of the table."""

    @property
    def tokens(self) -> float:
        """Tokens computed a question: prompt tokens not found in a prefix state, and generated ones."""
        total = self.cost.total
        return total.tokens_in.value - total.tokens_cached.value + total.tokens_out.value


def rows_of(entries: Sequence[Entry]) -> list[Row]:
    """One row a run that has answers, in the order given."""
    filled = [entry for entry in entries if entry.answers]
    rows = [_row(entry, _baseline(entry, filled)) for entry in filled]
    compared = [row for row in rows if row.against]
    corrected = holm([row.against.paired.p_value for row in compared if row.against])
    by_run = {id(row): p for row, p in zip(compared, corrected, strict=True)}
    return [_with_holm(row, by_run.get(id(row))) for row in rows]


def by_group(
    answers: Sequence[StoredAnswer], group: Callable[[StoredAnswer], str | None]
) -> dict[str, Estimate]:
    """Accuracy per group; answers without a group or a verdict are left out."""
    judged = [(group(a), a.correct) for a in answers if a.correct is not None]
    names = sorted({name for name, _ in judged if name is not None})
    return {name: _share([bool(ok) for g, ok in judged if g == name]) for name in names}


def readings(answers: Sequence[StoredAnswer]) -> tuple[list[float], list[bool]]:
    """P(True) of every judged candidate, and whether it is right."""
    judged = [
        (float(c["p_true"]), bool(c["correct"]))
        for answer in answers
        for c in answer.candidates
        if c.get("p_true") is not None and c.get("correct") is not None
    ]
    return [p for p, _ in judged], [right for _, right in judged]


def _row(entry: Entry, baseline: Entry | None) -> Row:
    answers = entry.answers
    suite = [bool(a.suite_correct) for a in answers if a.suite_correct is not None]
    seconds = sorted(a.model_seconds for a in answers)
    return Row(
        entry=entry,
        accuracy=_share([bool(a.correct) for a in answers if a.correct is not None]),
        suite=_share(suite) if suite else None,
        any_right=_share([_any_right(a) for a in answers if a.correct is not None]),
        cost=cost([_spent(a) for a in answers]),
        median_seconds=median(seconds),
        p95_seconds=quantiles(seconds, n=20)[-1] if len(seconds) > 1 else seconds[0],
        repeated=_share(_repetitions(answers)),
        failed=sum(a.status == "error" for a in answers),
        unjudged=sum(a.correct is None for a in answers),
        against=_against(baseline, entry),
    )


def _with_holm(row: Row, p: float | None) -> Row:
    return Row(**{**{name: getattr(row, name) for name in Row.__dataclass_fields__}, "holm": p})


def _baseline(entry: Entry, entries: Sequence[Entry]) -> Entry | None:
    """The baseline with the same data set and actor: of those with the fewest changes, the newest."""
    spec = entry.run.spec
    found = [
        other
        for other in entries
        if other.run.spec.system.partition("@")[0] == BASELINE
        and (other.run.spec.dataset, other.run.spec.model) == (spec.dataset, spec.model)
    ]
    plainest = min(reversed(found), key=_changed, default=None)
    return None if plainest is entry else plainest


def _changed(entry: Entry) -> int:
    """How many settings of a run are not as they come."""
    return len(set(entry.run.spec.settings) - {"calibration", "seconds", "model"})


def _against(baseline: Entry | None, entry: Entry) -> Comparison | None:
    if baseline is None:
        return None
    try:
        return compare_answers(baseline.answers, entry.answers)
    except ValueError:
        return None


def _any_right(answer: StoredAnswer) -> bool:
    return bool(answer.correct) or any(c.get("correct") for c in answer.candidates)


def _repetitions(answers: Sequence[StoredAnswer]) -> list[bool]:
    """Per query that a model wrote after the first: whether it repeats an earlier one."""
    written = [[c for c in a.candidates if c.get("origin") in GENERATED] for a in answers]
    return [c.get("repeats") is not None for row in written for c in row[1:]]


def _spent(answer: StoredAnswer) -> QuestionCost:
    roles = {
        role: Spent(int(u["calls"]), int(u["prompt"]), int(u["generated"]), int(u["cached"]), u["seconds"])
        for role, u in answer.usage.items()
    }
    return QuestionCost(answer.seconds, roles, answer.replayed)


def _share(verdicts: Sequence[bool]) -> Estimate:
    return proportion(sum(verdicts), len(verdicts))


def _short(value: object) -> str:
    return str(value).replace(" ", "")
