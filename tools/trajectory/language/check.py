"""Is a trajectory well formed, and does every name in it exist in a schema?"""

from collections.abc import Iterable, Sequence

from sqlglot import exp

from critiql.tools.schema.model import Schema
from critiql.tools.sql.scope import Unresolved
from critiql.tools.trajectory.language.actions import (
    COMBINE_ORDER,
    ORDER,
    Aggregate,
    Combine,
    Distinct,
    Frame,
    Group,
    Having,
    Problem,
    Project,
    Scan,
    Skip,
    Start,
    Step,
    Take,
    Trajectory,
    Values,
)
from critiql.tools.trajectory.language.fields import action_name
from critiql.tools.trajectory.language.names import locate
from critiql.tools.trajectory.language.references import uses

ONCE = (Scan, Group, Aggregate, Project, Distinct, Skip, Take, Start)

LISTED = 40
"""Names an error message lists at most."""


def check_form(trajectory: Trajectory) -> Problem | None:
    """The first breach of the grammar: frames out of order, steps out of order, missing or repeated.

    Lines are those of the printed trajectory.
    """
    if not trajectory.frames:
        return Problem("a trajectory has at least one frame")
    line = 1
    used: set[str] = set()
    for frame in trajectory.frames:
        problem = _frame_problem(frame, line)
        if problem:
            return problem
        used.update(uses(frame, trajectory.names))
        line += len(frame.steps)
    for frame in trajectory.frames[:-1]:
        if frame.name not in used:
            return Problem(f"no later frame uses {frame.name}; use it or leave it out")
    return None


def check_schema(trajectory: Trajectory, schema: Schema) -> Problem | None:
    """The first table or column that stands for nothing, or for several things, with its line."""
    located = locate(trajectory, schema)
    steps = [step for frame in trajectory.frames for step in frame.steps]
    found = [(located.line(lost.node) or 0, lost) for lost in located.resolution.unresolved]
    if not found:
        return None
    line, lost = min(found, key=lambda pair: pair[0])
    action = action_name(steps[line - 1]) if line else None
    return Problem(_lost_message(lost, schema), line or None, action)


def _lost_message(lost: Unresolved, schema: Schema) -> str:
    sources = [source for scope in lost.scope.outwards() for source in scope.sources]
    if lost.kind == "table":
        return f"there is no table {lost.name}; tables are {_listed(table.name for table in schema.tables)}"
    if lost.kind == "qualifier":
        return f"nothing is called {lost.name} here; scans and joins give {_listed(s.name for s in sources)}"
    if lost.kind == "ambiguous":
        options = _listed(f"{source.name}.{lost.name}" for source in lost.candidates)
        return f"{lost.name} is in several tables; write one of {options}"
    qualifier = lost.node.table if isinstance(lost.node, exp.Column) else ""
    near = [source for source in sources if not qualifier or source.name.casefold() == qualifier.casefold()]
    columns = _listed(f"{source.name}.{name}" for source in near for name in source.column_names)
    return f"there is no column {lost.name} here; columns are {columns}"


def _listed(names: Iterable[str]) -> str:
    found = list(names)
    more = f" and {len(found) - LISTED} more" if len(found) > LISTED else ""
    return (", ".join(found[:LISTED]) or "none") + more


def _frame_problem(frame: Frame, line: int) -> Problem | None:
    kinds = [type(step) for step in frame.steps]
    if Values in kinds:
        return None if len(kinds) == 1 else Problem("values stands alone in its frame", line, "values")
    order = COMBINE_ORDER if Start in kinds else ORDER
    return _order_problem(frame.steps, order, line) or _shape_problem(frame, kinds, line)


def _order_problem(steps: Sequence[Step], order: Sequence[type[Step]], line: int) -> Problem | None:
    reached = 0
    for index, step in enumerate(steps):
        kind = type(step)
        if kind not in order:
            message = "a frame that begins with another frame only combines, sorts and cuts"
            if isinstance(step, Combine):
                message = "a set operation follows a frame's name, as in df1.union(df2)"
            return Problem(
                f"{message}; to go on with its rows write scan(df1 AS d)", line + index, action_name(step)
            )
        place = order.index(kind)
        if place < reached:
            before = action_name(steps[index - 1])
            return Problem(f"it must stand before {before}", line + index, action_name(step))
        if place == reached and index and type(steps[index - 1]) is kind and kind in ONCE:
            return Problem("it may stand only once in a frame", line + index, action_name(step))
        reached = place
    return None


def _shape_problem(frame: Frame, kinds: list[type[Step]], line: int) -> Problem | None:
    last = line + len(kinds) - 1
    if Start in kinds:
        start = next(step for step in frame.steps if isinstance(step, Start))
        if Combine not in kinds and not isinstance(start.frame, exp.Subquery):
            return Problem("the frame only repeats another; write scan(df1 AS d) and a select", line)
        return None
    if Aggregate not in kinds and Project not in kinds:
        return Problem(f"frame {frame.name} has no select or agg: it must say which columns come out", last)
    if Aggregate in kinds and Project in kinds:
        return Problem("a frame has one select or one agg, not both", last)
    if Having in kinds and Group not in kinds and Aggregate not in kinds:
        return Problem("having needs a groupby or an agg", last)
    return None
