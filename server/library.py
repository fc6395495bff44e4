"""What every door does, over the library's own functions: one place, typed, and by a database's name.

Nothing here takes a path from the network: `open_served` knows the names that were given at start.
"""

import csv
import io
import json
import math
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import asdict
from typing import Any, NamedTuple

from sqlglot import exp

from critiql.agent.admission import admitted
from critiql.agent.answer import Answer
from critiql.agent.context import Context
from critiql.agent.databases import database_of, limits_of
from critiql.agent.events import Event
from critiql.agent.graph_contexts import context_of_graph
from critiql.agent.state import State
from critiql.graphs.api import stream
from critiql.graphs.refine import Refinement, arefine
from critiql.server.results import (
    CheckResult,
    ColumnResult,
    ExplainResult,
    Problem,
    RunResult,
    SchemaResult,
    StepResult,
    TableResult,
)
from critiql.tools.database.engine import Database
from critiql.tools.database.result import Failure, Limits, Result, Value
from critiql.tools.errors.lookup import DatabaseValues
from critiql.tools.errors.query import Query
from critiql.tools.errors.rules import detect, read
from critiql.tools.errors.types.catalogue import BY_KEY
from critiql.tools.errors.types.error_type import Finding
from critiql.tools.schema.model import Table
from critiql.tools.served import served
from critiql.tools.sql.canonical import canonical
from critiql.tools.sql.name_repair import repair_names
from critiql.tools.sql.parse import ParseFailure, parse
from critiql.tools.trajectory.forms.text import to_text
from critiql.tools.trajectory.language import actions
from critiql.tools.trajectory.language.compile import compile_query
from critiql.tools.trajectory.steps.interpret import interpret

EXPORTED_ROWS = 100_000
"""Rows of a file that is exported."""
EXPORT_SECONDS = 60.0
SAMPLED = 3
"""Rows shown after a step, and of a table."""


def default_database() -> str:
    """The name of the database that is asked where none is named."""
    offered = served()
    return next(iter(offered.databases)) if offered else ""


def name_of(place: str) -> str:
    """The name under which a database is served."""
    offered = served()
    return offered.name_of(place) if offered else place


def open_served(name: str, context: Context | None = None) -> Database:
    """The database of that name, with what may be read of it.

    Raises:
        DatabaseError: there is none, or it cannot be opened.
    """
    return database_of(State(database=name), context or admitted(Context()))


def run(name: str, sql: str, limits: Limits | None = None) -> RunResult:
    """Run exactly this text, read-only, in the sandbox.

    Raises:
        DatabaseError: as `open_served`.
    """
    limits = limits or limits_of(admitted(Context()))
    return run_result(sql, open_served(name).run(sql, limits), limits)


def run_result(sql: str, result: Result, limits: Limits) -> RunResult:
    """A result as JSON can hold it."""
    if isinstance(result, Failure):
        return RunResult(ok=False, sql=sql, kind=result.kind, message=result.message, seconds=result.seconds)
    return RunResult(
        ok=True,
        sql=sql,
        columns=list(result.columns),
        rows=[[json_cell(value) for value in row] for row in result.rows],
        row_count=len(result.rows),
        truncated=result.truncated,
        row_limit=limits.rows,
        seconds=result.seconds,
    )


def json_cell(value: Value) -> Any:
    """A cell as JSON can hold it: a blob as hexadecimal text, infinities as words."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def check(name: str, sql: str, question: str = "") -> CheckResult:
    """What the rules find in a query, and what running it gives; no model is asked.

    Raises:
        DatabaseError: as `open_served`.
    """
    database = open_served(name)
    result = database.run(sql, limits_of(admitted(Context())))
    query = read(
        sql,
        database.schema(),
        question=question,
        execution=result,
        values=DatabaseValues(database),
    )
    found = detect(query)
    failed = Problem(kind=result.kind, message=result.message) if isinstance(result, Failure) else None
    return CheckResult(
        ok=not found and failed is None,
        sql=sql,
        error=failed,
        findings=[{"name": BY_KEY[one.type].name, **one.as_dict()} for one in found],
        repaired=mended(query, found, database.dialect),
    )


def mended(query: Query | Finding, found: Iterable[Finding], dialect: str) -> str | None:
    """The query as code can mend it: its names, or else what a rule found."""
    if isinstance(query, Finding):
        return None
    names = repair_names(query.parsed, query.schema, query.resolution)
    if names:
        return names[0].sql
    trees = (one.mended for one in found if one.mended is not None)
    tree = next(trees, None)
    return canonical(tree, dialect) if tree is not None else None


async def refine(name: str, sql: str, question: str) -> Refinement:
    """Mend somebody's query where something stands against it, and say why it was kept or replaced.

    Raises:
        NoQueryError, QuestionError, DatabaseError, ModelError: the message says what to do.
    """
    return await arefine(sql, name or default_database(), question, context=admitted(Context()))


def explain(name: str, sql: str) -> ExplainResult:
    """A query as steps, with the rows after each.

    Raises:
        DatabaseError: as `open_served`.
    """
    database = open_served(name)
    parsed = parse(sql, database.dialect)
    if isinstance(parsed, ParseFailure):
        return ExplainResult(ok=False, sql=sql, message=f"Not one readable query: {parsed.message}")
    trajectory = compile_query(parsed.tree, database.dialect)
    if isinstance(trajectory, actions.Problem):
        return ExplainResult(ok=False, sql=sql, message=f"The query has no steps: {trajectory}")
    fields = set(StepResult.model_fields)
    runs = (asdict(one) for one in interpret(trajectory, database, SAMPLED))
    steps = [
        StepResult.model_validate(
            {k: v for k, v in one.items() if k in fields}
            | {"sample": [[json_cell(cell) for cell in row] for row in one["sample"]]}
        )
        for one in runs
    ]
    return ExplainResult(ok=True, sql=sql, text=to_text(trajectory), steps=steps)


def describe(name: str, table: str = "") -> SchemaResult:
    """The tables of a database, or one of them.

    Raises:
        DatabaseError: as `open_served`.
    """
    context = admitted(Context())
    database = open_served(name, context)
    schema = database.schema()
    chosen = [one for one in schema.tables if not table or one.name.casefold() == table.casefold()]
    return SchemaResult(
        name=name or default_database(),
        dialect=database.dialect,
        tables=[table_result(one) for one in chosen],
        hidden={"tables": len(context.deny_tables), "columns": len(context.deny_columns)},
        questions=example_questions(schema.tables),
    )


def table_result(table: Table) -> TableResult:
    """A table as JSON holds it."""
    references = {
        own: {"table": key.to_table, "column": theirs}
        for key in table.foreign_keys
        for own, theirs in zip(key.columns, key.to_columns, strict=False)
    }
    return TableResult(
        name=table.name,
        kind="view" if table.is_view else "table",
        rows=table.row_count,
        comment=table.comment,
        columns=[
            ColumnResult(
                name=column.name,
                type=column.type,
                primary_key=column.primary_key,
                nullable=column.nullable,
                comment=column.comment,
                references=references.get(column.name),
            )
            for column in table.columns
        ],
    )


def sample(name: str, table: str) -> RunResult:
    """Some rows of a table.

    Raises:
        DatabaseError: as `open_served`.
    """
    dialect = open_served(name).dialect
    query = exp.select("*").from_(exp.table_(table, quoted=True)).limit(SAMPLED)
    return run(name, query.sql(dialect=dialect))


def example_questions(tables: Iterable[Table]) -> list[str]:
    """Questions that a schema suggests, made by code: a count, and one thing counted for each of another."""
    questions: list[str] = []
    for table in tables:
        said = words_of(table.name)
        if not questions:
            questions.append(f"How many {said} are there?")
        if table.foreign_keys and len(questions) < 4:
            key = table.foreign_keys[0]
            questions.append(f"How many {said} are there for each of the {words_of(key.to_table)}?")
    return questions


def words_of(name: str) -> str:
    """A name as it is said."""
    return name.replace("_", " ").lower()


class Export(NamedTuple):
    """A file made of a query's rows."""

    text: str
    media_type: str
    truncated: bool


def export(name: str, sql: str, kind: str) -> Export | RunResult:
    """The rows of a query as a file, with a larger cap than a page has; or why there are none.

    Raises:
        DatabaseError: as `open_served`.
    """
    limits = Limits(seconds=EXPORT_SECONDS, rows=EXPORTED_ROWS, total_bytes=64_000_000)
    result = run(name, sql, limits)
    if not result.ok:
        return result
    if kind == "json":
        records = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
        return Export(json.dumps(records, ensure_ascii=False), "application/json", result.truncated)
    return Export(as_csv(result.columns, result.rows), "text/csv; charset=utf-8", result.truncated)


def as_csv(columns: list[str], rows: list[list[Any]]) -> str:
    """Rows as CSV; a text that a spreadsheet would take for a formula begins with an apostrophe."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(columns)
    writer.writerows([[_inert(cell) for cell in row] for row in rows])
    return file.getvalue()


def _inert(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


class Asked(NamedTuple):
    """A question as a door puts it."""

    question: str
    database: str = ""
    graph: str = "text_to_sql"
    evidence: str = ""
    settings: Mapping[str, Any] = {}


async def ask(asked: Asked) -> AsyncGenerator[dict[str, Any] | Answer, None]:
    """Answer a question: each event of the trace as it happens, the `Answer` last.

    Closing the generator cancels the run.

    Raises:
        QuestionError, DatabaseError, ModelError, UnknownGraphError, ValidationError: the message says what to
            do.
    """
    context = admitted(context_of_graph(asked.graph).model_validate(dict(asked.settings)))
    name = asked.database or default_database()
    parts = stream(asked.question, name, graph=asked.graph, context=context, evidence=asked.evidence)
    async with aclosing(parts) as items:  # type: ignore[type-var]
        async for item in items:
            yield item.model_dump(mode="json") if isinstance(item, Event) else item


async def answer_of(asked: Asked, on_event: Callable[[dict[str, Any]], Any] | None = None) -> Answer:
    """Answer a question; each event of the trace goes to `on_event`, which may be a coroutine function.

    Raises:
        QuestionError, DatabaseError, ModelError, UnknownGraphError, ValidationError: as `ask`.
    """
    async with aclosing(ask(asked)) as items:
        async for item in items:
            if isinstance(item, Answer):
                return item
            if on_event is not None:
                await on_event(item)
    msg = "the graph ended without an answer"
    raise RuntimeError(msg)
