"""execution_critic: runs every candidate that has not been run. An error is evidence, not an exception."""

from critiql.agent.context import Context
from critiql.agent.databases import database_of, run_candidate
from critiql.agent.events import Executed, emit
from critiql.agent.state import Candidate, Execution, State, Update, by_id


def execution_critic(state: State, context: Context) -> Update:
    """Run what is new; a repeated candidate takes over the evidence of the one it repeats."""
    database = database_of(state, context)
    updates: list[Candidate] = []
    for candidate in not_run(state):
        execution = _known(state, candidate) or run_candidate(database, candidate["sql"], context)
        emit(_event(candidate["id"], execution))
        updates.append({"id": candidate["id"], "execution": execution})
    return {"candidates": updates}


def not_run(state: State) -> list[Candidate]:
    """Candidates without an execution."""
    return [c for c in state.get("candidates", []) if c.get("execution") is None]


def executes(candidate: Candidate | None) -> bool:
    """Whether a candidate was run and gave rows (an empty result included)."""
    execution = candidate.get("execution") if candidate else None
    return bool(execution and execution["ok"])


def _known(state: State, candidate: Candidate) -> Execution | None:
    """The execution of the candidate that this one repeats."""
    earlier = by_id(state, candidate.get("repeats"))
    return earlier.get("execution") if earlier else None


def _event(identifier: int, execution: Execution) -> Executed:
    """What the trace says of a run."""
    return Executed(
        id=identifier,
        ok=execution["ok"],
        kind=execution["kind"],
        message=execution["message"],
        row_count=execution["row_count"],
        seconds=execution["seconds"],
    )
