"""Examples for the actor: its own prompt, and the query that answers it, run before it is taken.

The queries are the benchmark's, printed the one way this project prints SQL; a question may be asked in the
benchmark's words or in those of Spider-Syn, which names tables and columns by other words (arXiv 2106.01065).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

from sqlglot import exp

from critiql.agent.calls import sql_prompt
from critiql.agent.context import Context
from critiql.agent.roles.actor import request
from critiql.agent.roles.ground import fits, schema_prefix
from critiql.agent.state import State
from critiql.evals.data.item import Item
from critiql.tools.database.engine import Database
from critiql.tools.database.result import Rows
from critiql.tools.sql.canonical import canonical
from critiql.tools.sql.parse import ParseFailure, parse
from critiql.tools.sql.resolve import resolve
from critiql.tools.trajectory.forms.round_trip import same_results
from critiql.training.data.asked import example
from critiql.training.data.example_file import Row
from critiql.training.data.gold import LIMITS, Gold, opened
from critiql.training.data.order import rank
from critiql.training.data.parts import Part, parts_of

Wording = Literal["gold", "paraphrase"]


def actor_rows(
    gold: Sequence[Item],
    other_words: Sequence[Item],
    limit: int | None,
    seed: int,
    follow: Callable[[int], Callable[[], None]],
) -> list[Row]:
    """Verified examples; databases of the half that measures are only validated on, and only some of them.

    Args:
        gold: questions in the benchmark's words.
        other_words: some of the same in other words; those that are asked in the same words are left out.
        limit: at most so many that train. Every query is taken once before any is taken again in other words.
        seed: names the draw.
        follow: for progress.

    Returns:
        The examples in the order in which they were drawn.
    """
    context = Context()
    parts = parts_of(gold, seed)
    wordings: list[tuple[Wording, Item]] = [("gold", item) for item in gold]
    changed = [item for item in other_words if _folded(item.question) != _folded(_original(item))]
    others: list[tuple[Wording, Item]] = [("paraphrase", item) for item in changed]
    wordings += others
    kept = [pair for pair in wordings if pair[1].db_id in parts]
    drawn = _drawn(kept, parts, limit, seed)
    places = {id(item): place for place, (_, item) in enumerate(drawn)}
    made: dict[int, Row] = {}
    for one in opened([item for _, item in drawn], follow(len(drawn))):
        place = places[id(one.item)]
        row = actor_row(one, drawn[place][0], parts[one.item.db_id], context)
        if row is not None:
            made[place] = row
    return [made[place] for place in sorted(made)]


def answer_sql(gold: str, database: Database) -> str | None:
    """The query as it is learnt: printed one way, text in single quotes; None where it does not run.

    Where that changes its rows, the benchmark's own text is kept.
    """
    own = " ".join(gold.split()).rstrip("; ")
    if not isinstance(database.run(own, LIMITS), Rows):
        return None
    printed = _printed(own, database)
    same = printed is not None and same_results(database, own, printed, "order by" in own.lower(), LIMITS)
    return printed if same is True else own


def _printed(sql: str, database: Database) -> str | None:
    parsed = parse(sql, database.dialect)
    if isinstance(parsed, ParseFailure):
        return None
    for text in resolve(parsed.tree, database.schema()).strings:
        text.replace(exp.Literal.string(text.name))
    return canonical(parsed.tree, database.dialect)


def actor_row(
    gold: Gold, kind: str, part: Part, context: Context, right: str | None = None, examples: str = ""
) -> Row | None:
    """One example; None where its query does not run, or its schema is too long to be shown whole.

    Args:
        gold: the question.
        kind: of the example.
        part: of its database.
        context: how the schema is shown.
        right: the query to learn, if not the benchmark's.
        examples: what stands between schema and question.
    """
    item, schema = gold.item, gold.database.schema()
    sql = answer_sql(right or item.gold, gold.database)
    if sql is None or not fits(schema, context):
        return None
    state: State = {
        "question": item.question,
        "schema_prefix": schema_prefix(schema, context),
        "examples": examples,
    }
    prompt = sql_prompt(state, request(state))
    return example("actor", kind, part, item, prompt, prompt.opening + sql)


def _drawn(
    pairs: Sequence[tuple[Wording, Item]], parts: dict[str, Part], limit: int | None, seed: int
) -> list[tuple[Wording, Item]]:
    """All that may validate, and up to `limit` that train: no query again before every other was taken."""
    order = sorted(pairs, key=lambda pair: rank(seed, pair[0], pair[1].db_id, pair[1].index))
    taken: Counter[tuple[str, str]] = Counter()
    turns: list[tuple[int, Wording, Item]] = []
    for kind, item in order:
        query = (item.db_id, _folded(item.gold))
        turns.append((taken[query], kind, item))
        taken[query] += 1
    turns.sort(key=lambda turn: turn[0])
    train: list[tuple[Wording, Item]] = [
        (kind, item) for _, kind, item in turns if parts[item.db_id] == "train"
    ]
    held: list[tuple[Wording, Item]] = [
        (kind, item) for turn, kind, item in turns if parts[item.db_id] == "validation" and turn == 0
    ]
    return train[:limit] + held


def _original(item: Item) -> str:
    return str(item.extra["original_question"])


def _folded(text: str) -> str:
    return " ".join(text.lower().split())
