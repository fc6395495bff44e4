"""How the answers of a data set are scored: as its authors do, Spider's in clean mode."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from critiql.evals.data.item import Item, Metric
from critiql.evals.metrics.bird import BirdScore, bird_scores
from critiql.evals.metrics.execution_accuracy import CLEAN, EVERYDAY, Rules, Verdict, execution_accuracy
from critiql.evals.metrics.test_suite import test_suite_accuracy

SUITE = "test_suite_database"
"""Folder with the distilled variants, beside the folder of the databases."""

Score = Callable[[Item, Sequence[str]], list[bool | None]]
"""Whether each of some queries is right for an item; None where the gold query itself does not run."""


@dataclass(frozen=True)
class Scorers:
    """How answers are judged."""

    execution: Score
    suite: Score | None = None
    bird: Callable[[Item, str], BirdScore] | None = None
    """Soft-F1 and the reward of R-VES for the query that is the answer."""


def scorers_for(metric: Metric, *, suite: bool = False, repeats: int = 0) -> Scorers:
    """The scorers of a data set.

    Args:
        metric: how its authors score.
        suite: whether test-suite accuracy is wanted too; only Spider has it.
        repeats: timed runs a question for R-VES; only BIRD has it.

    Raises:
        ValueError: what is wanted does not exist for this data set. The message says so.
    """
    if metric == "bird":
        if suite:
            raise ValueError(
                "BIRD has no test suite. Leave --suite away; EX, Soft-F1 and R-VES are its scores."
            )
        return Scorers(
            bird_execution_score,
            bird=lambda item, sql: bird_scores(item.gold, sql, item.database, repeats=repeats),
        )
    if repeats:
        raise ValueError("R-VES is a score of BIRD. Leave --repeats away, or score with --metric bird.")
    rules = EVERYDAY if metric == "everyday" else CLEAN
    return Scorers(
        partial(execution_score, rules=rules), partial(suite_score, rules=rules) if suite else None
    )


def execution_score(item: Item, queries: Sequence[str], rules: Rules = CLEAN) -> list[bool | None]:
    """Whether each query gives what the gold query gives on the item's own database."""
    return [_known(execution_accuracy(item.gold, sql, item.database, rules)) for sql in queries]


def bird_execution_score(item: Item, queries: Sequence[str]) -> list[bool | None]:
    """BIRD's EX of each query; a gold query that does not run makes every query wrong, as officially."""
    return [bird_scores(item.gold, sql, item.database).execution for sql in queries]


def suite_score(item: Item, queries: Sequence[str], rules: Rules = CLEAN) -> list[bool | None]:
    """Whether each query gives what the gold query gives on every variant; None where there are none."""
    database = suite_database(item)
    if not database.is_file():
        return [None] * len(queries)
    return [_known(test_suite_accuracy(item.gold, sql, database, rules)) for sql in queries]


def suite_database(item: Item) -> Path:
    """Where the item's database lies among the variants."""
    return item.database.parent.parent.parent / SUITE / item.db_id / item.database.name


def _known(verdict: Verdict) -> bool | None:
    return None if verdict.reason == "gold_error" else verdict.correct
