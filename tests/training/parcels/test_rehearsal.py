"""The whole way of a lent GPU, on this machine and with the small real model."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from training_sets import role_rows
from typer.testing import CliRunner

from critiql.cli.main import app
from critiql.training.data.example_file import card_path, write_rows

SMALL = "smollm2-135m-instruct"
TREE = Path(__file__).parents[3]


def train(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["train", *map(str, arguments)])


def fit_there(folder: Path, out: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """As on the other machine: the tree, and none of the project's packages installed."""
    command = [sys.executable, "-m", "critiql.training.parcels.fit_there", folder, "--out", out, *options]
    environment = os.environ | {"PYTHONPATH": str(TREE / "typings"), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
@pytest.mark.filterwarnings("ignore:Could not find a config file:UserWarning")
def test_two_roles_go_there_are_fitted_and_come_back(tmp_path: Path) -> None:
    pytest.importorskip("peft", reason="needs the extra lora: make lora")
    sets = [tmp_path / f"{role}.jsonl" for role in ("actor", "llm_critic")]
    for path in sets:
        write_rows(role_rows(path.stem), path)
    data = [part for path in sets for part in ("--data", path)]
    packed, back, out = tmp_path / "there", tmp_path / "back", tmp_path / "adapters"
    done = train("pack", *data, "--out", packed, "--model", SMALL, "--piece-mb", "40")
    assert done.exit_code == 0, done.output
    assert max(path.stat().st_size for path in packed.iterdir()) <= 40 * 2**20

    (packed / "model.gguf.00").rename(packed / "kept")
    lost = fit_there(packed, back)
    assert lost.returncode == 2
    assert "model.gguf.00 is missing" in lost.stderr
    (packed / "kept").rename(packed / "model.gguf.00")

    options = ("--seconds", "240", "--epochs", "6", "--rate", "3e-3", "--batch", "3", "--piece-mb", "0.5")
    fitted = fit_there(packed, back, *options)
    assert fitted.returncode == 0, fitted.stderr
    report = json.loads((back / "report.json").read_text())
    assert all(one["validation_loss"]["after"] < one["validation_loss"]["before"] for one in report.values())

    done = train("unpack", *data, "--packed", packed, "--returned", back, "--out", out, "--model", SMALL)
    assert done.exit_code == 0, done.output
    for role in ("actor", "llm_critic"):
        card = json.loads(card_path(out / f"{role}.gguf").read_text())
        assert card["role"] == role
        assert card["agreement"]["effect_correlation"] > 0.99


@pytest.mark.slow
@pytest.mark.model
def test_without_time_nothing_is_fitted_and_nothing_is_claimed(tmp_path: Path) -> None:
    pytest.importorskip("peft", reason="needs the extra lora: make lora")
    path = tmp_path / "actor.jsonl"
    write_rows(role_rows("actor"), path)
    assert train("pack", "--data", path, "--out", tmp_path / "there", "--model", SMALL).exit_code == 0
    assert fit_there(tmp_path / "there", tmp_path / "back", "--seconds", "1").returncode == 0
    assert not (tmp_path / "back/report.json").exists()
    there = ("--packed", tmp_path / "there", "--returned", tmp_path / "back", "--out", tmp_path / "out")
    done = train("unpack", "--data", path, *there, "--model", SMALL)
    assert done.exit_code == 2
    assert "no adapter came back whole" in " ".join(done.output.split())
