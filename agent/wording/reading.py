"""A candidate as the static rules read it: parsed and resolved once, with what running it gave."""

from critiql.agent.context import Context
from critiql.agent.evidence import Candidate, Execution
from critiql.agent.state import State
from critiql.tools.database.engine import Database
from critiql.tools.database.result import Failure
from critiql.tools.errors.lookup import DatabaseValues
from critiql.tools.errors.query import Query
from critiql.tools.errors.rules import read
from critiql.tools.errors.types.error_type import Finding


def read_candidate(
    candidate: Candidate, state: State, database: Database, context: Context
) -> Query | Finding:
    """The candidate's query, or the finding that says why it cannot be read; values only if allowed."""
    return read(
        candidate["sql"],
        database.schema(),
        question=state["question"],
        execution=_failure(candidate.get("execution")),
        values=DatabaseValues(database) if context.execution else None,
    )


def _failure(execution: Execution | None) -> Failure | None:
    """The failure of a run; a run that gave rows tells the rules nothing."""
    if execution is None or execution["ok"]:
        return None
    message = execution["message"] or ""
    return Failure(execution["kind"] or "other", message, execution["seconds"], execution["name"])
