import json
from collections.abc import Callable
from pathlib import Path

import pytest

from critiql.agent.answer import Answer
from critiql.evals.data.item import Item
from critiql.evals.run.call_cache import CachedModel, CallCache
from critiql.evals.run.export import export, fill_cache, fill_store, open_results, read
from critiql.evals.run.runner import Entrant, evaluate
from critiql.evals.run.scoring import Scorers, execution_score
from critiql.evals.run.store import Run, Store, StoredAnswer
from critiql.tools.models.model import ChoiceReading, Generation, LanguageModel, Prompt, Sampling, Usage

Begin = Callable[..., Run]


class Scripted:
    name, fingerprint = "scripted", "s0"

    def generate(self, prompt: Prompt, sampling: Sampling, on_text: object = None) -> Generation:
        return Generation("select name from singer", "stop", -1.0, Usage(10, 5, 5, 0.02))

    def choose(self, prompt: Prompt, choices: object) -> ChoiceReading:
        return ChoiceReading((-0.2, -1.7), Usage(10, 9, 0, 0.01))

    def count_tokens(self, text: str) -> int:
        return len(text)


@pytest.fixture
def answered(
    tmp_path: Path, items: list[Item], make_run: Begin, make_answer: Callable[..., Answer]
) -> tuple[Store, Run, CallCache]:
    """A store with twelve answers, whose model calls are in a cache."""
    cache = CallCache(tmp_path / "calls.sqlite")
    model = CachedModel("scripted", "s0", Scripted, cache)

    def ask(item: Item) -> Answer:
        sql = model.generate(Prompt("schema", item.question), Sampling()).text
        model.choose(Prompt("schema", item.question), (["True"], ["False"]))
        execution = {
            "ok": True,
            "kind": None,
            "message": "secret",
            "name": None,
            "columns": ["secret"],
            "rows": [["Ada"]],
            "row_count": 3,
            "truncated": False,
            "rows_fingerprint": "f0",
            "null_columns": 0,
            "seconds": 0.1,
        }
        candidate = {
            "id": 0,
            "sql": sql,
            "p_true": 0.8,
            "execution": execution,
            "findings": [{"type": "x", "y": 1}],
        }
        return make_answer(item, sql, candidates=[candidate])

    store = Store(tmp_path / "store.sqlite")
    run = make_run(store)
    list(evaluate([Entrant(run, ask)], items, store, Scorers(execution_score), models=[model]))
    return store, run, cache


@pytest.mark.parametrize("name", ["e.jsonl", "e.jsonl.gz"])
def test_an_export_brings_answers_and_calls_to_another_machine(
    name: str, tmp_path: Path, answered: tuple[Store, Run, CallCache]
) -> None:
    store, run, cache = answered
    path = tmp_path / name
    assert export(store, [run], path, cache) == 12
    other = Store(tmp_path / "other.sqlite")
    assert (fill_store(path, other), fill_store(path, other)) == (12, 0)
    assert other.runs() == [run]
    for ours, theirs in zip(store.answers(run), other.answers(run), strict=True):
        assert (ours.sql, ours.correct, ours.calls, ours.usage) == (
            theirs.sql,
            theirs.correct,
            theirs.calls,
            theirs.usage,
        )
        assert theirs.candidates[0]["execution"] == {
            "ok": True,
            "row_count": 3,
            "truncated": False,
            "rows_fingerprint": "f0",
            "null_columns": 0,
        }
    calls = CallCache(tmp_path / "other-calls.sqlite")
    assert fill_cache(path, calls) == 24

    def fail() -> LanguageModel:
        pytest.fail("the model was loaded although every call was exported")

    replayed = CachedModel("scripted", "s0", fail, calls)
    assert replayed.generate(Prompt("schema", "question 3"), Sampling()).text == "select name from singer"
    assert replayed.choose(Prompt("schema", "question 3"), (["True"], ["False"])).logprobs == (-0.2, -1.7)


def test_the_benchmarks_text_stays_out(
    tmp_path: Path, items: list[Item], answered: tuple[Store, Run, CallCache]
) -> None:
    store, run, cache = answered
    export(store, [run], tmp_path / "e.jsonl", cache)
    text = (tmp_path / "e.jsonl").read_text()
    assert "secret" not in text
    assert str(tmp_path) not in text
    for item in items:
        assert item.question not in text
        assert item.gold not in text


def test_the_same_answers_give_the_same_bytes(tmp_path: Path, answered: tuple[Store, Run, CallCache]) -> None:
    store, run, cache = answered
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        export(store, [run], tmp_path / name, cache)
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_results_open_from_a_store_or_an_export(
    tmp_path: Path, answered: tuple[Store, Run, CallCache]
) -> None:
    store, run, _ = answered
    export(store, [run], tmp_path / "e.jsonl")
    for path in (tmp_path / "store.sqlite", tmp_path / "e.jsonl"):
        with open_results(path) as results:
            assert len(list(results.answers(results.run("a")))) == 12
    with pytest.raises(FileNotFoundError, match="no store or export"):
        open_results(tmp_path / "none.sqlite")


@pytest.mark.parametrize("line", [{}, {"kind": "header", "version": 99}, {"kind": "answer"}])
def test_other_files_are_refused(line: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "other.jsonl"
    path.write_text(json.dumps(line) + "\n")
    with pytest.raises(ValueError, match="no evaluation export"):
        list(read(path))


def test_another_system_s_query_stays_out(
    tmp_path: Path, make_run: Begin, make_stored: Callable[..., StoredAnswer]
) -> None:
    store = Store(tmp_path / "s.sqlite")
    run = make_run(store, "text_to_sql", predictions="theirs.txt 123")
    given = {"id": 0, "origin": "given", "sql": "select theirs", "correct": True}
    drawn = {"id": 1, "origin": "actor", "sql": "select ours", "correct": False}
    refined = {"id": 2, "origin": "refiner", "sql": "select theirs too", "correct": False}
    roles = {role: {"calls": 1} for role in ("actor", "refiner")}
    store.add(run, make_stored(0, True, sql="select theirs", candidates=[given, drawn]))
    store.add(run, make_stored(1, False, sql="select ours", candidates=[given, drawn]))
    store.add(run, make_stored(2, False, sql="select theirs too", candidates=[given, refined], usage=roles))
    export(store, [run], tmp_path / "e.jsonl")
    assert "theirs" not in (tmp_path / "e.jsonl").read_text().replace("theirs.txt", "")
    kept = [line for line in read(tmp_path / "e.jsonl") if line["kind"] == "answer"]
    assert [line["sql"] for line in kept] == ["", "select ours", ""]
    assert [c["sql"] for c in kept[0]["candidates"]] == ["", "select ours"]
    assert [bool(line["calls"]) for line in kept] == [True, True, False]
    with open_results(tmp_path / "e.jsonl") as again:
        assert [answer.correct for answer in again.answers(again.runs()[0])] == [True, False, False]
