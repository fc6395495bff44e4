"""critiql ask: its JSON, its trace, and what it says of bad input."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from critiql.cli.main import app
from critiql.tools.settings import settings

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "fixtures/cli/ask_bad_input.jsonl").read_text().splitlines()
]
QUESTION = "How many items are there?"


@pytest.fixture
def folder(tmp_path: Path, own_shop: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with things that are no database and no model, and an empty store of models."""
    (tmp_path / "text.sqlite").write_text("just some text, long enough to be read as a header\n" * 40)
    (tmp_path / "bad.gguf").write_bytes(b"GGUF" + bytes(1000))
    sqlite3.connect(tmp_path / "empty.sqlite").execute("VACUUM").connection.close()
    monkeypatch.setenv("CRITIQL_MODELS", str(tmp_path / "models"))
    settings.cache_clear()
    return own_shop.parent


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_bad_input(case: dict[str, Any], folder: Path) -> None:
    arguments = [argument.replace("$TMP", str(folder)) for argument in case["args"]]
    before = sorted(path.name for path in folder.iterdir())
    done = CliRunner().invoke(
        app, ["ask", *arguments], input="x" * (case.get("stdin_megabytes", 0) * 1_000_000)
    )
    said = " ".join(done.output.split())
    assert done.exit_code == case["code"], said
    assert "Traceback" not in said
    assert [part for part in case["says"] if part.casefold() not in said.casefold()] == []
    assert sorted(path.name for path in folder.iterdir()) == before


NAMED_CRITIC = ("--set", "llm_critic_model=scripted")
"""Nobody measured the scripted critic, so it is asked only where it is named for the role."""


def ask(scripted: Callable[..., Any], shop: Path, texts: list[str], *options: str) -> Any:
    scripted(texts, [0.6])
    return CliRunner().invoke(app, ["ask", QUESTION, "--db", str(shop), "--model", "scripted", *options])


def test_json_is_one_object_and_nothing_else(scripted: Callable[..., Any], shop: Path) -> None:
    done = ask(scripted, shop, ["SELECT COUNT(*) FROM item"], "--json", *NAMED_CRITIC)
    document = json.loads(done.stdout)
    assert done.exit_code == 0
    assert document["sql"] == "SELECT COUNT(*) FROM item"
    assert (document["columns"], document["rows"]) == (["COUNT(*)"], [[3]])
    assert document["status"] == "unverified"
    assert document["truncated"] is False
    assert document["model_calls"] == 2
    assert document["tokens"]["generated"] == 10
    assert [candidate["p_true"] for candidate in document["candidates"]] == [pytest.approx(0.6)]
    assert {"id", "sql", "origin", "execution"} <= set(document["candidates"][0])


def test_the_trace_names_who_speaks_and_why_it_stopped(scripted: Callable[..., Any], shop: Path) -> None:
    done = ask(
        scripted,
        shop,
        ["SELECT weight FROM item", "SELECT COUNT(*) FROM item"],
        *("--set", "resample=false", "--set", "refine=true", *NAMED_CRITIC),
    )
    assert done.exit_code == 0
    for part in (
        "actor",
        "execution_critic",
        "failed: no such column: weight",
        "refiner",
        "llm_critic",
        "held for right with 60%",
        "query 2 replaces query 1: query 1 fails",
    ):
        assert part in done.output
    assert "Ran, not verified." in " ".join(done.output.split())


def test_quiet_prints_only_sql_and_rows(scripted: Callable[..., Any], shop: Path) -> None:
    done = ask(scripted, shop, ["SELECT COUNT(*) FROM item"], "--quiet")
    assert "execution_critic" not in done.output
    assert "SELECT COUNT(*) FROM item" in done.output


def test_a_question_that_fails_exits_1(scripted: Callable[..., Any], shop: Path) -> None:
    done = ask(scripted, shop, ["SELECT nothing FROM nowhere"], "--json")
    document = json.loads(done.stdout)
    assert done.exit_code == 1
    assert (document["status"], document["rows"]) == ("failed", [])


def test_denied_tables_and_columns_are_not_read(scripted: Callable[..., Any], shop: Path) -> None:
    denied = ["--deny-table", "maker", "--deny-column", "item.price", "--json", "--set", "z=1"]
    for sql, name in (("SELECT name FROM maker", "maker"), ("SELECT price FROM item", "price")):
        document = json.loads(ask(scripted, shop, [sql], *denied).stdout)
        assert document["status"] == "failed"
        assert name in document["candidates"][0]["execution"]["message"]
    done = ask(scripted, shop, ["SELECT COUNT(*) FROM item"], "--allow-table", "item", "--json")
    assert json.loads(done.stdout)["rows"] == [[3]]


def test_markup_and_control_characters_in_rows_are_only_shown(
    scripted: Callable[..., Any], shop: Path
) -> None:
    done = ask(scripted, shop, ["SELECT '[bold]x' || char(27) || '[2J' AS title"], "--quiet")
    assert "[bold]x" in done.output
    assert "\x1b[2J" not in done.output


def test_the_words_of_the_json_have_no_marks_of_markdown(scripted: Callable[..., Any], shop: Path) -> None:
    done = ask(scripted, shop, ["SELECT 'a_b*c [d]' AS the_title"], "--json")
    words = json.loads(done.stdout)["in_words"]
    assert "a_b*c [d]" in words
    assert "\\" not in words


def test_a_second_time_the_query_is_recalled_unless_asked_afresh(
    scripted: Callable[..., Any], shop: Path
) -> None:
    calls = []
    for options in ([], [], ["--fresh"]):
        done = ask(scripted, shop, ["SELECT COUNT(*) FROM item"], "--json", *options)
        document = json.loads(done.stdout)
        calls.append((document["stopped"], document["model_calls"], document["rows"]))
    assert calls == [("critic_off", 1, [[3]]), ("recalled", 0, [[3]]), ("critic_off", 1, [[3]])]
    assert "answered before" in ask(scripted, shop, ["SELECT 1"]).output
