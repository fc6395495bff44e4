"""look: what a person may want to see of the database: its tables, a table's columns, some rows.

Who says hello or thanks is answered in kind, and told what can be asked.
"""

import json
import re
from typing import Any

from sqlglot import exp

from critiql.agent.assistant.conversation import AssistantState, AssistantUpdate, Choices
from critiql.agent.assistant.desk import database_for
from critiql.agent.context import Context
from critiql.agent.databases import limits_of, shown
from critiql.agent.toolbox import toolbox
from critiql.agent.wording.sentence import fenced, plain
from critiql.tools.database.engine import Database
from critiql.tools.database.result import Failure, Rows
from critiql.tools.linking.link import link

NAMED = 8
"""Tables that a greeting names."""
_HELLO = re.compile(r"\b(?:hello|hi|hey|good (?:morning|afternoon|evening))\b", re.IGNORECASE)
"""A word at meeting; what else is no question thanks, agrees or says goodbye."""
SAMPLE = 5
"""Rows of a table that are shown."""


def look(state: AssistantState, choices: Choices) -> AssistantUpdate:
    """Show tables, columns or rows, or greet; no model is asked.

    Raises:
        DatabaseError: the database cannot be read.
    """
    context = choices.settings
    database = database_for(state, context)
    if state["tool"] == "greet":
        return {"text": greeting(state["said"], database)}
    tool, table = state["tool"], named_table(state["said"], database)
    if tool == "tables" or table is None:
        which = "" if tool == "tables" else "\n\nName one of them to see more of it."
        return {"text": tables(database, context) + which}
    if tool == "describe":
        return {
            "text": f"The table {plain(table)}:\n\n{_ask(database, context, 'describe_table', table=table)}"
        }
    return {"text": sample(database, table, context)}


def greeting(said: str, database: Database) -> str:
    """A word back, and what this database can be asked about."""
    word = "Hello." if _HELLO.search(said) else "Glad to help."
    names = [plain(table.name) for table in database.schema().tables]
    more = ", and more" if len(names) > NAMED else ""
    return f"{word} You can ask about {', '.join(names[:NAMED])}{more}."


def tables(database: Database, context: Context) -> str:
    """The tables, as Markdown."""
    return f"The tables of this database:\n\n{_ask(database, context, 'list_tables')}"


def sample(database: Database, table: str, context: Context) -> str:
    """Some rows of a table, as Markdown."""
    result = sample_rows(database, table, context)
    if isinstance(result, Failure):
        return f"The rows of {plain(table)} cannot be shown: {plain(result.message)}"
    lines = [json.dumps([shown(cell) for cell in row], ensure_ascii=False) for row in result.rows]
    return (
        f"Some rows of {plain(table)}:\n\n{fenced(chr(10).join([', '.join(result.columns), *lines]), 'text')}"
    )


def sample_rows(database: Database, table: str, context: Context) -> Rows | Failure:
    """The first rows of a table, read in the sandbox as any query."""
    query = exp.select("*").from_(exp.table_(table, quoted=True)).limit(SAMPLE)
    return database.run(query.sql(dialect=database.dialect), limits_of(context))


def named_table(said: str, database: Database) -> str | None:
    """The table that a message names, if it names one."""
    schema = database.schema()
    links = [each for each in link(said, schema) if each.column is None]
    return max(links, key=lambda each: each.score).table if links else None


def _ask(database: Database, context: Context, name: str, **arguments: Any) -> str:
    """What a part of the agent says, as a block that nothing in it can close."""
    tool = next(one for one in toolbox(database, context) if one.name == name)
    return fenced(json.loads(tool.invoke(arguments))["data"], "text")
