"""Why a query gave no row: the step after which none is left, and stored values close to its own."""

import re
from collections.abc import Iterator, Set
from dataclasses import replace

from sqlglot import exp

from critiql.tools.database.engine import Database
from critiql.tools.database.result import Limits
from critiql.tools.errors.query import Query
from critiql.tools.errors.types.value_error import nearest
from critiql.tools.trajectory.language.actions import Filter, Having, Problem, Step
from critiql.tools.trajectory.language.compile import compile_query
from critiql.tools.trajectory.steps.interpret import STEP_LIMITS, StepRun, interpret

MOST_STEPS = 40
"""A query of more steps is not run step by step."""


def why_empty(query: Query, database: Database, limits: Limits) -> list[str]:
    """Say which step of a query without rows removed the last one; empty where that cannot be known.

    Args:
        query: a resolved query whose result is empty.
        database: where it ran.
        limits: caps of one query; all steps together stay within its seconds.
    """
    steps, runs = run_steps(query, database, limits)
    run = vanishing(runs)
    frames = {step.frame for step in runs}
    return [_note(run, steps[run.line - 1], query, frames)] if run else []


def run_steps(query: Query, database: Database, limits: Limits) -> tuple[list[Step], tuple[StepRun, ...]]:
    """The steps of a query and what each did; none where it has no steps, or too many to run them all."""
    trajectory = compile_query(query.tree, query.parsed.dialect)
    if isinstance(trajectory, Problem):
        return [], ()
    steps = [step for frame in trajectory.frames for step in frame.steps]
    if len(steps) > MOST_STEPS:
        return [], ()
    capped = replace(STEP_LIMITS, seconds=min(STEP_LIMITS.seconds, limits.seconds / (2 * len(steps))))
    return steps, interpret(trajectory, database, sample_rows=0, limits=capped)


def vanishing(runs: tuple[StepRun, ...]) -> StepRun | None:
    """The step of the last frame that leaves none of its rows; else the first one of any frame."""
    gone = [run for run in runs if run.rows == 0 and run.before != 0]
    own = [run for run in gone if run.frame == runs[-1].frame and run.before is not None]
    return next(iter([*own, *gone]), None)


def _note(run: StepRun, step: Step, query: Query, frames: Set[str]) -> str:
    if not isinstance(step, (Filter, Having)):
        return f"No row is left after this step: {run.meaning.rstrip('.')}."
    written = step.condition.sql(dialect=query.parsed.dialect)
    condition = re.sub(r"\w+", lambda word: "a subquery" if word[0] in frames else word[0], written)
    counted = f", of {run.before:,} before" if run.before is not None else ""
    note = f"No row is left after the filter {condition}{counted}."
    return " ".join([note, *_close_values(step.condition, query)])


def _close_values(condition: exp.Expr, query: Query) -> Iterator[str]:
    """For each text that its column does not hold, the stored values like it."""
    looked_for = {literal.name for literal in condition.find_all(exp.Literal) if literal.is_string}
    for comparison in query.comparisons:
        place = query.place(comparison.column)
        if comparison.value not in looked_for or comparison.operator not in (exp.EQ, exp.In) or not place:
            continue
        stored = query.distinct(place) or ()
        near = [] if comparison.value in stored else nearest(comparison.value, stored)
        if near:
            yield f"Values of {place} close to {comparison.value!r}: {', '.join(map(repr, near))}."
