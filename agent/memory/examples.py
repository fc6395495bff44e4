"""Few-shot examples: verified pairs, of a file or of the memory, whose questions are most like the one asked.

Where these are few, worked examples are made of the schema. What is shown is one line a question and one a
query, printed from its tree: text in it can close nothing.
"""

from collections.abc import Sequence
from pathlib import Path

from critiql import prompts
from critiql.agent.context import Context
from critiql.agent.events import Exemplified, emit
from critiql.agent.memory.likeness import example, most_alike
from critiql.agent.memory.made_examples import made_examples
from critiql.agent.memory.verified import Memory, about
from critiql.tools.database.engine import Database
from critiql.tools.question_pairs import Pair, read_pairs
from critiql.tools.schema.model import Schema


def examples_for(question: str, database: Database, schema: Schema, context: Context) -> str:
    """What the roles that write SQL are shown of verified pairs and made examples; empty where none fit.

    Args:
        question: as it was asked.
        database: the one it is about.
        schema: what the prompts show of it.
        context: which examples, and how many.

    Raises:
        PairsError: the file of pairs cannot be read.
        VerifiedError: the folder of the verified memory cannot be looked into.
    """
    pairs = _of_file(database, context)
    memory = about(database) if context.memory else Memory([], [])
    pairs += [one.as_pair() for one in memory.kept]
    shown, left_out = chosen(question, pairs, database.schema(), context.examples_shown)
    wanted = max(context.examples_made - len(shown), 0) if context.execution else 0
    made = made_examples(question, schema, database, wanted)
    if pairs or context.examples or memory.damaged or made:
        emit(
            Exemplified(
                pairs=len(pairs),
                shown=[pair.line for pair in shown if not pair.name],
                verified=[pair.name for pair in shown if pair.name],
                made=list(made),
                left_out=[*left_out, *memory.damaged],
            )
        )
    texts = [*shown.values(), *made.values()]
    return prompts.load("examples").render(examples="\n".join(texts)) if texts else ""


def _of_file(database: Database, context: Context) -> list[Pair]:
    """The pairs of the file that the settings name, as far as they are about this database."""
    if not context.examples:
        return []
    file = Path(context.examples).expanduser()
    return [pair for pair in read_pairs(file) if pair.is_about(database.url, file.parent)]


def chosen(
    question: str, pairs: Sequence[Pair], schema: Schema, most: int
) -> tuple[dict[Pair, str], list[str]]:
    """The most similar pairs that can be shown, each with its text, and why others cannot be."""
    shown: dict[Pair, str] = {}
    left_out: list[str] = []
    for pair in most_alike(question, pairs, schema):
        if len(shown) == most:
            break
        text, trouble = example(pair, schema)
        if trouble:
            left_out.append(f"{pair.place}: {trouble}")
        else:
            shown[pair] = text
    return shown, left_out
