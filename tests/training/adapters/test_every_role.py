"""Every role's own set, from our data to a file: one fit on a few examples of each role, in one adapter."""

from dataclasses import replace
from pathlib import Path

import pytest

from critiql.cli.train_adapter import Trained, _examples
from critiql.evals.data.item import Dataset
from critiql.tools.models.factory import make_model
from critiql.training.data import parts, sets
from critiql.training.data.example_file import Row, read_rows, write_rows

SMALL = "smollm2-135m-instruct"
EACH = {"train": 1, "validation": 1}
"""Examples of a role that are fitted and read."""
QUESTIONS = 8
"""Two on each of our databases."""


@pytest.fixture(scope="module")
def every_role(own: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file with some examples of each role, as `critiql train data` makes them."""
    data = replace(own, items=own.items[:QUESTIONS])
    wrong = {"SELECT colour FROM book": False, "SELECT 1": False}
    outputs = {item.index: {item.gold: True, **wrong} for item in data.items}
    file = tmp_path_factory.mktemp("roles") / "roles.jsonl"
    rows: list[Row] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "part_of", lambda name: "fit" if name in ("north", "south") else "validate")
        patch.setattr(sets, "predictions_of", lambda store, name: outputs)
        for role in Trained:
            made = sets.build(
                role.task, data, limit=None, seed=0, predictions=file, follow=lambda _: lambda: None
            )
            for part, count in EACH.items():
                rows += [row for row in made if row["part"] == part][:count]
    write_rows(rows, file)
    return file


@pytest.mark.whole
def test_each_role_takes_its_own_examples_out_of_a_file(every_role: Path) -> None:
    for role in Trained:
        rows = _examples(every_role, role)
        assert {row["task"] for row in rows} == {role.task}
        assert len(rows) == sum(EACH.values())


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
@pytest.mark.filterwarnings("ignore:Could not find a config file:UserWarning")
def test_one_fit_learns_from_the_sets_of_all_roles(
    every_role: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("peft", reason="needs the extra lora: make lora")
    from critiql.training.adapters import suffix_adapter
    from critiql.training.adapters.suffix_fit import SuffixPlan

    monkeypatch.setattr(suffix_adapter, "COMPARED", 1)
    monkeypatch.setattr(suffix_adapter, "VALIDATED", 2)
    rows = read_rows(every_role)
    plan = SuffixPlan(rank=4, alpha=8.0, epochs=1, batch=1, rate=3e-3)
    model, out = make_model(SMALL), tmp_path / "roles.gguf"
    told: list[float] = []
    card = suffix_adapter.train_suffix_adapter(
        rows,
        plan,
        model,
        every_role,
        out,
        "float32",
        lambda progress: told.append(progress.loss),  # type: ignore[arg-type]
    )
    assert len(told) == EACH["train"] * len(Trained)
    assert card["validation_loss"]["after"] < card["validation_loss"]["before"]
    # so short a fit changes little, and what llama.cpp rounds weighs more; the other tests hold 0.99
    assert card["agreement"]["effect_correlation"] > 0.9
    assert card["data"]["by_part"]["train"]["examples"] == EACH["train"] * len(Trained)
