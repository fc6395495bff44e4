"""Fitting the head: good on states that show the errors; data it cannot be measured on are refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from critiql.agent.detect.prompt import detector_digest
from critiql.evals.data.item import Dataset
from critiql.tools.arrays import Floats
from critiql.tools.errors.head import ROWS
from critiql.tools.errors.types.catalogue import BY_KEY
from critiql.tools.models.model import HiddenState, Prompt, Usage
from critiql.training.data.detector_data import detector_rows
from critiql.training.data.example_file import Row
from critiql.training.data.gold import opened
from critiql.training.head.detector import check_parts, drawn, fit_detector
from critiql.training.head.head_card import head_card
from critiql.training.head.states import hidden_states

KEYS = ("value_error", "join_error")
WIDTH = 12


def made_up(n: int) -> tuple[list[Row], Floats]:
    """Examples of ten databases with states in which each error has a direction of its own."""
    rng = np.random.default_rng(0)
    rows: list[Row] = []
    states = rng.normal(scale=0.3, size=(n, WIDTH)).astype(np.float32)
    for number in range(n):
        types = [[], [KEYS[0]], [KEYS[1]], []][number % 4]
        part = "validation" if number // 4 % 10 in (8, 9) else "train"
        rows.append(
            {"part": part, "db_id": f"d{number // 4 % 10}", "types": types, "kind": "x", "index": number}
        )
        for key in types:
            states[number, BY_KEY[key].number % WIDTH] += 3
    return [{**row, "sql": "SELECT 1"} for row in rows], states


def test_a_head_is_fitted_and_measured_on_other_databases(tmp_path: Path) -> None:
    rows, states = made_up(400)
    fitted = fit_detector(rows, states, "m1", "p1")
    figures = fitted.validation
    assert figures["examples"] == 80
    assert figures["detection"]["f1"]["value"] > 0.9
    assert figures["null_token_auc"]["value"] > 0.95
    assert set(figures["types"]["by_type"]) == set(KEYS)
    (tmp_path / "data.jsonl").write_text("{}")
    fitted.head.save(tmp_path / "head.safetensors")
    card = head_card(
        {"words": fitted, "zeros": fitted},
        "words",
        rows,
        tmp_path / "data.jsonl",
        tmp_path / "head.safetensors",
        "models/m.gguf",
    )
    assert card["fit"]["start"] == "words"
    assert card["starts"]["zeros"]["f1"]["value"] > 0.9
    assert json.loads(json.dumps(card, allow_nan=False))["model"]["name"] == "m.gguf"
    assert [key for key, value in card["thresholds"].items() if value is not None] == list(KEYS)


def test_a_head_starts_from_the_rows_given() -> None:
    rows, states = made_up(400)
    start = np.zeros((ROWS, WIDTH), np.float32)
    start[BY_KEY["function_error"].number, 3] = 5.0  # no example has this type: only the start speaks for it
    heads = [fit_detector(rows, states, "m1", "p1", first).head for first in (start, None)]
    pulled, plain = (head.weights[BY_KEY["function_error"].number, 3] for head in heads)
    assert pulled > 1 > abs(plain)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"a": "train", "b": "validation"}, "1 to validate"),
        ({"b": "validation", "c": "validation"}, "0 databases to train"),
    ],
)
def test_data_that_cannot_be_measured_on_are_refused(parts: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_parts([{"db_id": name, "part": part} for name, part in parts.items()])


def test_a_database_in_both_parts_is_refused() -> None:
    parts = (("a", "train"), ("a", "validation"), ("b", "validation"))
    with pytest.raises(ValueError, match="Both parts hold the databases a"):
        check_parts([{"db_id": name, "part": part} for name, part in parts])


def test_a_limit_keeps_the_order() -> None:
    rows, _ = made_up(20)
    assert [row["index"] for row in drawn(rows, 5)] == sorted(row["index"] for row in drawn(rows, 5))
    assert drawn(rows, 50) == rows


class Counting:
    """A model whose state says how long the SQL's prompt is."""

    def __init__(self) -> None:
        self.asked: list[Prompt] = []

    def hidden_state(self, prompt: Prompt) -> HiddenState:
        self.asked.append(prompt)
        return HiddenState(np.array([len(prompt.request), len(self.asked)], np.float32), Usage())


def test_states_come_in_the_order_of_the_examples(own: Dataset) -> None:
    rows = detector_rows(opened(own.items[:4]), {}, None, 0)[::-1]
    model = Counting()
    states = hidden_states(rows, model)
    assert sorted(states[:, 1]) == list(range(1, len(rows) + 1))
    for row, (_, place) in zip(rows, states, strict=True):
        prompt = model.asked[int(place) - 1]
        assert f"SQL: {row['sql']}\n" in prompt.request
        assert "[ERR_07] Value Error:" in prompt.request
        assert "columns: " in prompt.request
        assert "CREATE TABLE" in prompt.prefix
    assert len(detector_digest()) == 12
