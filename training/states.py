"""Hidden states of a local model for detector examples, read once each and kept in one SQLite file."""

from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import groupby

import numpy as np

from critiql.agent.context import Context
from critiql.agent.databases import summarise
from critiql.agent.detector_prompt import detector_prompt
from critiql.agent.grounding import schema_prefix
from critiql.tools.database.engine import Database
from critiql.tools.database.open import open_database
from critiql.tools.errors.error_type import Finding
from critiql.tools.errors.head import Floats
from critiql.tools.errors.lookup import DatabaseValues
from critiql.tools.errors.rules import read
from critiql.tools.models.model import Prompt, ShowsHiddenState
from critiql.training.detector_data import database_file
from critiql.training.example_file import Row
from critiql.training.gold import LIMITS


def hidden_states(
    rows: Sequence[Row], model: ShowsHiddenState, step: Callable[[], None] = lambda: None
) -> Floats:
    """Final hidden states after the detector's prompt, in the order of the rows, shape (n, d).

    Args:
        rows: detector examples; databases are taken one after the other, since their prompts share a prefix.
        model: local model.
        step: called after each example, for progress.

    Raises:
        ModelError: the model failed, or shows no hidden states.
        DatabaseError: the database of an example cannot be read.
        ValueError: the query of an example cannot be read.
    """
    order = sorted(range(len(rows)), key=lambda number: (rows[number]["database"], number))
    states: dict[int, Floats] = {}
    for name, numbers in groupby(order, key=lambda number: rows[number]["database"]):
        with closing(open_database(database_file(name))) as database:
            values = DatabaseValues(database)
            for number in numbers:
                states[number] = model.hidden_state(prompt_of(rows[number], database, values)).vector
                step()
    return np.stack([states[number] for number in range(len(rows))])


def prompt_of(row: Row, database: Database, values: DatabaseValues) -> Prompt:
    """The detector's prompt for one example."""
    schema = database.schema()
    result = database.run(row["sql"], LIMITS)
    query = read(row["sql"], schema, question=row["question"], execution=result, values=values)
    if isinstance(query, Finding):
        raise ValueError(f"An example's query cannot be read: {query.explanation} Build the set again.")
    return detector_prompt(schema_prefix(schema, Context()), row["question"], query, summarise(result))
