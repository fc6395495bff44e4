"""A question answered before: recalled without a model, and only where nothing that matters has changed."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from critiql.agent.answer import Answer
from critiql.agent.context import Context
from critiql.agent.graph_contexts import TextToSqlContext
from critiql.agent.memory import answer_cache
from critiql.agent.memory.answer_cache import Chosen, path_of_cache
from critiql.agent.roles import answer, recall, remember
from critiql.graphs.api import ask
from critiql.graphs.catalogue import graph
from critiql.tools.database.open import close_databases, get_database
from critiql.tools.models import factory
from critiql.tools.models.factory import fingerprint_of, use_model
from critiql.tools.models.model import ModelError
from critiql.tools.settings import settings

QUESTION = "What did Birch make?"
SQL = "SELECT title FROM item JOIN maker ON item.maker_id = maker.id WHERE maker.name = 'Birch'"
BROKEN = "SELECT nothing FROM item"
SETTINGS = {"model": "scripted", "answer_cache": True, "llm_critic": "raw"}


@pytest.fixture
def asked(scripted: Callable[..., Any], shop: Path) -> Callable[..., Answer]:
    """Ask about the shop with a model that knows one query."""

    def ask_shop(
        *,
        sql: str = SQL,
        truth: float = 0.9,
        question: str = QUESTION,
        database: Path = shop,
        given: Any = None,
        **settings: Any,
    ) -> Answer:
        scripted([sql], [truth])
        return ask(question, database, context=Context(**{**SETTINGS, **settings}), **(given or {}))

    return ask_shop


def no_model(*_: Any) -> Any:
    pytest.fail("a model was asked for")


def test_a_second_time_no_model_is_loaded(
    scripted: Callable[..., Any], own_shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = own_shop.with_name("small.gguf")
    file.write_bytes(b"GGUF")
    model = scripted([SQL], [0.9])
    model.fingerprint = sha256(b"GGUF").hexdigest()[:12]
    monkeypatch.setattr(answer, "confidence_of", lambda *_: 0.5)
    # a schema too long to fit without counting its tokens, for which a model is needed
    context = Context(**{**SETTINGS, "model": str(file), "schema_tokens": 200})
    with use_model(str(file), model):
        first = ask(QUESTION, own_shop, context=context)
    monkeypatch.setattr(factory, "make_model", no_model)
    monkeypatch.setattr(answer, "confidence_of", no_model)
    second = ask(QUESTION, own_shop, context=context)
    assert (second.stopped, second.model_calls, second.generations) == ("recalled", 0, 0)
    same = {"sql", "rows", "columns", "status", "confidence", "in_words"}
    assert second.model_dump(include=same) == first.model_dump(include=same)
    assert (second.status, second.confidence, second.rows) == ("accepted", 0.5, [["lamp"]])
    assert [event["type"] for event in second.events] == ["recalled", "executed", "answered"]
    assert second.candidates[0]["p_true"] == pytest.approx(0.9)


def test_rows_are_not_kept(asked: Callable[..., Answer]) -> None:
    asked(sql="SELECT country FROM maker")
    kept = path_of_cache().read_bytes()
    assert b"SELECT country FROM maker" in kept
    assert [word for word in (b"Norway", b"Peru", QUESTION.encode()) if word in kept] == []


def test_other_rows_are_another_database(asked: Callable[..., Answer], own_shop: Path) -> None:
    assert asked(database=own_shop).stopped != "recalled"
    assert asked(database=own_shop).stopped == "recalled"
    with closing(sqlite3.connect(own_shop)) as connection, connection:
        connection.execute("UPDATE item SET title = 'lantern' WHERE id = 3")
    found = asked(database=own_shop)
    assert found.stopped != "recalled"
    assert found.rows == [["lantern"]]


def changed_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall.prompts, "names", lambda: ["actor"])


def changed_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall, "version", lambda _: "another")


def changed_calibration(monkeypatch: pytest.MonkeyPatch) -> None:
    found = SimpleNamespace(model_dump_json=lambda: "another")
    monkeypatch.setattr(recall, "find_calibration", lambda *_: found)


def nothing_changed(_: pytest.MonkeyPatch) -> None: ...


CHANGES = [
    (nothing_changed, {}, True),
    (nothing_changed, {"seconds": 299, "tokens": 50_000}, True),
    (changed_prompt, {}, False),
    (changed_package, {}, False),
    (changed_calibration, {"llm_critic": "calibrated"}, False),
    (nothing_changed, {"z": 4}, False),
    (nothing_changed, {"query_rows": 5}, False),
    (nothing_changed, {"question": QUESTION.lower()}, False),
    (nothing_changed, {"given": {"evidence": "Birch is a maker."}}, False),
    (nothing_changed, {"given": {"draft": SQL}}, False),
    (nothing_changed, {"given": {"graph": "single_shot"}}, False),
    (nothing_changed, {"answer_cache": False}, False),
]


@pytest.mark.parametrize(("change", "other", "recalled"), CHANGES)
def test_what_matters_is_in_the_key(
    change: Callable[..., None],
    other: dict[str, Any],
    recalled: bool,
    asked: Callable[..., Answer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = {key: value for key, value in other.items() if key == "llm_critic"}
    assert asked(**first).stopped != "recalled"
    assert asked(**first).stopped == "recalled"
    change(monkeypatch)
    found = asked(**other)
    assert (found.stopped == "recalled") is recalled
    assert found.rows == [["lamp"]]


def test_other_weights_are_another_model(scripted: Callable[..., Any], shop: Path) -> None:
    context = Context(**SETTINGS)
    for weights in ("one", "two"):
        scripted([SQL], [0.9]).fingerprint = weights
        assert ask(QUESTION, shop, context=context).stopped == "accepted"


UNFINISHED: list[dict[str, Any]] = [
    {"sql": BROKEN, "z": 1},
    {"truth": 0.1, "seconds": 1e-9},
    {"truth": 0.1, "tokens": 500, "z": 20},
]


@pytest.mark.parametrize("unfinished", UNFINISHED)
def test_what_failed_or_was_cut_short_is_not_remembered(
    unfinished: dict[str, Any], asked: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    if "tokens" in unfinished:
        monkeypatch.setattr(remember, "spent", lambda *_: "tokens")
    assert asked(**unfinished).stopped != "recalled"
    assert asked(**unfinished).stopped != "recalled"


@pytest.mark.parametrize("role", ["generate", "choose"])
def test_nor_is_an_answer_after_a_failed_model(role: str, scripted: Callable[..., Any], shop: Path) -> None:
    def refuses(*given: Any) -> Any:
        if role == "choose" or model.asked:
            raise ModelError("it refused the call")
        return generate(*given)

    for _ in range(2):
        model = scripted([SQL if role == "choose" else "SELECT title FROM item WHERE id = 9"], [0.1])
        generate = model.generate
        setattr(model, role, refuses)
        found = ask(QUESTION, shop, context=Context(**SETTINGS))
        assert found.stopped == ("critic_off" if role == "choose" else "model_failed")


def test_a_server_is_always_asked_anew(asked: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall, "file_version", lambda _: None)
    assert [asked().stopped for _ in range(2)] == ["accepted", "accepted"]
    assert not path_of_cache().exists()


def test_a_recalled_query_that_fails_is_forgotten(asked: Callable[..., Answer], shop: Path) -> None:
    context = TextToSqlContext(**SETTINGS)
    asked()
    key = recall.key_of(QUESTION, "", get_database(shop), context)
    assert key is not None
    stale = Chosen(sql=BROKEN, origin="actor", p_true=0.9, verdict="accepted", confidence=0.7)
    answer_cache.remember(key, stale)
    found = asked()
    assert (found.stopped, found.status, found.confidence) == ("recalled", "failed", None)
    assert asked().rows == [["lamp"]]
    close_databases()


def test_a_thread_forgets_what_was_recalled(scripted: Callable[..., Any], shop: Path) -> None:
    from langgraph.checkpoint.memory import InMemorySaver

    scripted([SQL], [0.9])
    thread = graph("text_to_sql").copy(update={"checkpointer": InMemorySaver()})
    stops = []
    for question in (QUESTION, QUESTION, "Which items are there?"):
        given: Any = {"question": question, "database": str(shop)}
        final = thread.invoke(given, {"configurable": {"thread_id": "1"}}, context=Context(**SETTINGS))
        stops.append((final["stopped"], len(final["candidates"]), len(final["calls"])))
    assert stops == [("accepted", 1, 2), ("recalled", 1, 0), ("accepted", 1, 2)]


def test_a_fingerprint_is_told_without_loading(
    own_shop: Path, scripted: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRITIQL_MODELS", str(own_shop.parent / "models"))
    settings.cache_clear()
    scripted()
    file = own_shop.with_name("small.gguf")
    file.write_bytes(b"GGUF")
    assert fingerprint_of("scripted") == "scripted"
    assert fingerprint_of(str(file)) == sha256(b"GGUF").hexdigest()[:12]
    assert fingerprint_of("openai:big@http://host/v1") == "openai:big@http://host/v1"
    with pytest.raises(ModelError, match="critiql models pull"):
        fingerprint_of("qwen2.5-coder-0.5b-instruct")
