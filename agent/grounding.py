"""ground: a question's start. The schema as every prompt of the run shows it, and what is known beyond it."""

import time
from functools import lru_cache

from critiql import prompts
from critiql.agent.context import Context
from critiql.agent.databases import database_of
from critiql.agent.events import Grounded, emit
from critiql.agent.state import State, Update, question_of
from critiql.tools.database.engine import Database
from critiql.tools.schema.ddl import ddl
from critiql.tools.schema.model import Schema
from critiql.tools.schema.mschema import mschema


class QuestionError(ValueError):
    """The question cannot be worked on. The message says what happened, why, and what to do."""


LONGEST_QUESTION = 8000
"""Characters; a longer one is not a question, and would not fit beside a schema."""


def ground(state: State, context: Context) -> Update:
    """Read the schema, write the prefix that all prompts of this run share, and note what else is known.

    Raises:
        QuestionError: the question is empty or too long.
        DatabaseError: the database cannot be opened or read.
    """
    question = checked_question(state)
    database = database_of(state, context)
    prefix = schema_prefix(database, context)
    notes = notes_for(state)
    emit(
        Grounded(
            database=database.url,
            dialect=database.dialect,
            tables=len(database.schema().tables),
            schema_characters=len(prefix),
            pruned=False,
            notes=notes,
        )
    )
    return {
        "question": question,
        "database": database.url,
        "schema_prefix": prefix,
        "notes": notes,
        "started": time.time(),
        "generations": 0,
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


def schema_prefix(database: Database, context: Context) -> str:
    """System line and schema: the same bytes for every role and question on one database content."""
    return _prefix(database.schema(), context.schema_format, context.sample_rows if context.execution else 0)


def notes_for(state: State) -> str:
    """Lines that follow the question: the caller's evidence."""
    evidence = state.get("evidence", "").strip()
    return f"Evidence: {evidence}" if evidence else ""


@lru_cache(maxsize=64)
def _prefix_of(text: str, dialect: str) -> str:
    """The system line in front of a schema text."""
    return prompts.load("system").render(dialect=DIALECT_NAMES.get(dialect, dialect), schema=text)


def _prefix(schema: Schema, schema_format: str, sample_rows: int) -> str:
    """Schema text in the chosen format behind the system line."""
    text = mschema(schema) if schema_format == "mschema" else ddl(schema, sample_rows=sample_rows)
    return _prefix_of(text, schema.dialect)


DIALECT_NAMES = {"sqlite": "SQLite", "postgres": "PostgreSQL", "duckdb": "DuckDB", "mysql": "MySQL"}
"""How a model knows the dialects."""
