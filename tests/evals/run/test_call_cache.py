import multiprocessing
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from critiql.evals.run.call_cache import CachedModel, CallCache
from critiql.tools.models.model import (
    ChoiceReading,
    Generation,
    HiddenState,
    LanguageModel,
    ModelError,
    Prompt,
    Sampling,
    Usage,
)

PROMPT = Prompt("system and schema", "how many singers", "```sql\n")


class Counting:
    """A model that answers with the number of the call."""

    name = "counting"
    fingerprint = "c0"

    def __init__(self, finish: str = "stop") -> None:
        self.calls = 0
        self.finish = finish

    def generate(
        self, prompt: Prompt, sampling: Sampling, on_text: Callable[[str], None] | None = None
    ) -> Generation:
        self.calls += 1
        return Generation(f"SELECT {self.calls}", self.finish, -0.5, Usage(10, 4, 3, 1.5))  # type: ignore[arg-type]

    def choose(self, prompt: Prompt, choices: Sequence[Sequence[str]]) -> ChoiceReading:
        self.calls += 1
        return ChoiceReading((-0.1, -2.5), Usage(10, 9, 0, 0.2))

    def count_tokens(self, text: str) -> int:
        self.calls += 1
        return len(text.split())


def cached(model: LanguageModel, path: Path) -> CachedModel:
    return CachedModel(model.name, model.fingerprint, lambda: model, CallCache(path))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.sqlite"


def test_the_second_process_needs_no_model_and_sees_the_original_cost(path: Path) -> None:
    first = cached(Counting(), path)
    made = first.generate(PROMPT, Sampling())
    read = first.choose(PROMPT, (["True"], ["False"]))
    tokens = first.count_tokens("a b c")

    def fail() -> LanguageModel:
        pytest.fail("the model was loaded although every call was known")

    pieces: list[str] = []
    second = CachedModel("counting", "c0", fail, CallCache(path))
    assert second.generate(PROMPT, Sampling(), pieces.append) == made
    assert second.choose(PROMPT, (["True"], ["False"])) == read
    assert second.count_tokens("a b c") == tokens == 3
    assert pieces == ["SELECT 1"]
    log = second.drain()
    assert [(call.operation, call.cached, call.usage) for call in log] == [
        ("generate", True, Usage(10, 4, 3, 1.5)),
        ("choose", True, Usage(10, 9, 0, 0.2)),
        ("count_tokens", True, Usage()),
    ]
    assert second.drain() == []
    assert [call.cached for call in first.drain()] == [False, False, False]


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (Sampling(seed=9, top_p=0.5), True),
        (Sampling(max_tokens=7), False),
        (Sampling(stop=(";",)), False),
        (Sampling(temperature=0.8), False),
        (Sampling(grammar="root ::= 'x'"), False),
    ],
)
def test_a_greedy_call_ignores_only_the_seed_and_top_p(path: Path, other: Sampling, same: bool) -> None:
    model = cached(Counting(), path)
    assert (model.generate(PROMPT, Sampling()) == model.generate(PROMPT, other)) is same


def test_draws_of_another_seed_prompt_or_model_are_other_calls(path: Path) -> None:
    model = cached(Counting(), path)
    warm = Sampling(temperature=0.8, seed=1)
    texts = [
        model.generate(PROMPT, warm).text,
        model.generate(PROMPT, replace(warm, seed=2)).text,
        model.generate(replace(PROMPT, opening=""), warm).text,
        model.generate(PROMPT, warm).text,
    ]
    assert texts == ["SELECT 1", "SELECT 2", "SELECT 3", "SELECT 1"]
    other = CachedModel("other", "c1", Counting, CallCache(path))
    other.generate(PROMPT, warm)
    assert [call.cached for call in other.drain()] == [False]


class Showing(Counting):
    """Shows a hidden state."""

    def hidden_state(self, prompt: Prompt) -> HiddenState:
        self.calls += 1
        return HiddenState(np.arange(4, dtype=np.float32) + self.calls, Usage(9, 3, 0, 0.5))


def test_a_hidden_state_is_kept_exactly(path: Path) -> None:
    model = cached(Showing(), path)
    states = [model.hidden_state(PROMPT) for _ in range(2)]
    assert [state.vector.tolist() for state in states] == [[1, 2, 3, 4]] * 2
    assert [state.usage for state in states] == [Usage(9, 3, 0, 0.5)] * 2
    assert states[0].vector.dtype == np.float32
    with pytest.raises(ModelError, match="shows no hidden states"):
        cached(Counting(), path).hidden_state(replace(PROMPT, request="another"))


def test_a_cancelled_text_is_not_kept(path: Path) -> None:
    model = cached(Counting("cancelled"), path)
    assert model.generate(PROMPT, Sampling()).text == "SELECT 1"
    assert model.generate(PROMPT, Sampling()).text == "SELECT 2"


def write_many(path: Path, worker: int) -> None:
    cache = CallCache(path)
    for number in range(50):
        cache.put(f"{worker}-{number}", "m", "generate", {"n": number})
        cache.put("shared", "m", "generate", {"n": worker})


def test_several_processes_write_one_file(path: Path) -> None:
    CallCache(path)
    spawn = multiprocessing.get_context("fork")
    workers = [spawn.Process(target=write_many, args=(path, number)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert len(CallCache(path)) == 151
