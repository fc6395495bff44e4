"""critiql refine: check a given query, mend it where something stands against it, say why; or a file."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from critiql.cli.screen import exit_codes
from critiql.cli.screen.failures import fail, failures
from critiql.cli.screen.json_text import json_text
from critiql.cli.screen.pulling import pull_missing
from critiql.cli.screen.rows import print_rows
from critiql.graphs.refine import Refinement, RefiningGraph
from critiql.graphs.refine import refine as refine_query
from critiql.tools.schema.quoting import escape, escape_lines

LONGEST_INPUT = 2_000_000
"""Characters read from standard input."""


def refine(
    sql: Annotated[str, typer.Argument(help="The query; - reads it from standard input.")] = "",
    db: Annotated[str, typer.Option(help="Path or URL; without it the sample database.")] = "",
    question: Annotated[str, typer.Option(help="The question the query is to answer.")] = "",
    graph: Annotated[
        RefiningGraph,
        typer.Option(help="text_to_sql replaces on evidence alone; the others as they were published."),
    ] = "text_to_sql",
    model: Annotated[str, typer.Option(help="Model of all roles.")] = "",
    evidence: Annotated[str, typer.Option(help="What is known beyond the schema.")] = "",
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="Any other setting, as name=value; repeatable.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="Queries from a .csv or .jsonl file: sql, question, perhaps db.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="With --file: where results go, one JSON object a line; a second start goes on."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Check a query against its question and database, and mend it where something stands against it.

    Exit codes: 0 the query that stands gives rows (with --file: every line was worked on), 1 it fails,
    2 wrong usage, 3 the database cannot be read, 4 no model answers, 130 interrupted.
    """
    if (file is None) == (not sql.strip()):
        fail("Give either a query or --file.", exit_codes.USAGE)
    if (file is None) != (out is None):
        fail("--file and --out belong together: results go to a file, so that a stop loses none.", 2)
    from critiql.cli.ask import context_of

    with failures():
        context = context_of({"model": model}, setting or [], graph)
        pull_missing(context.models())
        if file is not None and out is not None:
            raise typer.Exit(_refine_file(file, out, db, graph, context))
        text = sys.stdin.read(LONGEST_INPUT) if sql == "-" else sql
        found = refine_query(text, db, question, graph=graph, context=context, evidence=evidence)
    if as_json:
        typer.echo(json_text(found.model_dump(mode="json")))
    else:
        _print(found)
    raise typer.Exit(exit_codes.FAILED if found.status == "failed" else exit_codes.OK)


def _refine_file(file: Path, out: Path, db: str, graph: RefiningGraph, context: Any) -> int:
    """Append one result a line, each written before the next query begins; returns the exit code."""
    from critiql.graphs.refine_file import Work, done_lines, read_queries, refine_queries

    work = Work(graph, context)
    queries = read_queries(file, db)
    done = done_lines(out, queries, work)
    left = [query for query in queries if query.line not in done]
    console = Console(stderr=True, highlight=False, markup=False)
    console.print(f"{len(queries)} queries, {len(left)} to go")
    changed = failed = 0
    with out.open("a", encoding="utf-8") as results:
        for result in refine_queries(left, work):
            results.write(json.dumps(result, ensure_ascii=False) + "\n")
            results.flush()
            changed += bool(result.get("changed"))
            failed += "before" not in result
    console.print(f"{changed} replaced, {len(left) - changed - failed} kept, {failed} could not be worked on")
    return exit_codes.FAILED if failed else exit_codes.OK


def _print(found: Refinement) -> None:
    """Findings, the reason, the query that stands and its rows."""
    from critiql.agent.wording.sentence import counted

    console = Console()
    for finding in found.findings:
        console.print(finding["name"], style="bold red", end="", markup=False, highlight=False)
        console.print(f"  {escape(finding['explanation'])}", markup=False, highlight=False, soft_wrap=True)
    if found.error:
        console.print(
            escape(f"Running it gave: {found.error}"), markup=False, highlight=False, soft_wrap=True
        )
    console.print(escape(found.reason), markup=False, highlight=False, soft_wrap=True)
    console.print(escape_lines(found.after), style="bold", markup=False, highlight=False, soft_wrap=True)
    print_rows(console, found.columns, found.rows, truncated=found.truncated)
    said = f"{counted(found.model_calls, 'model call')}, {found.tokens} tokens read; {found.seconds:.1f} s"
    console.print(said, style="dim", markup=False, highlight=False)
