"""critiql check: what is wrong with a SQL query, by type, its place underlined, and what to do about it."""

import json
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, NoReturn

import typer
from rich.console import Console

from critiql.agent.check import Checked, asker_of, check_on, no_head
from critiql.cli.screen import exit_codes
from critiql.cli.screen.json_text import json_text
from critiql.tools.database.engine import DatabaseError
from critiql.tools.database.open import close_databases
from critiql.tools.exceptions import CritiqlError

if TYPE_CHECKING:
    from critiql.agent.check_model import Asker

LONGEST_INPUT = 2_000_000
"""Characters read from standard input."""
WINDOW = 100
"""Characters of a line that are shown around an error."""


class Request(NamedTuple):
    """One query to look at."""

    db: str
    question: str
    sql: str


def check(
    sql: Annotated[str, typer.Argument(help="The query; - reads it from standard input.")] = "",
    db: Annotated[str, typer.Option(help="Path or URL; without it the sample database.")] = "",
    question: Annotated[str, typer.Option(help="The question the query is to answer.")] = "",
    file: Annotated[
        Path | None, typer.Option(help="Queries from a file: one JSON object (db, question, sql) a line.")
    ] = None,
    execution: Annotated[
        Literal["on", "off"], typer.Option(help="off: read the schema only; no query is run, no value read.")
    ] = "on",
    model: Annotated[
        str, typer.Option(help="Model that looks too, as `model` of the settings; empty: the rules alone.")
    ] = "",
    detector: Annotated[
        Literal["head", "prompt"],
        typer.Option(help="head: error-token head on a local model; prompt: the model writes what it finds."),
    ] = "head",
    head: Annotated[
        Path | None, typer.Option(help="The head's file; without it the shipped one that fits the model.")
    ] = None,
    rules_only: Annotated[
        bool, typer.Option("--rules-only", help="Ask no model, whatever is named.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Name what is wrong with a SQL query, by type.

    Exit codes: 0 nothing found (with --file: all lines answered), 1 something found, 2 wrong usage, 3 the
    database cannot be read, 4 the model or the head cannot be used, 130 interrupted.
    """
    if (file is None) == (not sql.strip()):
        _fail("Give either a query or --file.", exit_codes.USAGE)
    if head is not None and not (model or rules_only):
        _fail("--head reads a model's hidden states: name the model with --model.", exit_codes.USAGE)
    run = execution == "on"
    try:
        asked = _asker(model, detector, head, run=run) if model and not rules_only else None
        if file is not None:
            _check_file(file, db, asked, run=run)
            raise typer.Exit(exit_codes.OK)
        request = Request(db, question, sys.stdin.read(LONGEST_INPUT) if sql == "-" else sql)
        document = check_on(_open(db), request.sql, request.question, asked, execution=run).as_dict()
    except CritiqlError as error:
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("Interrupted; nothing was changed.", exit_codes.INTERRUPTED)
    finally:
        close_databases()
    if as_json:
        typer.echo(json_text(document))
    else:
        _print(document)
    raise typer.Exit(exit_codes.FAILED if document["findings"] else exit_codes.OK)


def _asker(model: str, kind: Literal["head", "prompt"], head: Path | None, *, run: bool) -> "Asker | None":
    """The model that looks too; says so where no head is shipped for it."""
    found = asker_of(model, kind, head or "", execution=run)
    if found is None:
        Console(stderr=True).print(_plain(no_head(model)), markup=False, highlight=False, soft_wrap=True)
    return found


def _check_file(file: Path, db: str, asked: "Asker | None", *, run: bool) -> None:
    """One line of JSON out for each line in, in the same order; a line that cannot be used says why."""
    for number, line in enumerate(_lines(file), start=1):
        try:
            request = _request(line, db)
            found = check_on(_open(request.db), request.sql, request.question, asked, execution=run)
            document = found.as_dict()
        except (ValueError, DatabaseError) as error:
            document = {"error": str(error)}
        typer.echo(json_text({"line": number, **document}))


def _lines(file: Path) -> Iterator[str]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        _fail(f"{file} cannot be read: {reason}.", exit_codes.USAGE)
    yield from (line for line in text.split("\n") if line.strip())


def _request(line: str, db: str) -> Request:
    """One line of a file.

    Raises:
        ValueError: the line is no JSON object with a query.
    """
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"The line is not JSON: {error}. Write one object (db, question, sql) a line."
        ) from error
    if not isinstance(row, dict) or not isinstance(row.get("sql"), str):
        raise ValueError('The line has no text "sql". Write one object (db, question, sql) a line.')
    return Request(str(row.get("db") or db), str(row.get("question") or ""), row["sql"])


@lru_cache(maxsize=16)
def _open(db: str) -> Checked:
    """A database, and what was looked up in it, kept for a whole file."""
    return Checked.open(db)


def _print(document: dict[str, Any]) -> None:
    console = Console()
    execution = document["execution"]
    for finding in document["findings"]:
        console.print(f"{finding['name']}", style="bold red", end="", markup=False, highlight=False)
        by = " ".join(filter(None, (finding["source"], finding["rule"])))
        sure = "" if finding["source"] == "rule" else f", {finding['probability']:.0%} sure"
        console.print(f"  ({by}{sure})", style="dim", markup=False, highlight=False)
        if finding["span"]:
            text, marks = underlined(document["sql"], *finding["span"])
            console.print(f"  {text}\n  {marks}", markup=False, highlight=False, soft_wrap=True)
        for line in (finding["explanation"], finding["suggestion"]):
            if line:
                console.print(f"  {_plain(line)}", markup=False, highlight=False, soft_wrap=True)
    if execution and not execution["ok"]:
        console.print(_plain(f"Running it failed: {execution['message']}"), markup=False)
    if not document["findings"]:
        console.print(f"No error found by the {' and the '.join(document['detectors'])}.", style="green")
    if document.get("note"):
        console.print(_plain(document["note"]), markup=False, highlight=False, soft_wrap=True)


def underlined(sql: str, start: int, end: int) -> tuple[str, str]:
    """The line of the text an error begins in, cut to a window, and a line of carets under the error."""
    first = sql.rfind("\n", 0, start) + 1
    last = sql.find("\n", start)
    stop = len(sql) if last == -1 else last
    left = max(first, min(start - WINDOW // 4, stop - WINDOW))
    right = min(stop, left + WINDOW)
    marks = " " * (start - left) + "^" * max(1, min(end, right) - start)
    return _plain(sql[left:right]), marks


def _plain(text: str) -> str:
    """Text that cannot steer a terminal, as long as it was."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _fail(message: str, code: int) -> NoReturn:
    Console(stderr=True).print(_plain(message), markup=False, highlight=False, style="red", soft_wrap=True)
    raise typer.Exit(code)
