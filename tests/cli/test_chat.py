"""critiql chat: turns, dialogs, Ctrl-C and the end of the input, with a scripted model."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from critiql.agent.memory.verified import read_memory
from critiql.cli.main import app
from critiql.tools.models.cancel import ensure_not_cancelled

COUNT = "SELECT COUNT(*) FROM item"
QUESTION = "How many items are there?"


def talk(shop: Path, *lines: str, options: tuple[str, ...] = ()) -> Any:
    arguments = ["chat", "--db", str(shop), "--model", "scripted", "--set", "llm_critic=off", *options]
    return CliRunner().invoke(app, arguments, input="".join(f"{line}\n" for line in lines))


def test_a_follow_up_is_shown_as_it_was_understood(scripted: Callable[..., Any], shop: Path) -> None:
    scripted([COUNT, "How many items cost more than 50?", f"{COUNT} WHERE price > 50"])
    done = talk(shop, QUESTION, "", "and more than 50?", options=("--set", "resample=false"))
    assert done.exit_code == 0, done.output
    assert "Understood as: How many items cost more than 50?" in done.stdout
    assert f"{COUNT} WHERE price > 50" in done.stdout
    for part in ("actor", "execution_critic", "follow_up"):
        assert part in done.stderr, "progress"


def test_quiet_shows_no_trace_and_looks_at_the_tables(scripted: Callable[..., Any], shop: Path) -> None:
    scripted([COUNT])
    done = talk(
        shop, "Which tables are there?", QUESTION, "explain it", "/quit", QUESTION, options=("--quiet",)
    )
    assert done.stderr == ""
    assert "item: 4 columns, 3 rows" in done.stdout
    assert "scan(item)" in done.stdout
    assert "Ran, not verified." in done.stdout
    assert done.stdout.count(COUNT) == 1, "nothing is asked after /quit"


APPROVALS = [
    (["y"], "3", COUNT),
    (["", "n"], "The query was not run.", COUNT),
    (["e", "SELECT title FROM item WHERE id = 3"], "lamp", "SELECT title"),
    (["e", "DELETE FROM item"], "read-only", "DELETE"),
    (["only the titles", "y"], "3", COUNT),
]


@pytest.mark.parametrize(("lines", "says", "shows"), APPROVALS)
def test_approval(lines: list[str], says: str, shows: str, scripted: Callable[..., Any], shop: Path) -> None:
    scripted([COUNT])
    before = shop.read_bytes()
    done = talk(shop, QUESTION, *lines, options=("--approve", "--quiet"))
    assert done.exit_code == 0, done.output
    assert "May this query be run?" in done.stdout
    assert says in done.stdout
    assert shows in done.stdout
    assert shop.read_bytes() == before


READINGS = [("A", "SELECT price FROM item"), ("B", "SELECT title FROM item"), ("", "SELECT price FROM item")]


@pytest.mark.parametrize(("said", "sql"), READINGS)
def test_which_of_two_readings(said: str, sql: str, scripted: Callable[..., Any], shop: Path) -> None:
    scripted(["SELECT price FROM item", "SELECT title FROM item"], [0.45, 0.5, 0.5])
    options = ("--quiet", "--set", "llm_critic=raw", "--set", "z=2", "--set", "critic_threshold=0.6")
    done = talk(shop, "What are the items?", said, options=options)
    assert done.exit_code == 0, done.output
    assert "The question can be read in two ways." in done.stdout
    assert sql in done.stdout.split("Which one is meant?")[1]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C as a program starts with it, whatever a test before has left."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_stops_the_answer_and_not_the_chat(scripted: Callable[..., Any], shop: Path) -> None:
    model = scripted([COUNT])
    answer, calls = model.generate, []

    def slow(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) > 1:
            return answer(*arguments)
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(500):
            ensure_not_cancelled()
            time.sleep(0.01)
        raise AssertionError("nobody cancelled it")

    model.generate = slow
    done = talk(shop, QUESTION, f"{QUESTION} Again?")
    assert done.exit_code == 0, done.output
    assert "Stopped. The conversation goes on" in done.stderr
    assert COUNT in done.stdout


def test_a_failed_turn_is_a_sentence_and_the_chat_goes_on(scripted: Callable[..., Any], shop: Path) -> None:
    scripted([COUNT])
    done = talk(shop, "x" * 9000, QUESTION)
    assert done.exit_code == 0, done.output
    assert "Shorten it" in done.stdout
    assert COUNT in done.stdout


def test_only_a_person_keeps_an_answer(scripted: Callable[..., Any], shop: Path) -> None:
    scripted([COUNT])
    assert "no answer yet" in talk(shop, "/verify").stdout
    talk(shop, QUESTION)
    assert read_memory().kept == []
    done = talk(shop, QUESTION, "/verify", "/what")
    assert "Kept as shop-" in done.stdout
    assert "/quit ends" in done.stdout
    assert [(one.pair.question, one.pair.sql) for one in read_memory().kept] == [(QUESTION, COUNT)]


BAD = [
    (["--graph", "nothing"], 2, "no graph"),
    (["--set", "z=0"], 2, "greater than or equal"),
    (["--db", "/nowhere.sqlite"], 3, "nowhere"),
]


@pytest.mark.parametrize(("options", "code", "says"), BAD)
def test_bad_input(options: list[str], code: int, says: str, shop: Path) -> None:
    done = talk(shop, options=tuple(options))
    assert done.exit_code == code, done.output
    assert says in " ".join(done.output.split())
    assert "Traceback" not in done.output


@pytest.mark.model
def test_three_turns_with_the_default_model() -> None:
    """The second and the third question need the one before."""
    lines = ("How many orders were cancelled?", "and shipped?", "in 2024?")
    done = CliRunner().invoke(app, ["chat"], input="".join(f"{line}\n" for line in lines))
    assert done.exit_code == 0, done.output
    assert re.findall(r"The count is (\d+)\.", done.stdout) == ["199", "223", "87"]
    assert "Understood as: How many orders were shipped in 2024?" in done.stdout
