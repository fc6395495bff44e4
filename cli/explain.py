"""critiql explain: a query as steps on data frames, run one after another; or its round trip through them."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from critiql.cli.screen import exit_codes
from critiql.cli.screen.json_text import json_text
from critiql.tools.database.engine import Database, DatabaseError
from critiql.tools.database.open import get_database
from critiql.tools.database.result import Failure
from critiql.tools.database.sample.build import sample_database
from critiql.tools.schema.quoting import cell_text, escape
from critiql.tools.sql.parse import ParseFailure, parse
from critiql.tools.trajectory.forms.json_form import to_json
from critiql.tools.trajectory.forms.round_trip import RoundTrip, round_trip, same_results
from critiql.tools.trajectory.forms.text import steps_in_order, to_text, trajectory_lines
from critiql.tools.trajectory.language.actions import Problem, Trajectory
from critiql.tools.trajectory.language.compile import compile_query
from critiql.tools.trajectory.steps.describe import describe
from critiql.tools.trajectory.steps.evidence import evidence
from critiql.tools.trajectory.steps.interpret import interpret

CELL_CHARACTERS = 20
SHOWN_COLUMNS = 5
"""Columns of a sample table; the number of the others is said in its last heading."""
KEEPING = (".where(", ".having(", ".qualify(", ".distinct(", ".offset(", ".cte(", ".window(")
"""Steps after which the columns are the same and fewer rows tell nothing new."""

Item = dict[str, Any]
"""One query: "sql", perhaps "db" and "dialect"."""


def explain(
    sql: Annotated[str, typer.Argument(help="The query.")] = "",
    db: Annotated[str, typer.Option(help="Path or URL; without it the sample database.")] = "",
    file: Annotated[
        Path | None, typer.Option(help='JSON lines with "sql" and, if wanted, "db" and "dialect".')
    ] = None,
    check: Annotated[
        bool, typer.Option("--round-trip", help="Compile and decompile; compare text and results.")
    ] = False,
    sample: Annotated[int, typer.Option(min=0, max=10, help="Rows to show after each step.")] = 3,
    dialect: Annotated[
        str, typer.Option(help="Only tell the steps, of a query in this dialect; no database is opened.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a query, nothing else.")] = False,
) -> None:
    """Explain a query as steps on data frames, with the number of rows and a few of them after each step.

    Exit codes: 0 every query was explained (or came back the same), 1 one was not, 2 wrong usage,
    3 a database cannot be read, 130 interrupted.
    """
    items = _items(sql, db, dialect, file)
    passed = total = 0
    try:
        for item in items:
            found = _compared(item) if check else _explained(item, sample)
            total += 1
            passed += _good(found)
            if as_json or check or file is not None:
                typer.echo(json_text(found, default=str))
            elif "problem" not in found:
                _show(found)
            if "problem" in found and not (check or file):
                _say(found["problem"])
    except DatabaseError as error:
        _fail(str(error), exit_codes.DATABASE)
    except KeyboardInterrupt:
        _fail("Interrupted; nothing was changed.", exit_codes.INTERRUPTED)
    if file is not None:
        done = "came back the same" if check else "explained"
        Console(stderr=True).print(f"{passed} of {total} queries {done}.", highlight=False)
    raise typer.Exit(exit_codes.OK if passed == total else exit_codes.FAILED)


def _items(sql: str, db: str, dialect: str, file: Path | None) -> Iterable[Item]:
    if (file is None) == (not sql.strip()):
        _fail("Give either a query or --file.", exit_codes.USAGE)
    default = {"db": db, "dialect": dialect or "sqlite"}
    if file is None:
        run = not (db or dialect)
        return [{**default, "sql": sql, "db": str(sample_database()) if run else db}]
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        _fail(f"{file} cannot be read: {reason}.", exit_codes.USAGE)
    return list(_lines(text, default))


def _lines(text: str, default: Item) -> Iterator[Item]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except json.JSONDecodeError as error:
            _fail(f"Line {number} is not JSON ({error.msg}). Write one object a line.", exit_codes.USAGE)
        if not isinstance(item, dict) or not isinstance(item.get("sql"), str):
            _fail(f'Line {number} has no "sql". Write {{"sql": "SELECT .."}}.', exit_codes.USAGE)
        yield {**default, **item}


def _database(item: Item) -> Database | None:
    return get_database(item["db"]) if item["db"] else None


def _explained(item: Item, sample: int) -> Item:
    """The steps of a query as JSON values, run where a database is given."""
    database = _database(item)
    dialect = database.dialect if database else item["dialect"]
    parsed = parse(item["sql"], dialect)
    if isinstance(parsed, ParseFailure):
        return {**item, "problem": parsed.message}
    trajectory = compile_query(parsed.tree, dialect)
    if isinstance(trajectory, Problem):
        return {**item, "problem": str(trajectory)}
    runs = interpret(trajectory, database, sample) if database else ()
    return {
        **item,
        "text": to_text(trajectory),
        "trajectory": to_json(trajectory),
        "steps": [asdict(run) for run in runs] if runs else _told(trajectory),
        "evidence": [asdict(finding) for finding in evidence(runs)],
    }


def _told(trajectory: Trajectory) -> list[Item]:
    """The steps in words only."""
    lines = trajectory_lines(trajectory)
    return [
        {
            "line": number + 1,
            "frame": frame.name,
            "text": lines[number].strip(),
            "meaning": describe(step, frame, trajectory),
        }
        for number, (frame, _, step) in enumerate(steps_in_order(trajectory))
    ]


def _compared(item: Item) -> Item:
    """The query taken to a trajectory and back; text compared, and results where a database is given."""
    database = _database(item)
    dialect = database.dialect if database else item["dialect"]
    trip = round_trip(item["sql"], dialect)
    if not isinstance(trip, RoundTrip):
        return {**item, "problem": trip.message}
    found: Item = {
        **item,
        "back": trip.back,
        "same_text": trip.same_text,
        "same_through_text": trip.same_through_text,
        "same_through_json": trip.same_through_json,
        "frames": len(trip.trajectory.frames),
        "steps": sum(len(frame.steps) for frame in trip.trajectory.frames),
    }
    if database is not None:
        same = same_results(database, item["sql"], trip.back, trip.ordered)
        found["same_rows"] = None if isinstance(same, Failure) else same
        if isinstance(same, Failure):
            found["failure"] = f"{same.kind}: {same.message}"
    return found


def _good(found: Item) -> bool:
    if "problem" in found:
        return False
    checks = ("same_text", "same_through_text", "same_through_json", "same_rows")
    return not any(found.get(check) is False for check in checks)


def _show(found: Item) -> None:
    console = Console(highlight=False)
    frame, shown = "", None
    for step in found["steps"]:
        if frame and step["frame"] != frame:
            console.print()
        begins, frame = step["frame"] != frame, step["frame"]
        console.print(Text(f"{step['line']:>3}  {escape(step['text'])}", style="bold cyan"), soft_wrap=True)
        console.print(Padding(_told_and_counted(step), (0, 0, 0, 5)))
        table = (step.get("columns"), step.get("sample"))
        if step.get("columns") and table != shown and (begins or not step["text"].startswith(KEEPING)):
            console.print(Padding(_table(*table), (0, 0, 0, 8)))
            shown = table
    for finding in found["evidence"]:
        console.print(Text(f"\nLine {finding['line']}: {escape(finding['text'])}", style="yellow"))


def _told_and_counted(step: Item) -> Text:
    text = Text(escape(step["meaning"]))
    if "rows" in step:
        text.append(f"  {_count(step)}", style="green" if step["rows"] else "yellow")
    return text


def _count(step: Item) -> str:
    if step["rows"] is None or step["note"]:
        return f"({escape(step['note'])})" if step["note"] else ""
    unit = "group" if step["action"] in ("groupby", "having") else "row"
    return f"-> {step['rows']:,} {unit}{'' if step['rows'] == 1 else 's'}"


def _table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Table:
    names = list(columns)
    hidden = len(names) - SHOWN_COLUMNS
    table = Table(header_style="dim", box=None, padding=(0, 2, 0, 0))
    for name in names[:SHOWN_COLUMNS]:
        table.add_column(Text(cell_text(name, CELL_CHARACTERS)), no_wrap=True)
    if hidden > 0:
        table.add_column(Text(f"+{hidden} more"), no_wrap=True)
    for row in rows:
        cells = [Text(cell_text(value, CELL_CHARACTERS)) for value in list(row)[:SHOWN_COLUMNS]]
        table.add_row(*cells)
    return table


def _say(message: str) -> None:
    Console(stderr=True).print(escape(message), markup=False, highlight=False, style="red", soft_wrap=True)


def _fail(message: str, code: int) -> NoReturn:
    _say(message)
    raise typer.Exit(code)
