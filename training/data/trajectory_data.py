"""Examples for SHARE's models: LOM repairs the steps of a query, SAM the tables and columns it names.

After SHARE's hierarchical self-evolution (arXiv 2506.00391): theirs are perturbed and labelled by a large
model; here the mistake is drawn and known, seen in the rows, and its repair gives gold's rows back.
Each example is the prompt that the action assistant sends, and the answer it should get.
"""

import json
from collections.abc import Iterator
from random import Random

from critiql.agent.context import Context
from critiql.agent.roles.ground import schema_prefix
from critiql.agent.share import lom_request, sam_request
from critiql.evals.data.item import Item
from critiql.tools.database.engine import Database
from critiql.tools.database.result import Failure
from critiql.tools.schema.model import Schema
from critiql.tools.sql.parse import ParseFailure, parse
from critiql.tools.trajectory.forms.round_trip import same_results
from critiql.tools.trajectory.language.actions import Problem, Sort, Trajectory
from critiql.tools.trajectory.language.compile import compile_query
from critiql.tools.trajectory.language.decompile import to_sql
from critiql.tools.trajectory.perturb.perturb import KINDS, Kind, Perturbed, identity, perturb
from critiql.tools.trajectory.repair.edits import apply_edits, edits_json
from critiql.tools.trajectory.repair.gbnf import EDIT_OPENING, mask_opening
from critiql.tools.trajectory.repair.mask import Mask, Masked, choices, fill, mask
from critiql.training.data.example_file import Row
from critiql.training.data.gold import LIMITS, Gold

LOM_KINDS: tuple[Kind, ...] = ("NONE", *KINDS)
SAM_KINDS = ("NONE", "TABLE", "COLUMN")
TRIES = 4
"""Wrong names tried for one SAM example before it is given up."""


def gold_trajectory(gold: Gold) -> Trajectory | None:
    """The steps of a gold query; None where it has none, or they do not give its rows."""
    trajectory = trajectory_of(gold.item.gold, gold.database)
    return trajectory if trajectory is not None and _gives_gold(gold, trajectory) else None


def trajectory_of(sql: str, database: Database) -> Trajectory | None:
    """The steps of any text; None where it is not one query that has them."""
    parsed = parse(sql, database.dialect)
    if isinstance(parsed, ParseFailure):
        return None
    trajectory = compile_query(parsed.tree, database.dialect)
    return None if isinstance(trajectory, Problem) else trajectory


def lom_rows(gold: Gold, seed: int) -> Iterator[Row]:
    """One verified example of every kind that the query allows: one identity, one mistake of each sort."""
    right = gold_trajectory(gold)
    schema = gold.database.schema()
    if right is None:
        return
    for kind in LOM_KINDS:
        if kind == "NONE":
            yield _lom_row(gold, identity(right))
            continue
        made = perturb(
            right, schema, Random(f"{seed}:{gold.item.index}").getrandbits(32), kind, gold.database
        )
        if made is not None and _gives_gold(gold, apply_edits(made.trajectory, made.repair)):
            yield _lom_row(gold, made)


def sam_rows(gold: Gold, seed: int) -> Iterator[Row]:
    """An identity example, one with a wrong table and one with a wrong column, where there can be one."""
    right = gold_trajectory(gold)
    if right is None:
        return
    masked = mask(right, gold.database.schema())
    if not masked.masks:
        return
    yield _sam_row(gold, masked, masked, "NONE")
    rng = Random(f"{seed}:{gold.item.index}")
    for kind in SAM_KINDS[1:]:
        wrong = _misnamed(gold, masked, kind, rng)
        if wrong is not None:
            yield _sam_row(gold, wrong, masked, kind)


def actor_sam_row(gold: Gold, sql: str) -> Row | None:
    """An example from the actor's own wrong query, where it differs from gold in names alone."""
    right, wrong = gold_trajectory(gold), trajectory_of(sql, gold.database)
    if right is None or wrong is None:
        return None
    schema = gold.database.schema()
    masked, theirs = mask(right, schema), mask(wrong, schema)
    return _sam_row(gold, theirs, masked, "ACTOR") if _repairable(gold, theirs, masked) else None


def _misnamed(gold: Gold, right: Masked, kind: str, rng: Random) -> Masked | None:
    """The same steps with one name wrong: it resolves, runs, and gives other rows."""
    schema = gold.database.schema()
    taken = {one.original for one in right.masks}
    masks = [one for one in right.masks if one.kind == kind.lower()]
    options = [(one, name) for one in masks for name in _nearby(one, schema) if name not in taken]
    for one, name in rng.sample(options, min(TRIES, len(options))):
        filled = fill(right, {one.name: name}, schema)
        wrong = mask(filled.trajectory, schema)
        if filled.changed and _same(gold, filled.trajectory) is False and _repairable(gold, wrong, right):
            return wrong
    return None


def _nearby(one: Mask, schema: Schema) -> list[str]:
    """What a mask may be mistaken for: another table, or another column of its own table."""
    names = choices(one, schema)
    if one.kind == "table":
        return list(names)
    table = one.original.partition(".")[0]
    return [name for name in names if name.partition(".")[0] == table]


def _repairable(gold: Gold, wrong: Masked, right: Masked) -> bool:
    """Whether the right names behind the wrong query's masks give gold's rows."""
    if wrong.text != right.text or wrong.trajectory == right.trajectory:
        return False
    answers = {one.name: one.original for one in right.masks}
    return _gives_gold(gold, fill(wrong, answers, gold.database.schema()).trajectory)


def _gives_gold(gold: Gold, repaired: Trajectory | Problem) -> bool:
    return not isinstance(repaired, Problem) and _same(gold, repaired) is True


def _same(gold: Gold, other: Trajectory) -> bool | Failure:
    """Whether the steps give gold's rows, in their order where the steps sort."""
    ordered = any(isinstance(step, Sort) for step in other.frames[-1].steps)
    return same_results(gold.database, gold.item.gold, to_sql(other), ordered, LIMITS)


def _lom_row(gold: Gold, made: Perturbed) -> Row:
    return {
        **_common(gold, "lom", made.kind),
        "mistake": made.mistake,
        "line": made.line,
        "request": lom_request(_question(gold.item), made.trajectory),
        "opening": EDIT_OPENING,
        "answer": json.dumps(edits_json(made.repair), ensure_ascii=False),
        "sql": to_sql(made.trajectory),
        "gold": gold.item.gold,
    }


def _sam_row(gold: Gold, shown: Masked, right: Masked, kind: str) -> Row:
    return {
        **_common(gold, "sam", kind),
        "request": sam_request(_question(gold.item), shown),
        "opening": mask_opening(shown),
        "answer": "\n".join(f"{one.name} = {one.original}" for one in right.masks),
        "sql": to_sql(shown.trajectory),
        "gold": gold.item.gold,
    }


def _question(item: Item) -> str:
    return f"{item.question}\nEvidence: {item.evidence}" if item.evidence else item.question


def _common(gold: Gold, task: str, kind: str) -> Row:
    item = gold.item
    return {
        "task": task,
        "kind": kind,
        "db_id": item.db_id,
        "index": item.index,
        "prefix": schema_prefix(gold.database.schema(), Context()),
    }
