"""Examples as a model is asked: the prompt of their task, and the answer that it should write."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import groupby
from typing import NamedTuple

from critiql.agent.context import Context
from critiql.agent.databases import summarise
from critiql.agent.detect.prompt import detector_prompt
from critiql.agent.roles.ground import schema_prefix
from critiql.tools.database.engine import Database
from critiql.tools.database.open import open_database
from critiql.tools.errors.lookup import DatabaseValues
from critiql.tools.errors.rules import read
from critiql.tools.errors.types.catalogue import BY_KEY, NULL_TOKEN
from critiql.tools.errors.types.error_type import Finding
from critiql.tools.models.model import Prompt
from critiql.training.data.detector_data import database_file
from critiql.training.data.example_file import Row
from critiql.training.data.gold import LIMITS


class ChatExample(NamedTuple):
    """One example of any task."""

    prompt: Prompt
    answer: str
    """Without the prompt's opening."""


def chat_examples(rows: Sequence[Row]) -> Iterator[tuple[int, ChatExample]]:
    """The place of each row and its example, database by database, since their prompts share a prefix.

    Raises:
        DatabaseError: the database of an example cannot be read.
        ValueError: the query of an example cannot be read.
    """
    written = [number for number, row in enumerate(rows) if row["task"] != "detector"]
    for number in written:
        row = rows[number]
        opening = row["opening"]
        example = ChatExample(
            Prompt(row["prefix"], row["request"], opening), row["answer"].removeprefix(opening)
        )
        yield number, example
    for number, prompt in detector_prompts(rows):
        yield number, ChatExample(prompt, tokens_of(rows[number]))


def detector_prompts(rows: Sequence[Row]) -> Iterator[tuple[int, Prompt]]:
    """The place of each detector example and its prompt, database by database.

    Raises:
        DatabaseError, ValueError: as `chat_examples`.
    """
    numbers = [number for number, row in enumerate(rows) if row["task"] == "detector"]
    order = sorted(numbers, key=lambda number: (rows[number]["database"], number))
    for name, group in groupby(order, key=lambda number: rows[number]["database"]):
        with closing(open_database(database_file(name))) as database:
            values = DatabaseValues(database)
            for number in group:
                yield number, _prompt(rows[number], database, values)


def tokens_of(row: Row) -> str:
    """The error tokens that a detector should write of an example."""
    return " ".join(BY_KEY[key].token for key in row["types"]) or NULL_TOKEN


def _prompt(row: Row, database: Database, values: DatabaseValues) -> Prompt:
    schema = database.schema()
    result = database.run(row["sql"], LIMITS)
    query = read(row["sql"], schema, question=row["question"], execution=result, values=values)
    if isinstance(query, Finding):
        raise ValueError(f"An example's query cannot be read: {query.explanation} Build the set again.")
    return detector_prompt(schema_prefix(schema, Context()), row["question"], query, summarise(result))
