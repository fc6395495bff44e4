"""ground: a question's start. The schema as every prompt of the run shows it, and what is known beyond it."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from langgraph.types import Overwrite

from critiql import prompts
from critiql.agent.context import Context
from critiql.agent.databases import database_of
from critiql.agent.events import Grounded, emit
from critiql.agent.memory.examples import examples_for
from critiql.agent.state import State, Update, question_of
from critiql.tools.database.engine import Database
from critiql.tools.exceptions import USAGE, CritiqlError
from critiql.tools.linking.link import Link, mentioned_values
from critiql.tools.linking.linked import link_database
from critiql.tools.linking.per_schema import per_schema
from critiql.tools.linking.prune import Count, Show, prune
from critiql.tools.linking.prune import fits as fits_budget
from critiql.tools.models.factory import load_model
from critiql.tools.schema.ddl import ddl
from critiql.tools.schema.model import Schema
from critiql.tools.schema.mschema import mschema


class QuestionError(CritiqlError, ValueError):
    """The question cannot be worked on. The message says what happened, why, and what to do."""

    exit_code = USAGE


LONGEST_QUESTION = 8000
"""Characters; a longer one is not a question, and would not fit beside a schema."""


def ground(state: State, context: Context) -> Update:
    """Read the schema, write the prefix that all prompts of this run share, and note what else is known.

    Raises:
        QuestionError: the question is empty or too long.
        DatabaseError: the database cannot be opened or read.
        PairsError: the examples cannot be read.
    """
    question = checked_question(state)
    database = database_of(state, context)
    links = links_of(question, database, context)
    schema = fitting(database.schema(), question, links, context)
    prefix = schema_prefix(schema, context)
    notes = notes_for(state, links)
    _announce(database, schema, prefix, notes)
    examples = examples_for(question, database, schema, context)
    return {**begun(state, database), "schema_prefix": prefix, "notes": notes, "examples": examples}


def _place(state: State, database: Database) -> str:
    """How the nodes to come name the database: a file by its full path, a server as it was given."""
    given = state.get("database", "")
    return given if "://" in given else database.url


def begun(state: State, database: Database) -> Update:
    """What every run starts with, and nothing of an earlier question: a thread may hold several.

    Raises:
        QuestionError: as `ground`.
    """
    nothing: Any = Overwrite([])
    return {
        "question": checked_question(state),
        "database": _place(state, database),
        "started": time.time(),
        "generations": 0,
        "confidence": None,
        "candidates": nothing,
        "decisions": nothing,
        "calls": nothing,
        "incumbent": None,
        "stopped": None,
    }


def checked_question(state: State) -> str:
    """The question, or `QuestionError`."""
    question = question_of(state)
    if not question:
        msg = "There is no question: the text is empty. Ask one, for example: How many customers are there?"
        raise QuestionError(msg)
    if len(question) > LONGEST_QUESTION:
        msg = (
            f"The question has {len(question):,} characters; at most {LONGEST_QUESTION:,} are read. "
            "Shorten it, and give background knowledge as evidence."
        )
        raise QuestionError(msg)
    return question


def links_of(question: str, database: Database, context: Context) -> tuple[Link, ...]:
    """What the question's words name in the database; nothing where values are not shown."""
    looked_up = context.show_values and context.execution
    return link_database(question, database, values=True) if looked_up else ()


def fitting(schema: Schema, question: str, links: Sequence[Link], context: Context) -> Schema:
    """The whole schema where its text fits `schema_tokens`, else the part that the question needs."""
    if fits(schema, context):
        return schema
    budget = min(context.pruned_tokens, context.schema_tokens)
    seen = schema if context.execution else replace(schema, samples={})
    return prune(seen, question, budget, *_measures(context), links)


def fits(schema: Schema, context: Context) -> bool:
    """Whether a schema's text stays within `schema_tokens`; found out once for each way to show it."""
    shown = (context.schema_format, context.sample_rows, context.execution)
    asked = ("fits", context.schema_tokens, context.spec("actor"), *shown)
    return per_schema(schema, asked, lambda: fits_budget(schema, context.schema_tokens, *_measures(context)))


def _measures(context: Context) -> tuple[Count, Show]:
    """How tokens are counted, by a model that is loaded when it has to count; and how a schema is shown."""
    return (
        lambda text: load_model(context.spec("actor")).count_tokens(text),
        lambda part: schema_text(part, context),
    )


def schema_prefix(schema: Schema, context: Context) -> str:
    """System line and schema: the same bytes for every role and question on one database content."""
    dialect = DIALECT_NAMES.get(schema.dialect, schema.dialect)
    return prompts.load("system").render(dialect=dialect, schema=schema_text(schema, context))


def schema_text(schema: Schema, context: Context) -> str:
    """The schema in the chosen format; no sample rows where no row may be read."""
    shown = schema if context.execution else replace(schema, samples={})
    return (
        mschema(shown) if context.schema_format == "mschema" else ddl(shown, sample_rows=context.sample_rows)
    )


def notes_for(state: State, links: Sequence[Link]) -> str:
    """Lines that follow the question: the caller's evidence, and the values the question names."""
    evidence = state.get("evidence", "").strip()
    lines = [f"Evidence: {evidence}"] if evidence else []
    values = mentioned_values(links)
    return "\n".join([*lines, *(["Values in the database:", *values] if values else [])])


def _announce(database: Database, schema: Schema, prefix: str, notes: str) -> None:
    """Tell the trace."""
    emit(
        Grounded(
            database=database.url,
            dialect=database.dialect,
            tables=len(schema.tables),
            schema_characters=len(prefix),
            pruned=schema != database.schema(),
            notes=notes,
        )
    )


DIALECT_NAMES = {"sqlite": "SQLite", "postgres": "PostgreSQL", "duckdb": "DuckDB", "mysql": "MySQL"}
"""How a model knows the dialects."""
