"""error_detector: names what is wrong with a candidate, by type, and mends names before any model is asked."""

from critiql.agent.actor import propose
from critiql.agent.context import Context
from critiql.agent.databases import database_of
from critiql.agent.events import Detected, emit
from critiql.agent.standing import unexamined
from critiql.agent.state import Candidate, State, Update, merge_candidates
from critiql.tools.database.engine import Database
from critiql.tools.sql.name_repair import repair_names
from critiql.tools.sql.parse import Parsed, parse
from critiql.tools.sql.resolve import resolve


def error_detector(state: State, context: Context) -> Update:
    """Look at each candidate not looked at yet; a repair of its names enters as a candidate of its own."""
    database = database_of(state, context)
    looked: list[Candidate] = []
    repairs: list[Candidate] = []
    for candidate in unexamined(state):
        findings = findings_of(state, candidate, database, context)
        emit(Detected(id=candidate["id"], findings=findings))
        looked.append({"id": candidate["id"], "findings": findings})
        if context.name_repair:
            repairs += repaired(_with(state, repairs), candidate, database)
    return {"candidates": looked + repairs}


def repaired(state: State, candidate: Candidate, database: Database) -> list[Candidate]:
    """The candidate with its unknown names mended, one candidate a way of mending."""
    parsed = parse(candidate["sql"], database.dialect)
    if candidate["origin"] == "repair" or not isinstance(parsed, Parsed):
        return []
    schema = database.schema()
    repairs: list[Candidate] = []
    for repair in repair_names(parsed, schema, resolve(parsed.tree, schema)):
        proposal = propose(_with(state, repairs), repair.sql, "repair", None, repair.change)
        if proposal["repeats"] is None:
            repairs.append(proposal)
    return repairs


def _with(state: State, repairs: list[Candidate]) -> State:
    """The state as it will be once the repairs are in it."""
    return {**state, "candidates": merge_candidates(state["candidates"], repairs)}
