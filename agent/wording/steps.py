"""What running a candidate step by step tells the refiner: where no row is left, where rows multiply."""

from critiql.agent.context import Context
from critiql.agent.databases import database_of, limits_of
from critiql.agent.evidence import Candidate
from critiql.agent.state import State
from critiql.agent.wording.empty_result import run_steps, why_empty
from critiql.tools.errors.query import Query
from critiql.tools.schema.quoting import escape
from critiql.tools.trajectory.steps.evidence import evidence


def step_evidence(candidate: Candidate, query: object, state: State, context: Context) -> str:
    """The step at fault of a candidate that ran: where no row is left, or else each join that multiplies."""
    execution = candidate.get("execution")
    if not isinstance(query, Query) or not execution or not execution["ok"]:
        return ""
    database, limits = database_of(state, context), limits_of(context)
    if execution["row_count"] == 0:
        return "\n".join(map(escape, why_empty(query, database, limits)))
    _, runs = run_steps(query, database, limits)
    return "\n".join(escape(f"{one.text}.") for one in evidence(runs) if one.kind == "multiply")
