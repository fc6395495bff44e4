"""The compiler's invariant: a query, its trajectory, and the query made from that are the same."""

from collections import Counter
from dataclasses import dataclass

from critiql.tools.database.engine import DEFAULT_LIMITS, Database
from critiql.tools.database.result import Failure, Limits, Rows
from critiql.tools.sql.canonical import canonical
from critiql.tools.sql.parse import ParseFailure, parse
from critiql.tools.trajectory.forms.json_form import from_json, to_json
from critiql.tools.trajectory.forms.parse_text import parse_text
from critiql.tools.trajectory.forms.text import to_text
from critiql.tools.trajectory.language.actions import Problem, Sort, Trajectory
from critiql.tools.trajectory.language.compile import compile_query
from critiql.tools.trajectory.language.decompile import to_sql


@dataclass(frozen=True)
class RoundTrip:
    """One query through all forms and back."""

    sql: str
    """Canonical print of the query."""
    back: str
    """Canonical print of what the trajectory stands for."""
    trajectory: Trajectory
    same_text: bool
    """The two prints are equal."""
    same_through_text: bool
    """Also when the trajectory is printed and read in between."""
    same_through_json: bool
    ordered: bool
    """The query fixes the order of its rows."""


def round_trip(sql: str, dialect: str = "sqlite") -> RoundTrip | ParseFailure | Problem:
    """Take a query through compiler, printed form, JSON form and back."""
    parsed = parse(sql, dialect)
    if isinstance(parsed, ParseFailure):
        return parsed
    trajectory = compile_query(parsed.tree, dialect)
    if isinstance(trajectory, Problem):
        return trajectory
    first, back = canonical(parsed.tree, dialect), to_sql(trajectory)
    return RoundTrip(
        first,
        back,
        trajectory,
        first == back,
        _same(parse_text(to_text(trajectory), dialect), trajectory, first),
        _same(from_json(to_json(trajectory)), trajectory, first),
        any(isinstance(step, Sort) for step in trajectory.frames[-1].steps),
    )


def same_results(
    database: Database, first: str, second: str, ordered: bool, limits: Limits = DEFAULT_LIMITS
) -> bool | Failure:
    """Whether two queries give the same rows: as a list when `ordered`, else as a bag.

    Returns:
        The answer, or the failure of the first query; where both fail the answer is whether the kind agrees.
    """
    left, right = database.run(first, limits), database.run(second, limits)
    if isinstance(left, Failure):
        return left if isinstance(right, Failure) and left.kind == right.kind else False
    return isinstance(right, Rows) and same_rows(left, right, ordered)


def same_rows(left: Rows, right: Rows, ordered: bool) -> bool:
    """Whether two results hold the same rows, in the same order when `ordered`."""
    if left.truncated != right.truncated:
        return False
    return left.rows == right.rows if ordered else Counter(left.rows) == Counter(right.rows)


def _same(again: Trajectory | Problem, trajectory: Trajectory, sql: str) -> bool:
    return isinstance(again, Trajectory) and again == trajectory and to_sql(again) == sql
