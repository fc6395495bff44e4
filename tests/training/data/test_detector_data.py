"""Examples for the detector: labels that the rows confirm, from gold and from the actor."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from critiql.evals.data.item import Dataset
from critiql.tools.errors.perturb.perturb import verify
from critiql.tools.errors.query import Query
from critiql.tools.errors.rules import read
from critiql.tools.errors.types.catalogue import BY_KEY
from critiql.tools.sql.canonical import fingerprint
from critiql.training.data.detector_data import database_file, detector_rows, labels
from critiql.training.data.example_file import Row
from critiql.training.data.gold import opened

pytestmark = pytest.mark.whole

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "fixtures/training/actor_labels.jsonl").read_text().splitlines()
]


@pytest.fixture(scope="module")
def rows(own: Dataset) -> list[Row]:
    return detector_rows(opened(own.items), {0: {"SELECT title FROM book": True, "no SQL": False}}, None, 0)


def test_right_and_wrong_queries_are_about_as_many(rows: list[Row]) -> None:
    wrong = [row for row in rows if row["types"]]
    assert 0.4 < len(wrong) / len(rows) < 0.6
    assert len({row["types"][0] for row in wrong}) >= 10
    assert {row["kind"] for row in rows} == {"identity", "single", "compound", "actor_right"}


def test_every_injected_error_shows_in_the_rows(rows: list[Row], own: Dataset) -> None:
    for gold in opened(own.items):
        for row in (row for row in rows if row["index"] == gold.item.index):
            assert row["sql"] == fingerprint(row["sql"])
            assert set(row["types"]) <= set(BY_KEY)
            assert database_file(row["database"]) == gold.item.database
            changed = verify(gold.database, fingerprint(gold.item.gold), row["sql"])
            assert changed == bool(row["types"]), row


def test_a_limit_draws_the_same_ones_each_time(rows: list[Row], own: Dataset) -> None:
    few = [detector_rows(opened(own.items[:6]), {}, 7, 0) for _ in range(2)]
    assert len(few[0]) == 7
    assert few[0] == few[1]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_labels_of_the_actors_errors(case: dict[str, Any], own: Dataset) -> None:
    for gold in opened(own.items[:1]):
        right, wrong = (read(case[key], gold.database.schema()) for key in ("gold", "actor"))
        assert isinstance(right, Query)
        assert isinstance(wrong, Query)
        found = labels(replace(gold, item=replace(gold.item, gold=case["gold"])), right, wrong)
        assert (list(found) if found else None) == case["types"]
