"""abstain: ends the run where question and query are both foreign to the database.

A model writes a query for any question. So it is asked first: where its query, or what code could mend of it,
runs, the question is answered, whatever words it is put in. Only where nothing ran for want of a table or a
column, and hardly a word of the question names anything here, the run ends with the reason. How often:
`python -m critiql.evals.benchmarks.abstention`.
"""

from critiql.agent.context import Context
from critiql.agent.databases import database_of
from critiql.agent.events import Abstained, emit
from critiql.agent.state import State, Update, incumbent_of
from critiql.tools.database.engine import Database
from critiql.tools.linking.link import content_words, link, naming_words, stop_words
from critiql.tools.linking.value_index import open_value_index
from critiql.tools.schema.model import Schema

ENGLISH = 2
"""Stop words from which a question is taken for English; another language shares no word with the schema."""
TELLING = 3
"""Content words from which a question that names nothing says enough."""
FEW = 0.34
"""Share of the content words up to which one that names something counts as chance."""
NAMED = 8
"""Tables that the explanation lists."""
UNKNOWN_NAMES = ("no_such_table", "no_such_column")
"""How a query fails whose author knows nothing of the database."""


def abstain(state: State, context: Context) -> Update:
    """End the run where hardly a word names anything here and the query names what is not there.

    A question with evidence or a draft is never foreign: its caller knows more than its words say.
    """
    if state.get("evidence") or state.get("draft") or not _names_what_is_not_there(state):
        return {}
    database = database_of(state, context)
    reason = off_topic(state["question"], database)
    if reason is None:
        return {}
    emit(Abstained(database=database.url, reason=reason))
    return {"incumbent": None, "stopped": "abstained", "assumptions": [reason]}


def off_topic(question: str, database: Database) -> str | None:
    """Why the words of a question have nothing to do with this database; None where they have.

    Args:
        question: The question as asked.
        database: What it is asked of.
    """
    schema = database.schema()
    said = [word for word in content_words(question) if not word.isdigit()]
    if len(said) < TELLING or stop_words(question) < ENGLISH:
        return None
    naming = naming_words(said, schema)
    if naming > 1 or naming > FEW * len(said) or _names_a_value(question, database, schema):
        return None
    return (
        "Hardly a word of the question names a table, a column or a value of this database "
        f"({_tables(schema)}), and the query written for it names what is not there. Ask about what it "
        "holds, or say what these words mean."
    )


def _names_what_is_not_there(state: State) -> bool:
    """Whether the incumbent failed for an unknown name; had anything mended run, that would stand."""
    incumbent = incumbent_of(state)
    execution = incumbent.get("execution") if incumbent else None
    return bool(execution and not execution["ok"] and execution["kind"] in UNKNOWN_NAMES)


def _names_a_value(question: str, database: Database, schema: Schema) -> bool:
    with open_value_index(database) as index:
        return any(each.value is not None for each in link(question, schema, index))


def _tables(schema: Schema) -> str:
    names = [table.name for table in schema.tables]
    more = f" and {len(names) - NAMED} more tables" if len(names) > NAMED else ""
    return f"it has {', '.join(names[:NAMED])}{more}" if names else "it has no table"
