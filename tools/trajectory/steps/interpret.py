"""Run a trajectory step by step: how many rows there are after each step, and what they look like.

Every prefix of a frame's steps is itself a query and runs in the database under caps. Frames that look at the
rows of a frame around them, and the inside of a recursion, are described and not run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from critiql.tools.database.engine import Database
from critiql.tools.database.result import Failure, Limits, Rows, Value
from critiql.tools.trajectory.forms.text import trajectory_lines
from critiql.tools.trajectory.language.actions import Define, Frame, Join, Node, Sort, Trajectory, Window
from critiql.tools.trajectory.language.decompile import expand, frame_query, print_node
from critiql.tools.trajectory.language.fields import action_name
from critiql.tools.trajectory.language.prefix import prefix_query
from critiql.tools.trajectory.language.references import uses
from critiql.tools.trajectory.language.scope import definitions, outer_aliases, recursive_names, tables_read
from critiql.tools.trajectory.steps.describe import describe

STEP_LIMITS = Limits(seconds=2.0, rows=10, cell_bytes=200)
"""Caps on one step's queries."""
OUTER = {"left", "right", "full"}


@dataclass(frozen=True)
class StepRun:
    """What one step did."""

    line: int
    """Line of the printed trajectory, from 1."""
    frame: str
    action: str
    text: str
    """The line as printed."""
    meaning: str
    before: int | None
    """Rows before the step; None for a frame's first step, and where they were not counted."""
    rows: int | None
    """Rows, or groups, after the step; None where they were not counted."""
    joined: int | None
    """For a join: rows of the source that was joined."""
    keeps_unmatched: bool
    """For a join: rows without a match stay, as in a left join."""
    columns: tuple[str, ...]
    sample: tuple[tuple[Value, ...], ...]
    note: str
    """Why the step was not run or not counted; empty otherwise."""


@dataclass(frozen=True)
class _Reading:
    """What came back for one prefix."""

    rows: int | None = None
    columns: tuple[str, ...] = ()
    sample: tuple[tuple[Value, ...], ...] = ()
    note: str = ""


def interpret(
    trajectory: Trajectory, database: Database, sample_rows: int = 3, limits: Limits = STEP_LIMITS
) -> tuple[StepRun, ...]:
    """Run every prefix of every frame; two short statements a step.

    Args:
        trajectory: a well-formed trajectory.
        database: where to run it.
        sample_rows: rows of each step to show; 0 counts only.
        limits: caps on each statement.
    """
    lines = trajectory_lines(trajectory)
    queries: dict[str, Node] = {}
    runs: list[StepRun] = []
    for frame in trajectory.frames:
        obstacle = _obstacle(trajectory, frame)
        outer = definitions(trajectory, frame.name)
        inner = frame is not trajectory.frames[-1]
        runner = _Runner(database, limits, sample_rows, outer, queries, trajectory.dialect, inner)
        before: int | None = None
        for index, step in enumerate(frame.steps):
            reading = _Reading(note=obstacle) if obstacle else runner.read(frame, index, before)
            run = StepRun(
                line=len(runs) + 1,
                frame=frame.name,
                action=action_name(step),
                text=lines[len(runs)].strip(),
                meaning=describe(step, frame, trajectory),
                before=before,
                rows=reading.rows,
                joined=runner.count_source(step) if isinstance(step, Join) and not obstacle else None,
                keeps_unmatched=isinstance(step, Join) and bool(OUTER & set(step.how.split())),
                columns=reading.columns,
                sample=reading.sample,
                note=reading.note,
            )
            runs.append(run)
            before = run.rows
        queries[frame.name] = frame_query(frame.steps, queries)
    return tuple(runs)


@dataclass(frozen=True)
class _Runner:
    """Where and how the prefixes of one frame run."""

    database: Database
    limits: Limits
    sample_rows: int
    outer: Sequence[Define]
    queries: Mapping[str, Node]
    dialect: str
    inner: bool
    """Another frame uses this one."""

    def read(self, frame: Frame, index: int, before: int | None) -> _Reading:
        """Count and sample the rows after a step."""
        step = frame.steps[index]
        if isinstance(step, (Define, Window)):
            return _Reading(rows=before)
        prefix = prefix_query(frame.steps, index, self.queries)
        rows, note = (before, "") if isinstance(step, Sort) else self._count(prefix.counted)
        if note or not self.sample_rows:
            return _Reading(rows, note=note)
        sample = self._run(self._limited(prefix.shown))
        if isinstance(sample, Failure):
            return _Reading(rows, note=_failure_note(sample, self.inner))
        return _Reading(rows, sample.columns, sample.rows[: self.sample_rows])

    def count_source(self, join: Join) -> int | None:
        """Rows of a joined source on its own."""
        source = exp.Select(
            expressions=[exp.Literal.number(1)], from_=exp.From(this=expand(join.source, self.queries))
        )
        return self._count(source)[0]

    def _count(self, query: Node) -> tuple[int | None, str]:
        counted = exp.Subquery(this=query, alias=exp.TableAlias(this=exp.to_identifier("counted")))
        result = self._run(exp.Select(expressions=[exp.Count(this=exp.Star())], from_=exp.From(this=counted)))
        if isinstance(result, Failure):
            return None, _failure_note(result, self.inner)
        count = result.rows[0][0]
        return (count if isinstance(count, int) else None), ""

    def _limited(self, query: Node) -> Node:
        if query.args.get("limit") is not None or not isinstance(query, (exp.Select, exp.SetOperation)):
            return query
        query = query.copy()
        query.set("limit", exp.Limit(expression=exp.Literal.number(self.sample_rows)))
        return query

    def _run(self, query: Node) -> Rows | Failure:
        return self.database.run(print_node(self._with_outer(query), self.dialect), self.limits)

    def _with_outer(self, query: Node) -> Node:
        """The query with the definitions of the frames around it in front of its own."""
        if not self.outer:
            return query
        query = query.copy()
        own = query.args.get("with_")
        outer = [expand(step.definition, self.queries) for step in self.outer]
        with_ = exp.With(expressions=outer + (list(own.expressions) if own else []))
        if any(step.recursive for step in self.outer) or (own and own.args.get("recursive")):
            with_.set("recursive", True)
        query.set("with_", with_)
        return query


def _obstacle(trajectory: Trajectory, frame: Frame) -> str:
    """Why a frame cannot run on its own; empty when it can."""
    outer = outer_aliases(trajectory).get(frame.name)
    if outer:
        return f"runs once for each row of {', '.join(outer)}"
    making = recursive_names(trajectory, frame.name)
    around = [frame, *(trajectory.frame(name) for name in uses(frame, trajectory.names))] if making else []
    steps = [step for one in around for step in one.steps]
    reads = {table.name.casefold() for step in steps for table in tables_read(step)}
    if reads & making:
        return "runs again and again on the rows it last made"
    return ""


def _failure_note(failure: Failure, inner: bool) -> str:
    if failure.kind == "timeout":
        return f"not counted: it took longer than {failure.seconds:.0f} s"
    if inner and failure.kind == "no_such_column":
        return "needs a row of the frame around it"
    return f"did not run: {failure.message}"
