"""critiql theory: table, simulation, picture, and what it says of a store."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from critiql.cli.main import app
from critiql.evals.run.store import RunSpec, Store, StoredAnswer

T, F = True, False
LOOPS = ((T,), (T, T, F), (F, F), (F, T), (F, F, F), (T,))


def theory(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["theory", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


def test_a_redraw_that_depends_gains_less() -> None:
    said = json.loads(theory("--dependence", "0.5", "--json"))
    assert said["p_z"][:2] == pytest.approx([0.25, 0.25 + 0.09375 / 2])
    assert "right with 0.125, not 0.25" in theory("--dependence", "0.5")


def test_table_6_is_simulated() -> None:
    said = theory("--simulate", "--runs", "20000", "--z", "2")
    assert "0.75, 0.75, 0.75" in said
    assert float(said.split("the largest difference is ")[1].rstrip(".\n")) < 0.02


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "s.sqlite"
    with Store(path) as kept:
        run = kept.begin(RunSpec("ac_sql", "tiny", "m", "m", {}, {"z": 3}, "c"), "commit", "machine", "tiny")
        for index, loop in enumerate(LOOPS):
            kept.add(run, answer(index, loop))
    return path


def answer(index: int, loop: tuple[bool, ...]) -> StoredAnswer:
    return StoredAnswer(
        index=index,
        db_id=f"db{index % 2}",
        sql="select 1",
        status="unverified",
        stopped="unchecked",
        correct=loop[-1],
        suite_correct=None,
        difficulty=None,
        confidence=None,
        model_calls=len(loop),
        seconds=1.0,
        model_seconds=1.0,
        usage={},
        candidates=[{"id": n, "origin": "actor", "correct": right} for n, right in enumerate(loop)],
    )


def test_a_dependence_is_fitted_and_held_against_loops(store: Path, tmp_path: Path) -> None:
    picture = tmp_path / "p.svg"
    said = json.loads(theory("--fit", str(store), "--measured", str(store), "--plot", str(picture), "--json"))
    assert said["fit"]["value"]["value"] == said["dependence"] == pytest.approx(0.5)
    (run,) = said["runs"]
    assert run["measured"]["value"] == 0.5
    assert run["errors"][1] < run["errors"][0]
    assert picture.read_text().startswith("<?xml")
    shown = theory("--fit", str(store), "--measured", str(store), "--measured", str(store))
    assert "Mean relative error" in shown
    assert shown.count("ac_") == 1, "a run counts once"
