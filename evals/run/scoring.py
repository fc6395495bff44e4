"""The scorers of a run: execution accuracy and test-suite accuracy, both in clean mode."""

from collections.abc import Sequence
from pathlib import Path

from critiql.evals.data.item import Item
from critiql.evals.metrics.execution_accuracy import Verdict, execution_accuracy
from critiql.evals.metrics.test_suite import test_suite_accuracy

SUITE = "test_suite_database"
"""Folder with the distilled variants, beside the folder of the databases."""


def execution_score(item: Item, queries: Sequence[str]) -> list[bool | None]:
    """Whether each query gives what the gold query gives on the item's own database."""
    return [_known(execution_accuracy(item.gold, sql, item.database)) for sql in queries]


def suite_score(item: Item, queries: Sequence[str]) -> list[bool | None]:
    """Whether each query gives what the gold query gives on every variant; None where there are none."""
    database = suite_database(item)
    if not database.is_file():
        return [None] * len(queries)
    return [_known(test_suite_accuracy(item.gold, sql, database)) for sql in queries]


def suite_database(item: Item) -> Path:
    """Where the item's database lies among the variants."""
    return item.database.parent.parent.parent / SUITE / item.db_id / item.database.name


def _known(verdict: Verdict) -> bool | None:
    return None if verdict.reason == "gold_error" else verdict.correct
