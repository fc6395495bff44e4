import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from critiql.agent.answer import Answer
from critiql.evals.data.item import Item
from critiql.evals.run.runner import Entrant, RunStoppedError, budget, evaluate, pending
from critiql.evals.run.scoring import Scorers, execution_score
from critiql.evals.run.store import Run, Store

SCORERS = Scorers(execution_score)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store.sqlite")


def test_answers_are_scored_with_every_candidate(
    items: list[Item], store: Store, make_run: Callable[..., Run], make_answer: Callable[..., Answer]
) -> None:
    wrong = "select name from singer where age > 999"

    def ask(item: Item) -> Answer:
        candidates = [{"id": 0, "sql": wrong}, {"id": 1, "sql": item.gold}]
        return make_answer(item, item.gold if item.index % 2 else wrong, candidates=candidates)

    run = make_run(store)
    given = {answer.index: answer for _, answer in evaluate([Entrant(run, ask)], items, store, SCORERS)}
    kept = {answer.index: answer for answer in store.answers(run)}
    assert kept == given
    assert {i: a.correct for i, a in kept.items() if i < 10} == {i: bool(i % 2) for i in range(10)}
    assert [c["correct"] for c in kept[1].candidates] == [False, True]
    assert kept[1].model_seconds == 1.5
    assert kept[1].usage["actor"]["prompt"] == 100


def test_questions_are_grouped_by_database_and_paired(
    items: list[Item], store: Store, make_run: Callable[..., Run], make_answer: Callable[..., Answer]
) -> None:
    runs = [make_run(store, "a"), make_run(store, "b")]
    entrants = [Entrant(run, lambda item: make_answer(item, item.gold)) for run in runs]
    order = [(run.spec.system, answer.index) for run, answer in evaluate(entrants, items, store, SCORERS)]
    indices = [1, 3, 5, 7, 9, 11, 0, 2, 4, 6, 8, 10]
    assert order == [(system, index) for index in indices for system in ("a", "b")]


def test_a_second_start_asks_only_what_is_left(
    items: list[Item], store: Store, make_run: Callable[..., Run], make_answer: Callable[..., Answer]
) -> None:
    asked: Counter[int] = Counter()

    def ask(item: Item) -> Answer:
        asked[item.index] += 1
        return make_answer(item, item.gold)

    entrant = Entrant(make_run(store), ask)
    left = iter([False] * 5 + [True])
    assert len(list(evaluate([entrant], items, store, SCORERS, stop=lambda: next(left)))) == 5
    assert len(pending([entrant], items, store)) == 7
    again = Entrant(make_run(store), ask)
    assert again.run == entrant.run
    assert len(list(evaluate([again], items, store, SCORERS))) == 7
    assert asked == Counter({item.index: 1 for item in items})


def test_other_settings_are_another_run(store: Store, make_run: Callable[..., Run]) -> None:
    assert make_run(store, z=5).id != make_run(store, z=3).id


def test_a_question_on_which_the_agent_fails_is_counted_wrong_and_asked_again(
    items: list[Item], store: Store, make_run: Callable[..., Run], make_answer: Callable[..., Answer]
) -> None:
    def fails(item: Item) -> Answer:
        raise ConnectionError("the server is away")

    run = make_run(store)
    first = [answer for _, answer in evaluate([Entrant(run, fails)], items[:2], store, SCORERS)]
    assert [(a.status, a.correct, a.error) for a in first] == [
        ("error", False, "ConnectionError: the server is away")
    ] * 2
    works = Entrant(run, lambda item: make_answer(item, item.gold))
    assert [a.correct for _, a in evaluate([works], items[:2], store, SCORERS)] == [True, True]
    assert [a.status for a in store.answers(run)] == ["unverified"] * 2


def test_a_run_ends_when_the_agent_fails_on_every_question(
    items: list[Item], store: Store, make_run: Callable[..., Run]
) -> None:
    def fails(item: Item) -> Answer:
        raise ConnectionError("the server is away")

    run = make_run(store)
    with pytest.raises(RunStoppedError, match=r"5 questions in a row.*the server is away"):
        list(evaluate([Entrant(run, fails)], items, store, SCORERS))
    assert len(list(store.answers(run))) == 5
    assert len(pending([Entrant(run, fails)], items, store)) == 12


def test_a_server_is_asked_several_questions_at_once(
    items: list[Item], store: Store, make_run: Callable[..., Run], make_answer: Callable[..., Answer]
) -> None:
    flying = peak = 0

    def ask(item: Item) -> Answer:
        nonlocal flying, peak
        flying += 1
        peak = max(peak, flying)
        time.sleep(0.02)
        flying -= 1
        return make_answer(item, item.gold)

    run = make_run(store)
    answers = list(evaluate([Entrant(run, ask)], items, store, SCORERS, concurrency=3))
    assert sorted(answer.index for _, answer in answers) == list(range(12))
    assert peak == 3


def test_a_budget_of_seconds_ends() -> None:
    assert budget(0.0)()
    assert not budget(60)()
    assert not budget(None)()


SCRIPT = """
import importlib.util, sys, time
from pathlib import Path

spec = importlib.util.spec_from_file_location("tiny", sys.argv[1])
tiny = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tiny)

from critiql.evals.run.call_cache import CachedModel, CallCache
from critiql.evals.data.item import Item
from critiql.evals.run.runner import Entrant, RunStoppedError, evaluate
from critiql.evals.run.scoring import Scorers, execution_score
from critiql.evals.run.store import RunSpec, Store
from critiql.tools.models.model import Generation, Prompt, Sampling, Usage

folder = Path(sys.argv[2])


class Scripted:
    name, fingerprint = "scripted", "s0"

    def generate(self, prompt, sampling, on_text=None):
        time.sleep(0.02)
        with (folder / "calls.log").open("a") as log:
            log.write(prompt.request + "\\n")
        number = int(prompt.request.split()[-1])
        age = number * 5 if number % 3 else 999
        return Generation(f"select name from singer where age > {age}", "stop", -1.0, Usage(10, 5, 5, 0.02))


model = CachedModel("scripted", "s0", Scripted, CallCache(folder / "calls.sqlite"))


def ask(item):
    generation = model.generate(Prompt("schema", item.question), Sampling())
    return tiny.answer_of(item, generation.text)


items = [
    Item("tiny", n, "db", folder / "db.sqlite", f"q {n}", f"select name from singer where age > {n * 5}")
    for n in range(40)
]
with Store(folder / "store.sqlite") as store:
    run = store.begin(RunSpec("a", "tiny", "s0", "s0", {}, {}, "c0"), "commit", "machine", "tiny")
    for _ in evaluate([Entrant(run, ask)], items, store, Scorers(execution_score), models=[model]):
        pass
"""


@pytest.mark.slow
def test_ten_kills_at_random_moments_lose_and_repeat_nothing(tmp_path: Path, items: list[Item]) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "db.sqlite").write_bytes(items[0].database.read_bytes())
    command = [sys.executable, "script.py", str(Path(__file__).parents[1] / "conftest.py"), str(tmp_path)]
    moments = random.Random(0)
    answered: list[set[int]] = []
    kills = 0
    while kills < 10:
        before = len(answered[-1]) if answered else 0
        with subprocess.Popen(command, cwd=tmp_path) as child:
            wait_for_progress(tmp_path, before, child)
            time.sleep(moments.uniform(0, 0.06))
            child.kill()
        kills += 1
        answered.append(indices(tmp_path))
        if len(answered) > 1:
            assert answered[-2] <= answered[-1]
    subprocess.run(command, cwd=tmp_path, check=True)
    with Store(tmp_path / "store.sqlite") as store:
        (run,) = store.runs()
        answers = list(store.answers(run))
    assert [answer.index for answer in answers] == list(range(40))
    assert [answer.correct for answer in answers[:9]] == [n % 3 != 0 for n in range(9)]
    calls = Counter((tmp_path / "calls.log").read_text().splitlines())
    assert len(calls) == 40
    # a call that a kill cut off before it was written down is the only one that may come twice
    assert sum(calls.values()) <= 40 + kills


def wait_for_progress(folder: Path, before: int, child: "subprocess.Popen[bytes]") -> None:
    """Until the child has answered one more question."""
    deadline = time.monotonic() + 60
    while child.poll() is None and len(indices(folder)) <= before:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def indices(folder: Path) -> set[int]:
    if not (folder / "store.sqlite").is_file():
        return set()
    with Store(folder / "store.sqlite") as store:
        return {index for run in store.runs() for index in store.done(run)}
