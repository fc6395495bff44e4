"""Examples for the semantic detector: a question, a query, and the error types in it (ErrorLLM, section 3.4).

Right queries and queries with injected errors come from gold, in the same canonical text; the actor's own
queries come from an evaluation, labelled by comparison with gold where the labels explain the wrong result.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from random import Random

from critiql.evals.data.item import Item
from critiql.tools.database.result import Rows
from critiql.tools.errors.label.difference import difference
from critiql.tools.errors.perturb.perturb import Perturbation, compound, identity, perturb, verify
from critiql.tools.errors.query import Query
from critiql.tools.errors.rules import read
from critiql.tools.errors.types.error_type import Finding
from critiql.tools.settings import settings
from critiql.tools.trajectory.forms.round_trip import same_results
from critiql.training.data.actor_outputs import Predictions
from critiql.training.data.example_file import Row
from critiql.training.data.gold import LIMITS, Gold
from critiql.training.data.label_check import put_right
from critiql.training.data.order import rank

COMPOUND = 0.3
"""Share of the wrong queries that carry two errors, where two can be injected."""

ACTOR_RIGHT, ACTOR_WRONG = "actor_right", "actor_wrong"
"""Kinds of an example that the actor itself wrote."""


def detector_rows(golds: Iterable[Gold], outputs: Predictions, limit: int | None, seed: int) -> list[Row]:
    """Per gold query itself, one query with an injected error, and what the actor wrote for it.

    Args:
        golds: right queries with their databases.
        outputs: the actor's queries by index of the question.
        limit: at most so many examples, drawn by the seed; the actor's own queries come first, right and
            wrong ones alike, so that whose query it is does not tell whether it is right.
        seed: names every draw.

    Returns:
        Verified examples; rare error types are injected first, so that none is missing.
    """
    rows: list[Row] = []
    used: Counter[str] = Counter()
    for gold in golds:
        query = read(gold.item.gold, gold.database.schema(), question=gold.item.question, values=gold.values)
        if isinstance(query, Finding) or not isinstance(gold.database.run(gold.item.gold, LIMITS), Rows):
            continue
        made = [*_from_gold(gold, query, used, seed), *_from_actor(gold, query, outputs)]
        for one, kind in made:
            used.update(one.types)
            rows.append(_row(gold.item, one, kind))
    if limit is None or len(rows) <= limit:
        return rows
    kept = sorted(rows, key=lambda row: _place(row, seed))[:limit]
    chosen = set(map(id, kept))
    return [row for row in rows if id(row) in chosen]


def _place(row: Row, seed: int) -> tuple[bool, str]:
    return row["kind"] not in (ACTOR_RIGHT, ACTOR_WRONG), rank(seed, row["index"], row["kind"], row["sql"])


def database_file(name: str) -> Path:
    """The database of an example: within the data folder where the path is relative."""
    root = settings().data
    return root / name if root is not None else Path(name)


def _from_gold(
    gold: Gold, query: Query, used: Mapping[str, int], seed: int
) -> Iterator[tuple[Perturbation, str]]:
    yield identity(query.parsed), "identity"
    rng = Random(f"{seed}:{gold.item.index}")
    wrong = perturb(query.parsed, query.schema, query.resolution, rng, gold.values)
    rng.shuffle(wrong)
    wrong.sort(key=lambda one: used[one.types[0]])
    single = next((one for one in wrong if verify(gold.database, one.original, one.sql)), None)
    if single is None:
        return
    if rng.random() < COMPOUND:
        double = compound(single, query.schema, rng, gold.values)
        if double is not None and verify(gold.database, double.original, double.sql):
            yield double, "compound"
            return
    yield single, "single"


def _from_actor(gold: Gold, query: Query, outputs: Predictions) -> Iterator[tuple[Perturbation, str]]:
    for sql, correct in outputs.get(gold.item.index, {}).items():
        other = read(sql, query.schema, question=gold.item.question, values=gold.values)
        if isinstance(other, Finding):
            continue
        text = identity(other.parsed).sql
        types = () if correct else labels(gold, query, other)
        if types is not None:
            yield (
                Perturbation(text, gold.item.gold, types, (), (), ()),
                ACTOR_RIGHT if correct else ACTOR_WRONG,
            )


def labels(gold: Gold, right: Query, wrong: Query) -> tuple[str, ...] | None:
    """Error types of the actor's wrong query; None where they do not explain why it is wrong."""
    types = difference(right, wrong)
    fixed = put_right(right, wrong, types) if types else None
    if (
        fixed is None
        or same_results(gold.database, gold.item.gold, fixed, _ordered(right), LIMITS) is not True
    ):
        return None
    return tuple(sorted(types))


def labels_of(gold: Gold, sql: str) -> tuple[str, ...] | None:
    """Error types of a wrong query given as text; None where they explain nothing, or it cannot be read."""
    schema = gold.database.schema()
    right = read(gold.item.gold, schema, question=gold.item.question, values=gold.values)
    wrong = read(sql, schema, question=gold.item.question, values=gold.values)
    if isinstance(right, Finding) or isinstance(wrong, Finding):
        return None
    return labels(gold, right, wrong)


def _ordered(query: Query) -> bool:
    return bool(query.tree.args.get("order"))


def _row(item: Item, one: Perturbation, kind: str) -> Row:
    return {
        "task": "detector",
        "kind": kind,
        "db_id": item.db_id,
        "database": _relative(item.database),
        "index": item.index,
        "question": f"{item.question}\nEvidence: {item.evidence}" if item.evidence else item.question,
        "sql": one.sql,
        "types": list(one.types),
        "operators": list(one.operators),
    }


def _relative(database: Path) -> str:
    """The path within the data folder, so that examples stay good when it moves; else the whole path."""
    root = settings().data
    if root is not None and database.is_relative_to(root):
        return str(database.relative_to(root))
    return str(database.absolute())
