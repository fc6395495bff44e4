"""Is a trajectory well formed, and does every name in it exist in a schema?"""

from collections.abc import Sequence

from sqlglot import exp

from critiql.tools.schema.model import Schema
from critiql.tools.trajectory.actions import (
    COMBINE_ORDER,
    ORDER,
    Aggregate,
    Combine,
    Define,
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
from critiql.tools.trajectory.fields import action_name
from critiql.tools.trajectory.references import nodes_of, uses
from critiql.tools.trajectory.scope import aliases, ancestors, definitions, recursive_names, tables_read

ONCE = (Scan, Group, Aggregate, Project, Distinct, Skip, Take, Start)


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
    """The first table or column that the schema does not have, with its line.

    A bare name that could belong to a derived table, a definition or an output alias is not judged.
    """
    line = 1
    for frame in trajectory.frames:
        defined = _defined_names(trajectory, frame)
        for step in frame.steps:
            message = _table_message(step, schema, defined) or _column_message(
                trajectory, frame, step, schema
            )
            if message:
                return Problem(message, line, action_name(step))
            line += 1
    return None


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


def _defined_names(trajectory: Trajectory, frame: Frame) -> set[str]:
    steps = [step for step in frame.steps if isinstance(step, Define)] + definitions(trajectory, frame.name)
    return {step.definition.alias.casefold() for step in steps} | recursive_names(trajectory, frame.name)


def _table_message(step: Step, schema: Schema, defined: set[str]) -> str | None:
    for table in tables_read(step):
        named = isinstance(table.this, exp.Identifier)
        if named and table.name.casefold() not in defined and schema.table(table.name) is None:
            known = ", ".join(found.name for found in schema.tables)
            return f"there is no table {table.name}; tables are {known}"
    return None


def _column_message(trajectory: Trajectory, frame: Frame, step: Step, schema: Schema) -> str | None:
    visible = aliases(frame)
    for outer, _ in ancestors(trajectory, frame.name):
        visible = {**aliases(outer), **visible}
    defined = _defined_names(trajectory, frame)
    for column in _qualified_columns(step):
        source = visible.get(column.table.casefold())
        if source is None:
            known = ", ".join(visible) or "nothing"
            return f"nothing is called {column.table} here; scans and joins give {known}"
        if not isinstance(source, exp.Table) or source.name.casefold() in defined:
            continue
        table = schema.table(source.name)
        if table is not None and table.column(column.name) is None and not isinstance(column.this, exp.Star):
            known = ", ".join(found.name for found in table.columns)
            return f"table {table.name} has no column {column.name}; its columns are {known}"
    return None


def _qualified_columns(step: Step) -> list[exp.Column]:
    return [column for node in nodes_of(step) for column in node.find_all(exp.Column) if column.table]
