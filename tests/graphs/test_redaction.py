"""What a run tells about the database: nothing in logs, and on request nothing in its trace."""

import json
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from critiql.agent.answer import Answer
from critiql.agent.context import Context
from critiql.cli.main import app
from critiql.graphs.api import ask, stream
from critiql.graphs.catalogue import GRAPHS
from critiql.tools.models.model import ModelError

QUESTION = "Who lives in Bergen?"
CELL, SECOND = "CANARY-cell-71", "CANARY-cell-72"
TEXTS = [
    f"SELECT person.nmae FROM person WHERE town = '{CELL.lower()}'",
    f"SELECT p.nam FROM person AS p WHERE p.town = '{SECOND}' -- {CELL}",
    f"{CELL} lives there.",
    f"SELECT name, 471147114711 FROM person WHERE name <> '{SECOND}' AND town = '{CELL}'",
]
"""Errors of names, a value in the wrong case, prose: each graph tells what it has to tell about them."""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("town") / "town.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE person (name TEXT, town TEXT, number INTEGER)")
        connection.execute(
            "INSERT INTO person VALUES (?, ?, 471147114711), ('other', ?, NULL)", [CELL, CELL, SECOND]
        )
    connection.close()
    return path


def context(**more: Any) -> Context:
    return Context(model="scripted", llm_critic="raw", z=4, show_values=True, refine=True, **more)


def told(answer: Any) -> str:
    return json.dumps([answer.events, answer.candidates, answer.decisions])


@pytest.mark.parametrize("name", GRAPHS)
def test_a_redacted_trace_tells_no_value(name: str, town: Path, scripted: Callable[..., Any]) -> None:
    scripted(TEXTS, [0.3])
    options: dict[str, Any] = {"graph": name, "context": context(), "evidence": f"Bergen is {SECOND}"}
    plain = ask(f"{QUESTION} {CELL}", town, **options)
    scripted(TEXTS, [0.3])
    hidden = ask(f"{QUESTION} {CELL}", town, redact=True, **options)
    assert CELL.lower() in told(plain).lower(), "there is something to hide"
    assert "canary" not in told(hidden).lower()
    assert "471147114711" not in told(hidden)
    assert [event["type"] for event in hidden.events] == [event["type"] for event in plain.events]
    assert (hidden.sql, hidden.rows, hidden.status) == (plain.sql, plain.rows, plain.status)


async def test_a_redacted_stream_tells_none_either(town: Path, scripted: Callable[..., Any]) -> None:
    scripted(TEXTS, [0.3])
    seen = [item async for item in stream(QUESTION, town, context=context(), redact=True)]
    told = [item for item in seen if not isinstance(item, Answer)]
    assert "canary" not in "".join(event.model_dump_json() for event in told).lower()
    assert "writing" not in {event.type for event in told}
    assert [event.seq for event in told] == list(range(len(told)))


def test_the_command_shows_the_answer_whole_and_the_trace_without_values(
    town: Path, scripted: Callable[..., Any]
) -> None:
    command = ["ask", QUESTION, "--db", str(town), "--model", "scripted", "--fresh", "--redact"]
    scripted(TEXTS[3:], [0.6])
    done = CliRunner().invoke(app, command)
    assert CELL in done.stdout
    assert "execution_critic" in done.stderr
    assert "CANARY" not in done.stderr
    scripted(TEXTS[3:], [0.6])
    document = json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)
    assert document["rows"] == [[CELL, 471_147_114_711]]
    assert "CANARY" not in json.dumps([document["trace"], document["candidates"]])


@pytest.mark.parametrize("name", GRAPHS)
def test_the_library_writes_no_log(
    name: str,
    town: Path,
    scripted: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: Any) -> Any:
        raise ModelError("it refused the call")

    scripted(TEXTS, [0.3])
    ask(QUESTION, town, graph=name, context=context())
    scripted(TEXTS).generate = fail
    with pytest.raises(ModelError):
        ask(QUESTION, town, graph=name, context=context())
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("hidden", [True, False])
def test_langsmith_is_told_nothing_of_a_redacted_run(
    hidden: bool, town: Path, scripted: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from langchain_core.tracers.langchain import LangChainTracer
    from langsmith import utils

    told: list[Any] = []
    monkeypatch.setattr(LangChainTracer, "_persist_run_single", lambda _, run: told.append(run))
    monkeypatch.setattr(LangChainTracer, "_update_run_single", lambda _, run: told.append(run))
    for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"):
        monkeypatch.setenv(name, "true")
    monkeypatch.setenv("LANGSMITH_API_KEY", "none")
    utils.get_env_var.cache_clear()
    try:
        scripted(TEXTS[3:], [0.6])
        ask(QUESTION, town, context=context(), redact=hidden)
    finally:
        monkeypatch.undo()
        utils.get_env_var.cache_clear()
    assert bool(told) is not hidden
