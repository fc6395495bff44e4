import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from critiql.evals.run.store import Run, Store, StoredAnswer, paired

Begin = Callable[..., Run]
Make = Callable[..., StoredAnswer]


def test_an_answer_comes_back_as_it_was_kept(tmp_path: Path, make_run: Begin, make_stored: Make) -> None:
    answer = make_stored(
        7,
        None,
        candidates=[{"id": 0, "sql": "select 'ä'", "p_true": 0.25, "correct": None}],
        decisions=[{"displaced": False}],
        events=[{"type": "answered"}],
        confidence=0.5,
        suite_correct=False,
        error="what happened",
    )
    with Store(tmp_path / "folder" / "s.sqlite") as store:
        run = make_run(store, z=5)
        store.add(run, answer)
    with Store(tmp_path / "folder" / "s.sqlite") as store:
        assert list(store.answers(store.run(run.id))) == [answer]


def test_a_question_is_answered_once(make_run: Begin, make_stored: Make) -> None:
    store = Store(None)
    run = make_run(store)
    store.add(run, make_stored(1, True))
    with pytest.raises(sqlite3.IntegrityError):
        store.add(run, make_stored(1, False))
    assert [answer.correct for answer in store.answers(run)] == [True]


def test_runs_are_found_by_id_or_as_the_newest_of_a_system(make_run: Begin) -> None:
    store = Store(None)
    first, second = make_run(store, "a", z=1), make_run(store, "a", z=2)
    assert store.run(first.id) == first
    assert store.run("a").id in (first.id, second.id)
    with pytest.raises(LookupError, match=r"no run or system 'b'.*a \("):
        store.run("b")
    with pytest.raises(LookupError):
        store.run("a", "another data set")


def test_pairs_are_the_questions_that_both_could_be_scored_on(make_stored: Make) -> None:
    first = [make_stored(1, True), make_stored(2, None), make_stored(3, False)]
    second = [make_stored(1, False), make_stored(2, True), make_stored(4, True)]
    assert [(a.index, b.correct) for a, b in paired(first, second)] == [(1, False)]


def test_a_store_of_an_earlier_version_goes_on(tmp_path: Path, make_run: Begin, make_stored: Make) -> None:
    path = tmp_path / "s.sqlite"
    with Store(path) as store:
        run = make_run(store)
        store.add(run, make_stored(1, True))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("alter table answers drop column soft_f1")
        connection.commit()
    with Store(path) as store:
        store.add(run, make_stored(2, True, soft_f1=0.5))
        assert [answer.soft_f1 for answer in store.answers(run)] == [None, 0.5]
