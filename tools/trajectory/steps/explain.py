"""Explain a query as steps on data frames: what `critiql explain` does, as a function."""

from dataclasses import asdict, dataclass
from typing import Any

from critiql.tools.database.engine import Database
from critiql.tools.database.named import DatabaseName, named_database
from critiql.tools.sql.parse import ParseFailure, parse
from critiql.tools.trajectory.forms.json_form import to_json
from critiql.tools.trajectory.forms.text import steps_in_order, to_text, trajectory_lines
from critiql.tools.trajectory.language.actions import Problem, Trajectory
from critiql.tools.trajectory.language.compile import compile_query
from critiql.tools.trajectory.steps.describe import describe
from critiql.tools.trajectory.steps.evidence import Evidence, evidence
from critiql.tools.trajectory.steps.interpret import StepRun, interpret


@dataclass(frozen=True, slots=True)
class StepTold:
    """One step in words, not run."""

    line: int
    """Line of the printed trajectory, from 1."""
    frame: str
    text: str
    """The line as printed."""
    meaning: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A query as steps, or why it has none."""

    sql: str
    dialect: str
    problem: str = ""
    """Why there are no steps; empty where there are."""
    trajectory: Trajectory | None = None
    steps: tuple[StepRun, ...] | tuple[StepTold, ...] = ()
    """Run where a database was at hand, else only told."""
    evidence: tuple[Evidence, ...] = ()
    """Where rows vanish, and where they multiply."""

    @property
    def ok(self) -> bool:
        """Whether the query could be explained."""
        return self.trajectory is not None

    @property
    def text(self) -> str:
        """The steps as they are printed, one a line."""
        return to_text(self.trajectory) if self.trajectory else ""

    def as_dict(self) -> dict[str, Any]:
        """What JSON holds, but for the cells of samples, which stay as the engine gave them."""
        head = {"sql": self.sql, "dialect": self.dialect}
        if self.trajectory is None:
            return {**head, "problem": self.problem}
        return {
            **head,
            "text": self.text,
            "trajectory": to_json(self.trajectory),
            "steps": [asdict(step) for step in self.steps],
            "evidence": [asdict(one) for one in self.evidence],
        }


def explain(sql: str, db: DatabaseName = "", *, dialect: str = "", sample: int = 3) -> Explanation:
    """Explain a query as steps, with the number of rows and a few of them after each step.

    Args:
        sql: the query.
        db: path, URL or an open database; without it the sample database.
        dialect: where no database is named: only tell the steps of a query in this dialect, run nothing.
        sample: rows to show after each step; 0 only counts.

    Raises:
        DatabaseError: the database cannot be opened.
    """
    database = None if dialect and db == "" else named_database(db)
    return explain_on(sql, database, database.dialect if database else dialect, sample)


def explain_on(sql: str, database: Database | None, dialect: str, sample: int = 3) -> Explanation:
    """As `explain`; without a database the steps are told and not run."""
    parsed = parse(sql, dialect)
    if isinstance(parsed, ParseFailure):
        return Explanation(sql, dialect, parsed.message)
    trajectory = compile_query(parsed.tree, dialect)
    if isinstance(trajectory, Problem):
        return Explanation(sql, dialect, str(trajectory))
    if database is None:
        return Explanation(sql, dialect, "", trajectory, _told(trajectory))
    runs = interpret(trajectory, database, sample)
    return Explanation(sql, dialect, "", trajectory, runs or _told(trajectory), evidence(runs))


def _told(trajectory: Trajectory) -> tuple[StepTold, ...]:
    """The steps in words only."""
    lines = trajectory_lines(trajectory)
    return tuple(
        StepTold(number + 1, frame.name, lines[number].strip(), describe(step, frame, trajectory))
        for number, (frame, _, step) in enumerate(steps_in_order(trajectory))
    )
