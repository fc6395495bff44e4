"""Runs made apart in one store."""

from collections.abc import Callable
from pathlib import Path

import pytest

from critiql.evals.run.export import export
from critiql.evals.run.merge import merge
from critiql.evals.run.store import Run, Store, StoredAnswer

Begin = Callable[..., Run]
Make = Callable[..., StoredAnswer]


@pytest.fixture
def files(tmp_path: Path, make_run: Begin, make_stored: Make) -> list[Path]:
    """A store with system a on questions 0 and 1; an export with the same run, and system b, on 1 and 2."""
    one, two, exported = tmp_path / "one.sqlite", tmp_path / "two.sqlite", tmp_path / "two.jsonl.gz"
    with Store(one) as store:
        run = make_run(store, "a")
        for index in (0, 1):
            store.add(run, make_stored(index, True))
    with Store(two) as store:
        run, other = make_run(store, "a"), make_run(store, "b")
        for index in (1, 2):
            store.add(run, make_stored(index, False))
            store.add(other, make_stored(index, True))
        export(store, store.runs(), exported)
    return [one, exported]


def test_the_first_answer_to_a_question_stays(files: list[Path]) -> None:
    with Store(None) as store:
        assert merge(files, store) == 5
        verdicts = {
            run.spec.system: {answer.index: answer.correct for answer in store.answers(run)}
            for run in store.runs()
        }
        assert verdicts == {"a": {0: True, 1: True, 2: False}, "b": {1: True, 2: True}}
        assert merge(files, store) == 0


def test_only_the_questions_asked_for(files: list[Path]) -> None:
    with Store(None) as store:
        assert merge(files, store, {0}) == 1
        assert [run.spec.system for run in store.runs()] == ["a"]


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    with Store(None) as store, pytest.raises(FileNotFoundError):
        merge([tmp_path / "none.jsonl"], store)
