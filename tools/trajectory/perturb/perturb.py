"""Make one known mistake in a correct trajectory: add, delete or substitute a step.

The three kinds are SHARE's action perturbations (arXiv 2506.00391); theirs are written by a model, these are
drawn from a list, carry their type, their line and the edit that repairs them, and are checked to change the
query; with a database, to change its result.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from critiql.tools.database.engine import Database
from critiql.tools.schema.model import Schema
from critiql.tools.trajectory.forms.round_trip import same_results
from critiql.tools.trajectory.forms.text import step_text
from critiql.tools.trajectory.language.actions import (
    Define,
    Frame,
    Join,
    Problem,
    Scan,
    Sort,
    Start,
    Step,
    Trajectory,
    Values,
)
from critiql.tools.trajectory.language.check import check_form, check_schema
from critiql.tools.trajectory.language.decompile import to_sql
from critiql.tools.trajectory.language.fields import action_name
from critiql.tools.trajectory.language.references import nodes_of, references
from critiql.tools.trajectory.perturb.mistakes import redundant, substitutes
from critiql.tools.trajectory.repair.edits import Add, Delete, Edit, Substitute, apply_edits

Kind = Literal["ADD", "DELETE", "SUBSTITUTE", "NONE"]
KINDS: tuple[Kind, ...] = ("ADD", "DELETE", "SUBSTITUTE")
KEPT = (Scan, Start, Values, Define)
"""Steps that are never deleted: a frame without them has no rows."""


@dataclass(frozen=True)
class Perturbed:
    """A trajectory with at most one mistake, and what the mistake is."""

    trajectory: Trajectory
    kind: Kind
    """NONE for an identity example: the trajectory is right as it is."""
    mistake: str
    """What was done, such as `add distinct` or `substitute comparison`; empty for NONE."""
    line: int | None
    """Line of the mistake in `trajectory`; for DELETE the line after which a step is missing."""
    repair: tuple[Edit, ...]
    """The edit script that gives the correct trajectory back."""


@dataclass(frozen=True)
class _Change:
    """A possible mistake: the frame's new steps, and where it is."""

    frame: int
    steps: tuple[Step, ...]
    index: int
    mistake: str


def perturb(
    trajectory: Trajectory,
    schema: Schema,
    seed: int,
    kind: Kind | None = None,
    database: Database | None = None,
) -> Perturbed | None:
    """Make one mistake in a correct trajectory.

    Args:
        trajectory: a trajectory that is right.
        schema: what its names are in; the perturbed one resolves in it as well.
        seed: the same seed draws the same mistake.
        kind: the kind of mistake; drawn when not given.
        database: when given, mistakes that leave the result as it is are passed over.

    Returns:
        The perturbed trajectory, or None when no mistake of the kind is possible.
    """
    draw = random.Random(seed)
    if kind == "NONE":
        return identity(trajectory)
    kinds: list[Kind] = [kind] if kind else draw.sample(KINDS, len(KINDS))
    for one in kinds:
        changes = list(_CHANGES[one](trajectory, schema, draw))
        for change in _by_mistake(changes, draw):
            found = _checked(trajectory, schema, one, change)
            if found and (database is None or _is_seen(trajectory, found.trajectory, database)):
                return found
    return None


def _is_seen(right: Trajectory, wrong: Trajectory, database: Database) -> bool:
    ordered = any(isinstance(step, Sort) for step in right.frames[-1].steps)
    return same_results(database, to_sql(right), to_sql(wrong), ordered) is False


def identity(trajectory: Trajectory) -> Perturbed:
    """An example in which nothing is wrong."""
    return Perturbed(trajectory, "NONE", "", None, ())


def _by_mistake(changes: list[_Change], draw: random.Random) -> Iterator[_Change]:
    """The changes in random order, mistakes in turn, so that common ones do not crowd out rare ones."""
    draw.shuffle(changes)
    groups: dict[str, list[_Change]] = {}
    for change in changes:
        groups.setdefault(change.mistake, []).append(change)
    order = sorted(groups)
    draw.shuffle(order)
    for row in zip_longest(*(groups[mistake] for mistake in order)):
        yield from (change for change in row if change is not None)


def _additions(trajectory: Trajectory, schema: Schema, draw: random.Random) -> Iterator[_Change]:
    for number, frame in enumerate(trajectory.frames):
        for index, step, mistake in redundant(frame, schema, draw):
            steps = (*frame.steps[:index], step, *frame.steps[index:])
            yield _Change(number, steps, index, f"add {mistake}")


def _deletions(trajectory: Trajectory, _: Schema, __: random.Random) -> Iterator[_Change]:
    for number, frame in enumerate(trajectory.frames):
        for index, step in enumerate(frame.steps):
            if index and not isinstance(step, KEPT) and not _uses_frames(step, trajectory):
                steps = frame.steps[:index] + frame.steps[index + 1 :]
                yield _Change(number, steps, index, f"delete {action_name(step)}")


def _substitutions(trajectory: Trajectory, schema: Schema, draw: random.Random) -> Iterator[_Change]:
    for number, frame in enumerate(trajectory.frames):
        for index, step in enumerate(frame.steps):
            if _uses_frames(step, trajectory) and not isinstance(step, Join):
                continue
            for other, mistake in substitutes(step, frame, schema, draw):
                steps = (*frame.steps[:index], other, *frame.steps[index + 1 :])
                yield _Change(number, steps, index, f"substitute {mistake}")


_CHANGES: dict[Kind, Callable[[Trajectory, Schema, random.Random], Iterator[_Change]]] = {
    "ADD": _additions,
    "DELETE": _deletions,
    "SUBSTITUTE": _substitutions,
}


def _uses_frames(step: Step, trajectory: Trajectory) -> bool:
    return any(references(node, trajectory.names) for node in nodes_of(step))


def _checked(trajectory: Trajectory, schema: Schema, kind: Kind, change: _Change) -> Perturbed | None:
    """The perturbed trajectory if it is well formed, resolves, differs, and its repair gives the original."""
    frames = list(trajectory.frames)
    original = frames[change.frame]
    frames[change.frame] = Frame(original.name, change.steps)
    wrong = Trajectory(tuple(frames), trajectory.dialect)
    if check_form(wrong) or to_sql(wrong) == to_sql(trajectory) or check_schema(wrong, schema):
        return None
    line = sum(len(frame.steps) for frame in frames[: change.frame]) + change.index + 1
    if kind == "DELETE":
        line -= 1
    repair = _repair(trajectory, kind, original.steps, change.index, line)
    again = apply_edits(wrong, repair)
    if isinstance(again, Problem) or to_sql(again) != to_sql(trajectory):
        return None
    return Perturbed(wrong, kind, change.mistake, line, repair)


def _repair(
    trajectory: Trajectory, kind: Kind, steps: tuple[Step, ...], index: int, line: int
) -> tuple[Edit, ...]:
    if kind == "ADD":
        return (Delete(line),)
    call = step_text(steps[index], trajectory.dialect, trajectory.names)
    return (Add(line, call),) if kind == "DELETE" else (Substitute(line, call),)
