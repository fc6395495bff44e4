"""Examples for the refiner: what it is told about the actor's own wrong query, and the query that is right.

A query that fails is told as it fails in use. One that runs is told with the error types that explain why its
rows are wrong, as the semantic detector would name them; where none explain it, it teaches nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from critiql.agent.calls import sql_prompt
from critiql.agent.context import Context
from critiql.agent.databases import summarise
from critiql.agent.detect.semantic import finding
from critiql.agent.evidence import Candidate
from critiql.agent.roles.ground import fits, schema_prefix
from critiql.agent.roles.problems import problems_of
from critiql.agent.roles.refiner import request
from critiql.agent.state import State
from critiql.evals.data.item import Item
from critiql.tools.database.result import Rows
from critiql.training.data.actor_data import answer_sql
from critiql.training.data.actor_outputs import Predictions
from critiql.training.data.asked import asked_questions, example
from critiql.training.data.detector_data import labels_of
from critiql.training.data.example_file import Row
from critiql.training.data.gold import LIMITS, Gold
from critiql.training.data.order import rank
from critiql.training.data.parts import Part, parts_of

FAILED, EXPLAINED = "failed", "explained"
"""Kinds of an example: the query does not run, or it runs and its errors are known by type."""


def refiner_rows(
    items: Sequence[Item],
    outputs: Predictions,
    limit: int | None,
    seed: int,
    follow: Callable[[int], Callable[[], None]],
) -> list[Row]:
    """The actor's wrong queries with their errors; databases are divided as for the actor.

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
    rows.sort(key=lambda row: rank(seed, row["index"], row["kind"], row["request"]))
    return rows[:limit]


def _rows(gold: Gold, written: dict[str, bool], part: Part) -> Iterator[Row]:
    """One example for each wrong query whose errors are known; none where gold itself does not run."""
    context, schema, item = Context(), gold.database.schema(), gold.item
    right = answer_sql(item.gold, gold.database)
    if right is None or not fits(schema, context):
        return
    state: State = {
        "question": item.question,
        "database": str(item.database),
        "schema_prefix": schema_prefix(schema, context),
    }
    for sql, is_right in written.items():
        source = None if is_right else _explained(gold, sql)
        if source is None:
            continue
        problems = problems_of(source, state, context)
        if problems:
            yield _row(item, part, state, (source, problems), right)


def _explained(gold: Gold, sql: str) -> Candidate | None:
    """A wrong query as the refiner meets it; None where nothing is known of what is wrong with it."""
    result = gold.database.run(sql, LIMITS)
    source = Candidate(id=1, sql=sql, execution=summarise(result), findings=[])
    if isinstance(result, Rows):
        types = labels_of(gold, sql)
        if types is None:
            return None
        source["findings"] = [_said(key) for key in types]
    return source


def _said(key: str) -> dict[str, Any]:
    """An error type as the semantic detector's finding is kept."""
    return finding(key, "prompt", 1.0).as_dict()


def _row(item: Item, part: Part, state: State, shown: tuple[Candidate, str], right: str) -> Row:
    source, problems = shown
    prompt = sql_prompt(state, request(state, source, problems))
    execution = source["execution"]
    kind = EXPLAINED if execution and execution["ok"] else FAILED
    return example("refiner", kind, part, item, prompt, prompt.opening + right)
