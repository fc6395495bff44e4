"""BIRD's metrics: EX, R-VES and Soft-F1 (Li et al. 2023; mini-dev evaluation scripts)."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from critiql.evals.metrics.equality import Table
from critiql.evals.metrics.execution import Cells, run_clean
from critiql.tools.database.result import Failure

_ROWS_AT_MOST = 1_000_000
"""A result with more rows fails; the official script would fetch them until memory or time ends."""


@dataclass(frozen=True, slots=True)
class BirdScore:
    """The three scores of one pair."""

    execution: bool
    soft_f1: float
    """From 0 to 1."""
    reward: float
    """R-VES reward, 0 to 1.25; 0 when efficiency was not measured."""


def bird_scores(
    gold: str, prediction: str, database: Path, *, seconds: float = 30.0, repeats: int = 0
) -> BirdScore:
    """Score a pair as BIRD does; whatever fails scores 0, a failing gold query included.

    Args:
        gold: the reference.
        prediction: the candidate.
        database: SQLite file.
        seconds: time for both queries together.
        repeats: timed runs for R-VES (100 officially); 0 leaves it out.
    """
    started = time.perf_counter()
    predicted = _rows(database, prediction, seconds)
    wanted = None if predicted is None else _rows(database, gold, seconds - (time.perf_counter() - started))
    if predicted is None or wanted is None:
        return BirdScore(False, 0.0, 0.0)
    equal = same_set(wanted, predicted)
    ratios = _time_ratios(gold, prediction, database, seconds, repeats) if equal else []
    return BirdScore(equal, soft_f1(wanted, predicted), ves_reward(ratios))


def same_set(gold: Table, predicted: Table) -> bool:
    """BIRD's EX: the same set of rows. Row order and repeated rows do not matter, column order does."""
    return set(gold) == set(predicted)


def soft_f1(gold: Table, predicted: Table) -> float:
    """BIRD's Soft-F1, from 0 to 1: cells matched row by row, rows paired by position without repeats."""
    left, right = list(dict.fromkeys(gold)), list(dict.fromkeys(predicted))
    if not left and not right:
        return 1.0
    matched = only_predicted = only_gold = 0.0
    for wanted, found in zip(left, right, strict=False):
        width = len(wanted)
        matched += sum(cell in wanted for cell in found) / width
        only_predicted += sum(cell not in wanted for cell in found) / width
        only_gold += sum(cell not in found for cell in wanted) / width
    only_gold += max(0, len(left) - len(right))
    only_predicted += max(0, len(right) - len(left))
    return _f1(matched, only_predicted, only_gold)


def ves_reward(ratios: Sequence[float]) -> float:
    """R-VES reward of a right query from its ratios of gold time to predicted time.

    Ratios three standard deviations or more from the mean are dropped. None left, which happens when all are
    equal, gives 0, as in the official script.
    """
    if not ratios:
        return 0.0
    mean, spread = statistics.fmean(ratios), statistics.pstdev(ratios)
    kept = [ratio for ratio in ratios if abs(ratio - mean) < 3 * spread]
    if not kept:
        return 0.0
    ratio = statistics.fmean(kept)
    steps = ((2.0, 1.25), (1.0, 1.0), (0.5, 0.75), (0.25, 0.5))
    return next((reward for bound, reward in steps if ratio >= bound), 0.25)


def _rows(database: Path, sql: str, seconds: float) -> tuple[Cells, ...] | None:
    result = run_clean(database, sql, seconds=seconds, at_most=_ROWS_AT_MOST)
    return None if isinstance(result, Failure) or result.more else result.rows


def _time_ratios(gold: str, prediction: str, database: Path, seconds: float, repeats: int) -> list[float]:
    """Gold time over predicted time, measured in pairs; the whole series has `seconds` for each pair."""
    ends = time.perf_counter() + seconds * repeats
    ratios: list[float] = []
    for _ in range(repeats):
        if time.perf_counter() > ends:
            return []
        predicted, wanted = (run_clean(database, sql, seconds=seconds).seconds for sql in (prediction, gold))
        ratios.append(wanted / max(predicted, 1e-9))
    return ratios


def _f1(right: float, surplus: float, missing: float) -> float:
    return 2 * right / (2 * right + surplus + missing) if right else 0.0
