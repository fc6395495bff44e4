"""Examples for the LLM critic: its own prompt on what an actor wrote, and whether that was right."""

from collections.abc import Callable, Iterator, Sequence

from critiql.agent.context import Context
from critiql.agent.databases import summarise
from critiql.agent.evidence import Candidate
from critiql.agent.roles.ground import fits, schema_prefix
from critiql.agent.roles.llm_critic import prompt_for
from critiql.agent.state import State
from critiql.evals.data.item import Item
from critiql.tools.database.result import Rows
from critiql.training.data.actor_outputs import Predictions
from critiql.training.data.asked import asked_questions, example
from critiql.training.data.example_file import Row, balanced
from critiql.training.data.gold import LIMITS, Gold
from critiql.training.data.order import rank
from critiql.training.data.parts import Part, parts_of

RIGHT, WRONG = "right", "wrong"
"""Kinds of an example, and the words that the critic says of it."""
WORDS = {RIGHT: "True", WRONG: "False"}


def critic_rows(
    items: Sequence[Item],
    outputs: Predictions,
    limit: int | None,
    seed: int,
    follow: Callable[[int], Callable[[], None]],
) -> list[Row]:
    """Queries of an actor that run, as many wrong as right ones; databases are divided as for the actor.

    Args:
        items: the questions of a data set.
        outputs: the actor's queries by index of the question.
        limit: at most so many examples of both parts.
        seed: names the draw.
        follow: for progress.

    Returns:
        The examples in an order of the seed's, so that the first of them are a draw of all.
    """
    asked = asked_questions(items, outputs, parts_of(items, seed), follow)
    rows = [row for one in asked for row in _rows(*one)]
    kept = balanced(rows, limit, seed)
    return sorted(kept, key=lambda row: rank(seed, row["index"], row["kind"], row["request"]))


def _rows(gold: Gold, written: dict[str, bool], part: Part) -> Iterator[Row]:
    """One example for each query that runs; none where the schema is too long to be shown whole."""
    context, schema, item = Context(), gold.database.schema(), gold.item
    if not fits(schema, context):
        return
    state: State = {"question": item.question, "schema_prefix": schema_prefix(schema, context)}
    for sql, right in written.items():
        result = gold.database.run(sql, LIMITS)
        if not isinstance(result, Rows):
            continue
        prompt = prompt_for(state, Candidate(id=1, sql=sql, execution=summarise(result)), context)
        kind = RIGHT if right else WRONG
        yield example("llm_critic", kind, part, item, prompt, WORDS[kind])
