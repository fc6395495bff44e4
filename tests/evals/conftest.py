"""Tiny databases, items on them, and agents that answer from a script."""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from critiql.agent.answer import Answer
from critiql.evals.data.item import Item
from critiql.evals.run.store import Run, RunSpec, Store, StoredAnswer

SINGERS = """
create table singer (id integer primary key, name text, age integer);
insert into singer values (1, 'Ada', 30), (2, 'Bo', 40), (3, 'Cy', 50);
"""


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    """Twelve questions, alternating between two databases; the gold of number n asks for ages over 10 n."""
    databases = []
    for name in ("zoo", "abba"):
        path = tmp_path / name / f"{name}.sqlite"
        path.parent.mkdir()
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(SINGERS)
        databases.append(path)
    return [
        Item(
            dataset="tiny",
            index=number,
            db_id=databases[number % 2].stem,
            database=databases[number % 2],
            question=f"question {number}",
            gold=f"select name from singer where age > {number * 5}",
            difficulty="easy" if number % 3 else "hard",
        )
        for number in range(12)
    ]


def answer_of(item: Item, sql: str, **changes: Any) -> Answer:
    """An answer as the agent gives it, with one candidate."""
    candidate: dict[str, Any] = {
        "id": 0,
        "sql": sql,
        "origin": "actor",
        "round": 1,
        "logprob": -0.5,
        "tokens": 9,
    }
    call = {
        "role": "actor",
        "model": "scripted",
        "operation": "generate",
        "prompt_tokens": 100,
        "cached_tokens": 80,
        "generated_tokens": 9,
        "seconds": 1.5,
    }
    fields: dict[str, Any] = {
        "question": item.question,
        "database": str(item.database),
        "graph": "scripted",
        "sql": sql,
        "columns": [],
        "rows": [],
        "truncated": False,
        "status": "unverified",
        "stopped": "unchecked",
        "confidence": None,
        "answer": "",
        "candidates": [candidate],
        "decisions": [],
        "incumbent": 0,
        "generations": 1,
        "calls": [call],
        "seconds": 0.1,
        "events": [{"type": "answered", "sql": sql}],
    }
    return Answer(**(fields | changes))


@pytest.fixture
def make_answer() -> Callable[..., Answer]:
    return answer_of


@pytest.fixture
def make_run() -> Callable[..., Run]:
    """Begins a run in a store."""

    def begin(store: Store, system: str = "a", dataset: str = "tiny", **settings: Any) -> Run:
        spec = RunSpec(system, dataset, "m0", "m0", {"actor": "p0"}, settings, "c0")
        return store.begin(spec, "commit", "machine", "tiny v1")

    return begin


@pytest.fixture
def make_stored() -> Callable[..., StoredAnswer]:
    """A stored answer with sensible defaults."""

    def make(index: int, correct: bool | None, **changes: Any) -> StoredAnswer:
        fields: Mapping[str, Any] = {
            "index": index,
            "db_id": f"db{index % 4}",
            "sql": f"select {index}",
            "status": "unverified",
            "stopped": "unchecked",
            "correct": correct,
            "suite_correct": None,
            "difficulty": ("easy", "medium", "hard")[index % 3],
            "confidence": None,
            "model_calls": 1,
            "seconds": 0.5,
            "model_seconds": 2.0,
            "usage": {"actor": {"calls": 1, "prompt": 100, "cached": 50, "generated": 10, "seconds": 2.0}},
            "candidates": [],
            "calls": [f"key{index}"],
        }
        return StoredAnswer(**{**fields, **changes})

    return make
