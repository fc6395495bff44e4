"""error_detector: names what is wrong with a candidate, by type; mends names before any model is asked."""

from critiql.agent.actor import propose
from critiql.agent.context import Context
from critiql.agent.databases import database_of
from critiql.agent.events import Detected, emit
from critiql.agent.reading import read_candidate
from critiql.agent.standing import unexamined
from critiql.agent.state import Candidate, State, Update, merge_candidates
from critiql.tools.errors.error_type import Finding
from critiql.tools.errors.query import Query
from critiql.tools.errors.rules import detect
from critiql.tools.sql.name_repair import repair_names


def error_detector(state: State, context: Context) -> Update:
    """Look at each candidate not looked at yet; a repair of its names enters as a candidate of its own."""
    database = database_of(state, context)
    looked: list[Candidate] = []
    repairs: list[Candidate] = []
    for candidate in unexamined(state):
        query = read_candidate(candidate, state, database, context)
        findings = [finding.as_dict() for finding in detect(query)] if context.rules else []
        emit(Detected(id=candidate["id"], findings=findings))
        looked.append({"id": candidate["id"], "findings": findings})
        if context.name_repair and candidate["origin"] != "repair":
            repairs += repaired(_with(state, repairs), query)
    return {"candidates": looked + repairs}


def detecting(state: State, context: Context) -> Update:
    """ErrorLLM's detector: names errors and mends nothing (algorithm 1)."""
    return error_detector(state, context.model_copy(update={"name_repair": False}))


def repaired(state: State, query: Query | Finding) -> list[Candidate]:
    """The query with its unknown names mended: one new candidate for each way of mending them."""
    repairs: list[Candidate] = []
    if isinstance(query, Finding):
        return repairs
    for repair in repair_names(query.parsed, query.schema, query.resolution):
        proposal = propose(_with(state, repairs), repair.sql, "repair", None, "; ".join(repair.changes))
        if proposal["repeats"] is None:
            repairs.append(proposal)
    return repairs


def _with(state: State, repairs: list[Candidate]) -> State:
    """The state as it will be once the repairs are in it."""
    return {**state, "candidates": merge_candidates(state["candidates"], repairs)}
