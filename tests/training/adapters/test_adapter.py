"""A LoRA adapter from data to llama.cpp, on the small real model: what is learnt is what answers later."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from critiql.agent.detect.semantic import PromptDetector
from critiql.cli.main import app
from critiql.tools.models.factory import make_model
from critiql.tools.models.model import Sampling
from critiql.training.data.chat_examples import chat_examples
from critiql.training.data.example_file import card_path, read_rows

SMALL = "smollm2-135m-instruct"


def run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["train", *map(str, arguments)])


@pytest.fixture(scope="module")
def data(own_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dozen detector examples of several databases."""
    path = tmp_path_factory.mktemp("lora") / "detector.jsonl"
    made = run("data", "--task", "detector", "--dataset", own_file, "--out", path, "--limit", "12")
    assert made.exit_code == 0, made.output
    return path


def test_the_answer_of_an_example_is_what_the_detector_reads(data: Path) -> None:
    rows = read_rows(data)
    examples = dict(chat_examples(rows))
    assert sorted(examples) == list(range(len(rows)))
    for number, row in enumerate(rows):
        tokens = examples[number].answer.split()
        assert tokens == (["[ERR_00]"] if not row["types"] else tokens)
        assert len(tokens) == max(1, len(row["types"]))
        assert row["sql"] in examples[number].prompt.request


def test_an_opening_is_the_prompt_s_and_not_the_answer_s() -> None:
    row = {
        "task": "sam",
        "prefix": "P",
        "request": "R",
        "opening": "[T:1] = ",
        "answer": "[T:1] = a\n[T:2] = b",
    }
    ((_, example),) = chat_examples([row])
    assert (example.prompt.opening, example.answer) == ("[T:1] = ", "a\n[T:2] = b")


def test_an_adapter_that_could_not_be_named_is_refused_before_anything_is_done(data: Path) -> None:
    done = run("lora", "--data", data, "--out", data.with_name("adapter.bin"))
    assert done.exit_code == 2
    assert "does not end with .gguf" in " ".join(done.output.split())


def few(data: Path, out: Path) -> Path:
    """Three examples to learn and two to validate on: a step takes half a minute."""
    rows = read_rows(data)
    train = [row for row in rows if row["part"] == "train"]
    wrong = [row for row in train if row["types"]]
    held = {row["db_id"]: row for row in rows if row["part"] == "validation"}
    chosen = [*wrong[:2], next(row for row in train if not row["types"]), *held.values()]
    out.write_text("".join(json.dumps(row) + "\n" for row in chosen))
    return out


@pytest.mark.slow
@pytest.mark.model
def test_what_is_fitted_is_what_llama_cpp_computes(data: Path, tmp_path: Path) -> None:
    for package in ("torch", "peft", "transformers"):
        pytest.importorskip(package, reason="needs the extra lora: make lora")
    out, chosen = tmp_path / "adapter.gguf", few(data, tmp_path / "few.jsonl")
    plan = ("--model", SMALL, "--rank", "4", "--batch", "1", "--rate", "1e-3")
    done = run("lora", "--data", chosen, "--out", out, *plan, "--epochs", "4")
    assert done.exit_code == 0, done.output
    card = json.loads(card_path(out).read_text())
    assert (card["plan"]["rank"], card["agreement"]["prompts"]) == (4, 2)
    assert card["validation_loss"]["after"] < card["validation_loss"]["before"] / 2
    agreement = card["agreement"]
    assert agreement["effect_correlation"] > 0.99
    assert agreement["mean_effect"] > 5 * agreement["mean_difference_without"]
    assert agreement["mean_difference"] < 3 * agreement["mean_difference_without"]

    learnt = [example.prompt for _, example in sorted(chat_examples(read_rows(chosen)[:3]))]
    plain, adapted = (make_model(name) for name in (SMALL, f"{SMALL}+{out}"))
    few_words = Sampling(max_tokens=8)
    texts = [[model.generate(prompt, few_words).text for prompt in learnt] for model in (plain, adapted)]
    assert texts[0] != texts[1], "what was learnt is heard where nothing binds the answer"
    heard = PromptDetector(adapted).read(learnt[0])
    assert heard.call["model"] == adapted.name
    assert heard.call["generated_tokens"] > 0

    again = run("lora", "--data", chosen, "--out", out, *plan, "--epochs", "4")
    assert json.loads(again.stdout)["loss"] == card["loss"]
    other = run("lora", "--data", chosen, "--out", out, *plan, "--epochs", "5")
    assert other.exit_code == 2
    assert "state of a fit with other data or settings" in " ".join(other.output.split())
