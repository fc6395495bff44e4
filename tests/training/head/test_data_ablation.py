"""What a head learns from: examples that say nothing of the actor's errors teach nothing about them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from critiql.tools.arrays import Floats
from critiql.training.data.example_file import Row, write_rows
from critiql.training.head import data_ablation
from critiql.training.head.data_ablation import ablation

pytestmark = pytest.mark.whole

WIDTH = 8


def made_up(n: int) -> tuple[list[Row], Floats]:
    """The actor's errors show in one direction of the states, injected ones in another."""
    rng = np.random.default_rng(0)
    states = rng.normal(scale=0.5, size=(n, WIDTH)).astype(np.float32)
    rows: list[Row] = []
    for number in range(n):
        kind, types, place = (
            ("actor_wrong", ["value_error"], 0),
            ("actor_right", [], 1),
            ("single", ["join_error"], 2),
            ("identity", [], 3),
        )[number % 4]
        states[number, place] += 3
        rows.append({"kind": kind, "types": types, "db_id": f"d{number // 4 % 8}"})
    return rows, states


def test_a_head_judges_what_it_was_fitted_on() -> None:
    found = ablation(*made_up(320))
    assert {name: figures["judged"] for name, figures in found.items()} == {
        "all": 160,
        "actor": 160,
        "gold": 160,
    }
    assert found["actor"]["auc"][0] > 0.99
    assert found["actor"]["likeliest_type_right"] == 1.0
    assert found["gold"]["auc"][0] < 0.8
    assert found["gold"]["likeliest_type_right"] < 0.5
    assert found["gold"]["best_f1"] < found["all"]["best_f1"]
    low, high = found["all"]["auc"][1:]
    assert low <= found["all"]["auc"][0] <= high


def test_the_command_prints_the_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, states = made_up(64)
    write_rows(rows, tmp_path / "d.jsonl")

    def kept(read: list[Row], model: Any) -> Floats:
        assert read == rows
        return states

    monkeypatch.setattr(data_ablation, "hidden_states", kept)
    monkeypatch.setattr(data_ablation, "cached", lambda name, calls: name)
    data_ablation.main(["--data", str(tmp_path / "d.jsonl"), "--states", str(tmp_path / "s.sqlite")])
    assert json.loads(capsys.readouterr().out) == ablation(rows, states)
