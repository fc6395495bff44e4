"""How far a scale holds: what counts, and what the published runs say of the shipped ones."""

import json

import pytest
import typer
from typer.testing import CliRunner

from critiql.agent.decide import actor_scale
from critiql.agent.decide.calibration import Confidence
from critiql.evals.fit.confidence import Judged
from critiql.evals.studies.decide_replay import EXPORTS
from critiql.evals.studies.scale_reach import main, reach

pytestmark = pytest.mark.whole


def test_what_is_below_the_fit_has_no_confidence() -> None:
    scale = Confidence(signal="logprob", slope=1.0, intercept=0.0, low=-2.0, high=0.0)
    told = reach(scale, [Judged("a", 0.0, True), Judged("a", -1.0, False), Judged("b", -3.0, False)])
    assert (told["answers"], told["without"]) == (2, 1)
    assert told["said"] == round((0.5 + 0.2689) / 2, 3)
    assert (told["right"], told["brier_constant"]) == (0.5, 0.25)
    assert told["said_below_half"] == {"answers": 1, "right": 0}
    assert reach(scale, [Judged("b", -3.0, False)]) == {"answers": 0, "without": 1}


def test_the_shipped_scale_of_the_small_model_holds_on_dev() -> None:
    app = typer.Typer()
    app.command()(main)
    scale = actor_scale.SHIPPED / "qwen2.5-coder-0.5b-instruct.json"
    dev = EXPORTS / "dev" / "spider-dev_0.5b_single_shot_dev-run-19.jsonl.gz"
    done = CliRunner().invoke(app, [str(scale), str(dev)])
    (told,) = map(json.loads, done.stdout.splitlines())
    assert (told["system"], told["fitted_on_it"]) == ("single_shot", False)
    assert told["answers"] > 600
    assert told["said"] == pytest.approx(told["right"], abs=0.02)
    assert told["brier"] < told["brier_constant"] - 0.03
