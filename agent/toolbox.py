"""The parts of the agent as LangChain tools with typed arguments, for a planner that calls them.

What a tool returns is data and never an instruction: one JSON object whose text is quoted and capped.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Annotated

from langchain_core.tools import BaseTool, StructuredTool
from pydantic import AfterValidator, BaseModel, Field

from critiql.agent.context import Context
from critiql.agent.databases import limits_of, run_candidate
from critiql.agent.decide.fitted import calibration_for, threshold_of, verdict_of
from critiql.agent.evidence import Candidate
from critiql.agent.roles.ground import schema_prefix
from critiql.agent.roles.llm_critic import read as read_critic
from critiql.agent.state import State
from critiql.agent.wording.result import result_text
from critiql.agent.wording.sentence import counted
from critiql.tools.database.engine import Database
from critiql.tools.errors.lookup import DatabaseValues
from critiql.tools.errors.rules import detect, read
from critiql.tools.schema.ddl import ddl
from critiql.tools.sql.parse import ParseFailure, parse
from critiql.tools.trajectory.forms.parse_text import parse_text
from critiql.tools.trajectory.forms.text import to_text
from critiql.tools.trajectory.language.actions import Problem, Trajectory
from critiql.tools.trajectory.language.compile import compile_query
from critiql.tools.trajectory.language.decompile import to_sql
from critiql.tools.trajectory.steps.interpret import interpret

LONGEST = 4000
"""Characters of text that one call returns."""
LONGEST_ARGUMENT = 20_000
OFF = "not run: execution is switched off"


def _within(text: str) -> str:
    if len(text) > LONGEST_ARGUMENT:
        raise ValueError(f"longer than {LONGEST_ARGUMENT:,} characters")
    return text


Text = Annotated[str, AfterValidator(_within)]
"""Capped by us and not by its JSON schema: llama.cpp's servers make a grammar of that, one rule nested in the
other for every character that `maxLength` allows, and die reading it."""


class Nothing(BaseModel):
    """No arguments."""


class TableName(BaseModel):
    """One table."""

    table: Text = Field(description="Name of a table or view of the database.")


class Sql(BaseModel):
    """One query."""

    sql: Text = Field(description="One SQL query in the database's dialect.")


class Answer(Sql):
    """One query and what it is to answer."""

    question: Text = Field(description="The question the query is to answer.")


class Steps(BaseModel):
    """A query as steps."""

    steps: Text = Field(description="Steps as compile_sql writes them.")


def toolbox(database: Database, context: Context) -> list[BaseTool]:
    """Every part as a tool on one database.

    Args:
        database: opened read-only; its sandbox runs every query.
        context: models, caps, and whether anything may be executed at all.

    Returns:
        `list_tables`, `describe_table`, `check_sql`, `run_sql`, `explain_sql`, `read_p_true`, `compile_sql`
        and `decompile_steps`. Each returns `{"data": text, "cut": whether it was too long}` as JSON.
    """
    return [
        _tool("list_tables", "Tables of the database, with row counts.", Nothing, partial(_tables, database)),
        _tool(
            "describe_table",
            "Columns, keys and sample rows of one table.",
            TableName,
            partial(_table, database, context),
        ),
        _tool(
            "check_sql",
            "Typed errors that static rules find in a query.",
            Answer,
            partial(check_sql, database, context),
        ),
        _tool("run_sql", "Run a query read-only; its first rows.", Sql, partial(_run, database, context)),
        _tool(
            "explain_sql",
            "A query step by step, with the rows after each step.",
            Sql,
            partial(explain_sql, database, context),
        ),
        _tool(
            "read_p_true",
            "How likely the critic model holds a query to be right.",
            Answer,
            partial(_p_true, database, context),
        ),
        _tool("compile_sql", "A query as a sequence of steps.", Sql, partial(_compile, database)),
        _tool("decompile_steps", "The query that steps stand for.", Steps, partial(_decompile, database)),
    ]


def quoted(text: str) -> str:
    """Text as data: a JSON string that nothing in it can close, cut to `LONGEST` characters."""
    return json.dumps({"data": text[:LONGEST], "cut": len(text) > LONGEST}, ensure_ascii=False)


def _tool(name: str, description: str, schema: type[BaseModel], work: Callable[..., str]) -> BaseTool:
    def call(**arguments: str) -> str:
        return quoted(work(**arguments))

    return StructuredTool.from_function(call, name=name, description=description, args_schema=schema)


def _tables(database: Database) -> str:
    tables = database.schema().tables
    return "\n".join(
        f"{t.name}: {counted(len(t.columns), 'column')}"
        + (f", {counted(t.row_count, 'row')}" if t.row_count is not None else "")
        for t in tables
    )


def _table(database: Database, context: Context, table: str) -> str:
    schema = database.schema()
    found = tuple(one for one in schema.tables if one.name.casefold() == table.casefold())
    if not found:
        return f"There is no table {table!r}. Tables: {', '.join(one.name for one in schema.tables)}."
    rows = context.sample_rows if context.execution else 0
    return ddl(replace(schema, tables=found, samples=schema.samples if rows else {}), sample_rows=rows)


def check_sql(database: Database, context: Context, sql: str, question: str) -> str:
    """What the rules find in a query, a line each."""
    values = DatabaseValues(database) if context.execution else None
    result = database.run(sql, limits_of(context)) if context.execution else None
    query = read(sql, database.schema(), question=question, execution=result, values=values)
    lines = [f"{one.type}: {one.explanation} {one.suggestion}".strip() for one in detect(query)]
    return "\n".join(lines) or "nothing found"


def _run(database: Database, context: Context, sql: str) -> str:
    return result_text(run_candidate(database, sql, context)) if context.execution else OFF


def explain_sql(database: Database, context: Context, sql: str) -> str:
    """The steps of a query, a line each, with the rows after it where they may be counted."""
    trajectory = _steps_of(database, sql)
    if isinstance(trajectory, str) or not context.execution:
        return trajectory if isinstance(trajectory, str) else to_text(trajectory)
    runs = interpret(trajectory, database)
    return "\n".join(
        f"{run.line}: {run.text.strip()} | {run.meaning} | "
        + (counted(run.rows, "row") if run.rows is not None else run.note or "not counted")
        for run in runs
    )


def _p_true(database: Database, context: Context, sql: str, question: str) -> str:
    state = State(
        question=question, notes="", schema_prefix=schema_prefix(database.schema(), context), candidates=[]
    )
    candidate = Candidate(id=0, sql=sql)
    if context.execution:
        candidate["execution"] = run_candidate(database, sql, context)
    reading = read_critic(state, candidate, context)
    if reading.p_true is None:
        return "unknown: the critic gave no reading"
    verdict = verdict_of(reading.p_true, threshold_of(context, calibration_for(context)))
    return f"P(True) {reading.p_true:.3f}, verdict {verdict}"


def _compile(database: Database, sql: str) -> str:
    trajectory = _steps_of(database, sql)
    return trajectory if isinstance(trajectory, str) else to_text(trajectory)


def _decompile(database: Database, steps: str) -> str:
    trajectory = parse_text(steps, database.dialect)
    return str(trajectory) if isinstance(trajectory, Problem) else to_sql(trajectory)


def _steps_of(database: Database, sql: str) -> Trajectory | str:
    """The steps, or why there are none."""
    parsed = parse(sql, database.dialect)
    if isinstance(parsed, ParseFailure):
        return f"not one readable query: {parsed.message}"
    trajectory = compile_query(parsed.tree, database.dialect)
    return f"no steps: {trajectory}" if isinstance(trajectory, Problem) else trajectory
