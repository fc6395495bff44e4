"""Every role's own set, from our data to a file: one fit on a few examples of each role, in one adapter."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from critiql.cli.train_adapter import Trained
from critiql.cli.training import local_model
from critiql.evals.data.item import Dataset
from critiql.training.data import actor_data, example_file, sets
from critiql.training.data.chat_examples import chat_examples
from critiql.training.data.example_file import Row
from critiql.training.data.sets import build

SMALL = "smollm2-135m-instruct"
EACH = {"train": 2, "validation": 1}
"""Examples of a role that are fitted and read."""


@pytest.fixture
def every_role(own: Dataset, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Row]]:
    """The set of each role, on two databases that train and two that do not."""

    def half(name: str) -> str:
        return "fit" if name in ("north", "south") else "validate"

    def part(name: str, _: int) -> str:
        return "train" if half(name) == "fit" else "validation"

    monkeypatch.setattr(actor_data, "part_of", half)
    for module in (example_file, *(vars(sets)[name] for name in ())):
        monkeypatch.setattr(module, "part_of", part)
    wrong = {
        item.index: {item.gold: True, "SELECT colour FROM book": False, "SELECT 1": False}
        for item in own.items
    }
    monkeypatch.setattr(sets, "predictions_of", lambda store, name: wrong)
    made = {
        role.value: build(
            role.task, own, limit=None, seed=0, predictions=Path("runs.sqlite"), follow=lambda _: lambda: None
        )
        for role in Trained
    }
    return {role: _few(rows) for role, rows in made.items()}


def _few(rows: list[Row]) -> list[Row]:
    return [
        row for part, count in EACH.items() for row in [one for one in rows if one["part"] == part][:count]
    ]
