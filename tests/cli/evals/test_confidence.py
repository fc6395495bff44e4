"""`critiql eval confidence`: a scale from the answers of a published run, and what it cannot be fitted on."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner

from critiql import prompts
from critiql.agent.decide.actor_scale import find_scale, read_scale, user_folder
from critiql.cli.evals import confidence
from critiql.cli.evals.confidence import eval_confidence
from critiql.evals.studies.decide_replay import EXPORTS

app = typer.Typer()
app.command()(eval_confidence)
TRAIN = EXPORTS / "train" / "spider-train-300_0.5b.jsonl.gz"
FEW = EXPORTS / "train" / "spider-train-60_review.jsonl.gz"


def test_a_scale_is_fitted_and_found() -> None:
    done = CliRunner().invoke(app, [str(TRAIN)])
    assert done.exit_code == 0, done.stderr
    assert "Fitted on 291 answers of 66 databases." in done.stdout
    (file,) = user_folder().glob("*.json")
    scale = read_scale(file)
    assert find_scale(scale.actor, prompts.load("actor").digest) == scale.scale
    shipped = Path(prompts.__file__).parents[1] / "agent/decide/actor_scales/qwen2.5-coder-0.5b-instruct.json"
    assert scale == read_scale(shipped), "what is shipped comes from this export"


def test_it_is_written_where_it_is_said(tmp_path: Path) -> None:
    out = tmp_path / "scale.json"
    done = CliRunner().invoke(app, [str(TRAIN), "--run", "single_shot", "--out", str(out), "--json"])
    told = json.loads(done.stdout)
    assert told["file"] == str(out)
    assert told["scale"]["n"] == read_scale(out).scale.n == 223


@pytest.mark.parametrize(
    ("file", "options", "why"),
    [
        (TRAIN, ("--run", "ac_sql"), "There is no run or system 'ac_sql'"),
        (
            EXPORTS / "train" / "spider-train-60_review.jsonl.gz",
            ("--run", "single_shot"),
            "Nothing was fitted on run",
        ),
    ],
)
def test_what_cannot_be_fitted_is_a_sentence(file: Path, options: tuple[str, ...], why: str) -> None:
    done = CliRunner().invoke(app, [str(file), *options])
    assert done.exit_code == 2
    assert why in " ".join(done.stderr.split())
    assert not list(user_folder().glob("*.json"))


def test_answers_to_another_prompt_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confidence.prompts, "load", lambda _name: SimpleNamespace(digest="another"))
    done = CliRunner().invoke(app, [str(TRAIN)])
    assert done.exit_code == 2
    assert "The actor's prompt has changed since run acc09dd34a3b" in " ".join(done.stderr.split())
