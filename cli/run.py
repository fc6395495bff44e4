"""critiql run: one statement, or a file of them, through the same read-only sandbox as the agent's."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from critiql.cli.screen import exit_codes
from critiql.cli.screen.json_text import json_text
from critiql.cli.screen.rows import print_rows
from critiql.tools.database.engine import DEFAULT_LIMITS, Database
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.open import open_database
from critiql.tools.database.result import Limits, Result, Rows
from critiql.tools.database.run import as_document
from critiql.tools.database.run import run as run_statement
from critiql.tools.database.sample.build import sample_database
from critiql.tools.exceptions import CritiqlError
from critiql.tools.schema.quoting import cell_text, escape


def run(
    sql: Annotated[str, typer.Argument(help="The statement.")] = "",
    db: Annotated[str, typer.Option(help="Path or URL; without it the sample database.")] = "",
    file: Annotated[Path | None, typer.Option(help="Statements from a file, one a line.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a statement, nothing else.")
    ] = False,
    seconds: Annotated[float, typer.Option(min=0.01, max=3600, help="Time limit.")] = DEFAULT_LIMITS.seconds,
    rows: Annotated[int, typer.Option(min=1, max=1_000_000, help="Rows at most.")] = DEFAULT_LIMITS.rows,
    total_bytes: Annotated[
        int, typer.Option(min=1000, max=256_000_000, help="Bytes of all cells at most.")
    ] = DEFAULT_LIMITS.total_bytes,
    cell_bytes: Annotated[
        int, typer.Option(min=1, max=20_000_000, help="Bytes of one cell at most.")
    ] = DEFAULT_LIMITS.cell_bytes,
    allow_table: Annotated[list[str] | None, typer.Option(help="Only these tables may be read.")] = None,
    deny_table: Annotated[list[str] | None, typer.Option(help="A table that may not be read.")] = None,
    deny_column: Annotated[
        list[str] | None, typer.Option(help="A table.column that may not be read.")
    ] = None,
) -> None:
    """Run one SQL statement, read-only, under limits.

    Exit codes: 0 it ran, 1 it failed, 2 wrong usage, 3 the database cannot be read, 130 interrupted.
    """
    policy = _policy(allow_table, deny_table, deny_column)
    statements = _statements(sql, file)
    limits = Limits(seconds, rows, total_bytes, cell_bytes)
    try:
        database = open_database(db or sample_database(), policy)
        try:
            passed = [_show(database, one, limits, as_json, short=file is not None) for one in statements]
        finally:
            database.close()
    except CritiqlError as error:
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("Interrupted; nothing was changed.", exit_codes.INTERRUPTED)
    raise typer.Exit(exit_codes.OK if all(passed) else exit_codes.FAILED)


def _policy(
    allow: list[str] | None, deny: list[str] | None, columns: list[str] | None
) -> AccessPolicy | None:
    if not (allow or deny or columns):
        return None
    return AccessPolicy(frozenset(allow) if allow else None, frozenset(deny or ()), frozenset(columns or ()))


def _statements(sql: str, file: Path | None) -> Iterable[str]:
    """The one statement, or the lines of the file that are not blank."""
    if (file is None) == (not sql.strip()):
        _fail("Give either a statement or --file.", exit_codes.USAGE)
    if file is None:
        return [sql.encode("utf-8", "replace").decode()]  # an argument that is not UTF-8 carries surrogates
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        _fail(f"{file} cannot be read: {reason}.", exit_codes.USAGE)
    return [line for line in text.splitlines() if line.strip()]


def _show(database: Database, sql: str, limits: Limits, as_json: bool, short: bool) -> bool:
    """Run one statement and print what came back; whether it gave rows."""
    result = run_statement(sql, database, limits=limits)
    if as_json:
        typer.echo(json_text(as_document(sql, result), allow_nan=False))
    elif short:
        said = _brief(result)
        typer.echo(
            f"{'ok' if result.ok else 'failed'}\t{result.seconds:.3f} s\t{said}\t{cell_text(sql, 100)}"
        )
    elif isinstance(result, Rows):
        print_rows(Console(), result.columns, result.rows, truncated=result.truncated)
    else:
        _say(f"{result.kind}: {result.message}")
    return result.ok


def _brief(result: Result) -> str:
    """One line's worth of a result."""
    if isinstance(result, Rows):
        return f"rows: {len(result.rows)}"
    return f"{result.kind}: {cell_text(result.message, 100)}"


def _say(message: str) -> None:
    Console(stderr=True).print(escape(message), markup=False, highlight=False, style="red", soft_wrap=True)


def _fail(message: str, code: int) -> NoReturn:
    _say(message)
    raise typer.Exit(code)
