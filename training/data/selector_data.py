"""Examples for the selector: two queries for one question with different rows, exactly one of them right.

Each pair is asked about in both orders, so that where a query stands tells nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import product

from critiql.agent.context import Context
from critiql.agent.databases import summarise
from critiql.agent.evidence import Candidate
from critiql.agent.roles.ground import fits, schema_prefix
from critiql.agent.roles.selector import selection_prompt
from critiql.agent.state import State
from critiql.evals.data.item import Item
from critiql.tools.database.result import Rows
from critiql.training.data.actor_outputs import Predictions
from critiql.training.data.asked import asked_questions, example
from critiql.training.data.example_file import Row
from critiql.training.data.gold import LIMITS, Gold
from critiql.training.data.order import rank
from critiql.training.data.parts import Part, parts_of

PAIRS = 3
"""Pairs of one question at most: a question with many wrong queries shall not outweigh others."""


def selector_rows(
    items: Sequence[Item],
    outputs: Predictions,
    limit: int | None,
    seed: int,
    follow: Callable[[int], Callable[[], None]],
) -> list[Row]:
    """Pairs of an actor's queries in both orders; databases are divided as for the actor.

    Args:
        items: the questions of a data set.
        outputs: the actor's queries by index of the question.
        limit: at most so many examples of both parts; an odd one is rounded down, since pairs stay whole.
        seed: names the draw.
        follow: for progress.

    Returns:
        The examples in an order of the seed's, the two of a pair together.
    """
    asked = asked_questions(items, outputs, parts_of(items, seed), follow)
    pairs = [pair for one in asked for pair in _pairs(*one, seed)]
    pairs.sort(key=lambda pair: rank(seed, pair[0]["index"], pair[0]["request"]))
    kept = pairs if limit is None else pairs[: limit // 2]
    return [row for pair in kept for row in pair]


def _pairs(gold: Gold, written: dict[str, bool], part: Part, seed: int) -> Iterator[tuple[Row, Row]]:
    """Some pairs of a question; none where the schema is too long to be shown whole."""
    context, schema = Context(), gold.database.schema()
    if not fits(schema, context):
        return
    state: State = {"question": gold.item.question, "schema_prefix": schema_prefix(schema, context)}
    ran = [(one, right) for sql, right in written.items() if (one := _candidate(gold, sql)) is not None]
    right, wrong = ([one for one, is_right in ran if is_right is wanted] for wanted in (True, False))
    different = [pair for pair in product(right, wrong) if _rows_of(pair[0]) != _rows_of(pair[1])]
    different.sort(key=lambda pair: rank(seed, gold.item.index, pair[0]["sql"], pair[1]["sql"]))
    for better, worse in different[:PAIRS]:
        yield (
            _row(gold.item, part, state, (better, worse), "A"),
            _row(gold.item, part, state, (worse, better), "B"),
        )


def _candidate(gold: Gold, sql: str) -> Candidate | None:
    """A query as the agent keeps it once it was run; None where it fails."""
    result = gold.database.run(sql, LIMITS)
    return Candidate(id=1, sql=sql, execution=summarise(result)) if isinstance(result, Rows) else None


def _rows_of(candidate: Candidate) -> str | None:
    execution = candidate["execution"]
    return execution["rows_fingerprint"] if execution else None


def _row(item: Item, part: Part, state: State, shown: tuple[Candidate, Candidate], answer: str) -> Row:
    return example("selector", answer, part, item, selection_prompt(state, *shown), answer)
