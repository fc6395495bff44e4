"""critiql check: what is wrong with a SQL query, by type, its place underlined, and what to do about it."""

import json
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, NoReturn

import typer
from rich.console import Console

from critiql.cli.screen import exit_codes
from critiql.cli.screen.json_text import json_text
from critiql.tools.database.engine import Database, DatabaseError
from critiql.tools.database.open import close_databases, get_database
from critiql.tools.database.result import Limits, Result, Rows
from critiql.tools.database.sample.build import sample_database
from critiql.tools.errors.lookup import DatabaseValues
from critiql.tools.errors.query import Query
from critiql.tools.errors.rules import detect, read, union
from critiql.tools.errors.types.catalogue import BY_KEY
from critiql.tools.errors.types.error_type import Finding
from critiql.tools.models.model import ModelError
from critiql.tools.schema.model import Schema

if TYPE_CHECKING:
    from critiql.cli.check_model import Asker

LONGEST_INPUT = 2_000_000
"""Characters read from standard input."""
LIMITS = Limits(seconds=2.0, rows=20)
"""What running the query may cost."""
WINDOW = 100
"""Characters of a line that are shown around an error."""


class Request(NamedTuple):
    """One query to look at."""

    db: str
    question: str
    sql: str


class Opened(NamedTuple):
    """A database, its schema and its values, read once for a whole file."""

    database: Database
    schema: Schema
    values: DatabaseValues


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
        document = examine(request, _open(db), asked, run=run)
    except DatabaseError as error:
        _fail(str(error), exit_codes.DATABASE)
    except ModelError as error:
        _fail(str(error), exit_codes.MODEL)
    except KeyboardInterrupt:
        _fail("Interrupted; nothing was changed.", exit_codes.INTERRUPTED)
    finally:
        close_databases()
    if as_json:
        typer.echo(json_text(document))
    else:
        _print(document)
    raise typer.Exit(exit_codes.FAILED if document["findings"] else exit_codes.OK)


def examine(request: Request, opened: Opened, asked: "Asker | None" = None, *, run: bool) -> dict[str, Any]:
    """Look at one query.

    Args:
        request: the query and its question.
        opened: its database.
        asked: the model that looks too; where it fails, a note says why and the rules stand alone.
        run: whether the query may be run and values may be read.

    Returns:
        What JSON holds: the SQL, whether it ran, who looked, and the findings.
    """
    schema, values = opened.schema, opened.values if run else None
    query = read(request.sql, schema, question=request.question, values=values)
    limits = asked.limits if asked else LIMITS
    result = opened.database.run(request.sql, limits) if run and not isinstance(query, Finding) else None
    if not isinstance(query, Finding) and result is not None and not result.ok:
        query = read(request.sql, schema, question=request.question, values=values, execution=result)
    found, also = detect(query), _of_model(asked, query, opened.database, result)
    return {
        "sql": request.sql,
        "question": request.question,
        "execution": _execution(result),
        **also,
        "findings": [
            {"name": BY_KEY[finding.type].name, **finding.as_dict()}
            for finding in union(found, also["findings"])
        ],
    }


def _of_model(
    asked: "Asker | None", query: Query | Finding, database: Database, result: Result | None
) -> dict[str, Any]:
    """What the model finds, and which detectors looked; a text that is no query is not shown to it."""
    if asked is None or isinstance(query, Finding):
        return {"detectors": ["rules"], "findings": []}
    try:
        return {
            "detectors": ["rules", asked.source],
            "findings": asked.findings(query, database, result),
        }
    except ModelError as error:
        return {"detectors": ["rules"], "note": f"The rules stand alone: {error}", "findings": []}


def _asker(model: str, kind: Literal["head", "prompt"], head: Path | None, *, run: bool) -> "Asker | None":
    """The model that looks too; says so where no head is shipped for it."""
    from critiql.cli.check_model import asker

    found = asker(model, kind, head, run=run)
    if found is None:
        note = f"No error-token head is shipped for {model}; the rules stand alone. Name one with --head."
        Console(stderr=True).print(_plain(note), markup=False, highlight=False, soft_wrap=True)
    return found


def _execution(result: Result | None) -> dict[str, Any] | None:
    """How running the query went; None when it was not run."""
    if result is None:
        return None
    if isinstance(result, Rows):
        return {"ok": True, "rows": len(result.rows), "truncated": result.truncated}
    return {"ok": False, "kind": result.kind, "message": result.message}


def _check_file(file: Path, db: str, asked: "Asker | None", *, run: bool) -> None:
    """One line of JSON out for each line in, in the same order; a line that cannot be used says why."""
    for number, line in enumerate(_lines(file), start=1):
        try:
            request = _request(line, db)
            document = examine(request, _open(request.db), asked, run=run)
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
def _open(db: str) -> Opened:
    database = get_database(db or sample_database())
    return Opened(database, database.schema(), DatabaseValues(database))


def _print(document: dict[str, Any]) -> None:
    console = Console()
    execution = document["execution"]
    for finding in document["findings"]:
        console.print(f"{finding['name']}", style="bold red", end="", markup=False, highlight=False)
        by = " ".join(filter(None, (finding["source"], finding["rule"])))
        console.print(f"  {by}, {finding['probability']:.2f}", style="dim")
        if finding["span"]:
            text, marks = underlined(document["sql"], *finding["span"])
            console.print(f"  {text}\n  {marks}", markup=False, highlight=False, soft_wrap=True)
        for line in (finding["explanation"], finding["suggestion"]):
            if line:
                console.print(f"  {_plain(line)}", markup=False, highlight=False, soft_wrap=True)
    if execution and not execution["ok"]:
        console.print(_plain(f"Running it gave {execution['kind']}: {execution['message']}"), markup=False)
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
