"""The replayed policy is the graph's own: the same answers as running ac_sql with that threshold."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from critiql.evals.data.item import Item
from critiql.evals.fit.draws import accepted, draws_of, replay
from critiql.evals.run.runner import Entrant, evaluate
from critiql.evals.run.scoring import Scorers, execution_score
from critiql.evals.run.store import Run, Store, StoredAnswer
from critiql.evals.run.systems import context_of, local
from critiql.tools.models.factory import use_model
from critiql.tools.models.model import ChoiceReading, Generation, Prompt, Sampling, Usage

pytestmark = pytest.mark.whole

Z = 4


class Scripted:
    """Draws right, wrong and failing queries, and reads them, as a seeded die falls."""

    name, fingerprint = "scripted", "s0"

    def generate(
        self, prompt: Prompt, sampling: Sampling, on_text: Callable[[str], None] | None = None
    ) -> Generation:
        number = next(n for n in reversed(range(12)) if f"question {n}" in prompt.request)
        draw = random.Random(f"{number} {sampling.seed}").random()
        age = number * 5 if draw < 0.4 else 60 + sampling.seed
        column = "name" if draw < 0.8 else "nothing"
        sql = f"SELECT {column} FROM singer WHERE age > {age}"
        return Generation(sql, "stop", -1.0, Usage(50, 20, 9, 0.1))

    def choose(self, prompt: Prompt, choices: Sequence[Sequence[str]]) -> ChoiceReading:
        reading = random.Random(prompt.request).gauss(0, 2)
        return ChoiceReading((reading, 0.0), Usage(60, 50, 0, 0.1))

    def count_tokens(self, text: str) -> int:
        return len(text) // 4


def run_of(store: Store, run: Run, items: list[Item], threshold: float) -> list[StoredAnswer]:
    settings = ["llm_critic=raw", f"critic_threshold={threshold}", f"z={Z}"]
    ask = local("ac_sql", context_of("scripted", None, settings))
    with use_model("scripted", Scripted()):
        list(evaluate([Entrant(run, ask)], items, store, Scorers(execution_score)))
    return list(store.answers(run))


def test_replaying_a_threshold_gives_what_the_graph_gives(
    tmp_path: Path, items: list[Item], make_run: Callable[..., Run]
) -> None:
    store = Store(tmp_path / "store.sqlite")
    draws = draws_of(run_of(store, make_run(store, threshold=1.0), items, 1.0), Z)
    assert draws.n == len(items)
    for values in (draws.correct, draws.executes, accepted(draws, 0.3)):
        assert 0.1 < values.mean() < 0.9
    for threshold in (0.3, 0.7):
        ran = run_of(store, make_run(store, threshold=threshold), items, threshold)
        replayed = replay(draws, accepted(draws, threshold), Z)
        assert replayed.tolist() == [answer.correct for answer in ran]
        assert [answer.status for answer in ran].count("error") == 0
