"""When a question is not about this database at all: none of its words name anything in it.

A model answers such a question as readily as any other, so this is decided before it is asked. Names are read
first; values are looked up only for the few questions that name no table and no column. How often this stops
a question that could be answered, and one that could not: `python -m critiql.evals.benchmarks.abstention`.
"""

from critiql.agent.context import Context
from critiql.agent.databases import database_of
from critiql.agent.events import Abstained, emit
from critiql.agent.state import State, Update
from critiql.tools.database.engine import Database
from critiql.tools.linking.link import content_words, link, names_something, stop_words
from critiql.tools.linking.value_index import open_value_index
from critiql.tools.schema.model import Schema

ENGLISH = 2
"""Stop words from which a question is taken for English; another language shares no word with the schema."""
TELLING = 3
"""Content words from which a question that names nothing says enough to be off topic."""
NAMED = 8
"""Tables that the explanation lists."""


def abstain(state: State, context: Context) -> Update:
    """End the run where question and query are foreign to the database.

    A question with evidence or a draft is never foreign: its caller knows more than its words say.
    """
    if state.get("evidence") or state.get("draft"):
        return {}
    database = database_of(state, context)
    reason = off_topic(state["question"], database, values=context.execution)
    if reason is None:
        return {}
    emit(Abstained(database=database.url, reason=reason))
    return {"incumbent": None, "stopped": "abstained", "assumptions": [reason]}


def off_topic(question: str, database: Database, *, values: bool = True) -> str | None:
    """Why the question cannot be answered from this database; None where something in it is named.

    Args:
        question: The question as asked.
        database: What it is asked of.
        values: Whether values may be looked up.
    """
    schema = database.schema()
    said = content_words(question)
    if len(said) < TELLING or stop_words(question) < ENGLISH or names_something(said, schema):
        return None
    if values and _names_a_value(question, database, schema):
        return None
    return (
        f"Nothing in the question names a table, a column or a value of this database ({_tables(schema)}). "
        "Ask about what it holds, give background knowledge as evidence, or set abstain=false."
    )


def _names_a_value(question: str, database: Database, schema: Schema) -> bool:
    with open_value_index(database) as index:
        return any(each.value is not None for each in link(question, schema, index))


def _tables(schema: Schema) -> str:
    names = [table.name for table in schema.tables]
    more = f" and {len(names) - NAMED} more tables" if len(names) > NAMED else ""
    return f"it has {', '.join(names[:NAMED])}{more}" if names else "it has no table"
