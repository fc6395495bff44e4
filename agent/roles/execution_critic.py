"""execution_critic: runs every candidate that has not been run. An error is evidence, not an exception."""

from critiql.agent.candidates import not_run
from critiql.agent.context import Context
from critiql.agent.databases import database_of, limits_of, summarise
from critiql.agent.events import Executed, emit
from critiql.agent.evidence import Candidate, Execution
from critiql.agent.kept_results import keep
from critiql.agent.state import State, Update, by_id
from critiql.tools.database.engine import Database


def execution_critic(state: State, context: Context) -> Update:
    """Run what is new; a repeated candidate takes over the evidence of the one it repeats."""
    database = database_of(state, context)
    updates: list[Candidate] = []
    for candidate in not_run(state):
        execution = _known(state, candidate) or _run(state, candidate, database, context)
        emit(_event(candidate["id"], execution))
        updates.append({"id": candidate["id"], "execution": execution})
    return {"candidates": updates}


def _run(state: State, candidate: Candidate, database: Database, context: Context) -> Execution:
    """Run a candidate; its rows are kept in case it is the answer."""
    result = database.run(candidate["sql"], limits_of(context))
    keep(state, candidate["sql"], result)
    return summarise(result)


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
