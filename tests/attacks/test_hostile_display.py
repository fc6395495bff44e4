"""Control characters and markup out of a database are only shown, in the terminal and in the chat."""

import json
import re
import sqlite3
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import typer
from markdown_it import MarkdownIt
from rich.console import Console
from typer.testing import CliRunner

from critiql.agent.events import (
    Abstained,
    Assisted,
    Budget,
    Decided,
    Detected,
    Escalated,
    Event,
    Executed,
    Exemplified,
    Grounded,
    Judged,
    Proposed,
    Recalled,
    Resumed,
    Rewritten,
    Sensed,
    Writing,
)
from critiql.agent.roles.answer import message
from critiql.agent.wording.sentence import sentence
from critiql.cli.main import app
from critiql.cli.screen.failures import fail
from critiql.cli.screen.trace import LINES, TracePrinter
from critiql.tools.database.result import Failure, Rows
from critiql.tools.schema.quoting import CONTROL

FIXTURES = Path(__file__).parents[1] / "fixtures" / "attacks"
TEXTS = [
    json.loads(line)["text"]
    for line in (FIXTURES / "hostile_display.jsonl").read_text(encoding="utf-8").splitlines()
]
EACH = pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
EVERYTHING = "SELECT * FROM shown"
WORDS = {"paragraph_open", "paragraph_close", "inline", "text", "softbreak", "hardbreak"}
"""Elements of Markdown that hold words."""


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A database with a column named after each text, and the text in it."""
    path = tmp_path / "hostile.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE shown ({', '.join(quoted(text) + ' TEXT' for text in TEXTS)})")
        connection.execute(f"INSERT INTO shown VALUES ({', '.join('?' for _ in TEXTS)})", TEXTS)
    connection.close()
    return path


def only_shown(said: str) -> bool:
    """Whether nothing in an output can steer a terminal or hide itself; lines may end."""
    return not CONTROL.search(said.replace("\n", ""))


def elements(markdown: str) -> list[str]:
    """The kinds of elements a reader of Markdown makes of a text, HTML and tables included."""
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    tokens = [part for token in reader.parse(markdown) for part in (token, *(token.children or ()))]
    return [token.type for token in tokens]


@pytest.mark.parametrize("command", ["run", "check", "explain"])
def test_commands_only_show_names_and_cells(command: str, hostile: Path) -> None:
    for more in ([], ["--json"]):
        done = CliRunner().invoke(app, [command, EVERYTHING, "--db", str(hostile), *more])
        assert done.exit_code in (0, 1), done.output
        assert only_shown(done.output)


def test_ask_only_shows_them(hostile: Path, scripted: Callable[..., Any]) -> None:
    scripted([EVERYTHING], [0.5])
    command = ["ask", "\n".join(TEXTS), "--db", str(hostile), "--model", "scripted"]
    traced = CliRunner().invoke(app, command)
    document = CliRunner().invoke(app, [*command, "--json"])
    assert (traced.exit_code, document.exit_code) == (0, 0)
    assert only_shown(traced.output)
    assert only_shown(document.output)
    assert json.loads(document.stdout)["rows"] == [TEXTS], "JSON still holds the very texts"


def test_errors_only_show_them(hostile: Path, tmp_path: Path) -> None:
    """Names that are not there, in the message of the engine and in those of the rules."""
    statements = [f"SELECT s.{quoted('no ' + text)} FROM shown AS s" for text in TEXTS]
    lines = tmp_path / "lines.jsonl"
    lines.write_text("\n".join(json.dumps({"sql": sql}) for sql in statements), encoding="utf-8")
    checked = CliRunner().invoke(app, ["check", "--file", str(lines), "--db", str(hostile)])
    assert len(checked.output.splitlines()) == len(TEXTS)
    assert "no such column" in checked.output
    assert only_shown(checked.output)
    lines.write_text("\n".join(sql for sql in statements if "\n" not in sql), encoding="utf-8")
    ran = CliRunner().invoke(app, ["run", "--file", str(lines), "--db", str(hostile)])
    assert "no such column" in ran.output
    assert only_shown(ran.output.replace("\t", " "))


EVENTS: list[Event] = [
    Grounded(database="", dialect="sqlite", tables=1, schema_characters=1, pruned=False, notes=""),
    Proposed(id=1, sql="", origin="repair", round=1, note=""),
    Executed(id=1, ok=False, kind="other", message="", row_count=0, seconds=0.1),
    Detected(id=1, findings=[{"type": "value_error", "explanation": ""}]),
    Sensed(id=1, source="prompt", error=""),
    Assisted(id=1, trajectory={"refused": ""}),
    Decided(type="kept", incumbent=0, challenger=1, reason="", score=None),
    Writing(role="actor", text=""),
    Resumed(thread="", next=[""]),
    Recalled(database="", dialect="sqlite", sql="", origin="actor", p_true=None, verdict=""),
    Exemplified(pairs=1, shown=[1], left_out=[""]),
    Abstained(database="", reason=""),
    Rewritten(said="", question="", seconds=0.1),
]
"""Events that hold text of others, at the place of the empty ones."""


@EACH
def test_the_trace_only_shows_it(text: str) -> None:
    drawn = StringIO()
    printer = TracePrinter(Console(file=drawn, width=10_000))
    for event in EVENTS:
        assert type(event) in LINES or isinstance(event, Writing)
        printer.show(type(event).model_validate_json(event.model_dump_json().replace('""', json.dumps(text))))
    assert only_shown(drawn.getvalue())
    assert len(drawn.getvalue().splitlines()) >= len(EVENTS)


@EACH
def test_a_failure_only_shows_it(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What a model's server said, for example."""
    with pytest.raises(typer.Exit):
        fail(f"It said: {text}", 4)
    said = capsys.readouterr().err
    assert said.startswith("It said: ")
    assert only_shown(said)


@EACH
def test_the_chat_message_is_words_and_two_code_blocks(text: str) -> None:
    result = Rows((text,), ("TEXT",), ((text,),) * 2, False, 0.1)
    update: Any = {
        "in_words": sentence(result),
        "assumptions": [f"Values close to {text}"],
        "status": "accepted",
    }
    said = message(f"SELECT '{text}'", result, update)
    assert [kind for kind in elements(said) if kind not in WORDS] == ["fence", "fence"]
    assert only_shown(said)
    assert said.endswith("found it right on a second look.")


@EACH
def test_nor_does_an_error_leave_its_place(text: str) -> None:
    failure = Failure("other", f"no such column: {text}", 0.0)
    update: Any = {"in_words": sentence(failure), "assumptions": [], "status": "failed"}
    said = message(f"SELECT 1 -- {text}", failure, update)
    assert [kind for kind in elements(said) if kind not in WORDS] == ["fence"]
    assert only_shown(said)


@EACH
def test_a_sentence_is_one_paragraph(text: str) -> None:
    for rows in ([(text,)], [(text,), (text,)]):
        said = sentence(Rows((text,), ("",), tuple(rows), False, 0.0))
        assert set(elements(said)) <= WORDS, said
        assert not re.search(r"(?i)https?://|www\.|(?<!\\)@", said), "no address that a chat makes a link of"


def test_every_line_that_may_hold_a_text_of_others_was_drawn() -> None:
    assert set(LINES) - {type(event) for event in EVENTS} == {Judged, Budget, Escalated}
