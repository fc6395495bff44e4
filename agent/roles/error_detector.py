"""error_detector: names what is wrong with a candidate, by type; mends names before any model is asked."""

from collections.abc import Sequence

from critiql.agent.candidates import announce, draft_candidate, executes
from critiql.agent.context import Context
from critiql.agent.databases import database_of
from critiql.agent.decide.doubt import unexamined
from critiql.agent.detect.semantic import sense
from critiql.agent.events import Detected, emit
from critiql.agent.evidence import CallRecord, Candidate, merge_candidates
from critiql.agent.state import State, Update
from critiql.agent.wording.reading import read_candidate
from critiql.tools.errors.proven_empty import is_proven_empty
from critiql.tools.errors.query import Query
from critiql.tools.errors.rules import detect, union
from critiql.tools.errors.types.error_type import Finding
from critiql.tools.sql.canonical import canonical
from critiql.tools.sql.name_repair import repair_names


def error_detector(state: State, context: Context) -> Update:
    """Look at each candidate not looked at yet; a repair of its names enters as a candidate of its own."""
    database = database_of(state, context)
    looked: list[Candidate] = []
    repairs: list[Candidate] = []
    calls: list[CallRecord] = []
    for candidate in unexamined(state):
        query = read_candidate(candidate, state, database, context)
        found = detect(query) if context.rules else []
        sensed = sense(candidate, query, _so_far(state, looked, calls), context)
        calls += sensed.calls
        findings = [finding.as_dict() for finding in union(found, sensed.findings)]
        emit(Detected(id=candidate["id"], findings=findings))
        looked.append({"id": candidate["id"], "findings": findings})
        if _is_empty(candidate) and isinstance(query, Query):
            looked[-1]["proven_empty"] = is_proven_empty(query)
        if candidate["origin"] != "repair":
            made = _mended(_with(state, repairs), query, found, context)
            for repair in made:
                repair["mends"] = candidate["id"]
            repairs += made
    for repair in repairs:
        announce(repair)  # only now: a step that fails is taken again, and would tell of them twice
    update: Update = {"candidates": looked + repairs}
    return {**update, "calls": calls} if calls else update


def detecting(state: State, context: Context) -> Update:
    """ErrorLLM's detector: names errors and mends nothing (algorithm 1)."""
    return error_detector(state, context.model_copy(update={"name_repair": False, "rule_repair": False}))


def proving(state: State, context: Context) -> Update:
    """As `detecting`, by rules alone: for an incumbent rule that nothing else counts in."""
    return detecting(state, context.model_copy(update={"semantic_detector": "off"}))


def detecting_once(state: State, context: Context) -> Update:
    """As `detecting`; a repair is seen by the rules alone, since a model's doubt would not count."""
    return (detecting if len(state["candidates"]) == 1 else proving)(state, context)


def _is_empty(candidate: Candidate) -> bool:
    """Whether it runs and gives no row."""
    execution = candidate.get("execution")
    return executes(candidate) and execution is not None and execution["row_count"] == 0


def _mended(
    state: State, query: Query | Finding, found: Sequence[Finding], context: Context
) -> list[Candidate]:
    """Every repair that code can make of a query: of its names, and of what the rules found."""
    repairs = repaired(state, query) if context.name_repair else []
    for finding in found if context.rule_repair else ():
        if finding.mended is not None:
            sql = canonical(finding.mended, database_of(state, context).dialect)
            repairs += _fresh(draft_candidate(_with(state, repairs), sql, "repair", None, finding.suggestion))
    return repairs


def repaired(state: State, query: Query | Finding) -> list[Candidate]:
    """The query with its unknown names mended: one new candidate for each way of mending them."""
    repairs: list[Candidate] = []
    if isinstance(query, Finding):
        return repairs
    for repair in repair_names(query.parsed, query.schema, query.resolution):
        note = "; ".join(repair.changes)
        repairs += _fresh(draft_candidate(_with(state, repairs), repair.sql, "repair", None, note))
    return repairs


def _fresh(candidate: Candidate) -> list[Candidate]:
    """A candidate that was not seen before; a repeated one is nothing new."""
    return [candidate] if candidate["repeats"] is None else []


def _so_far(state: State, looked: list[Candidate], calls: list[CallRecord]) -> State:
    """The state with what this step has found and spent already."""
    return {**_with(state, looked), "calls": [*state.get("calls", []), *calls]}


def _with(state: State, repairs: list[Candidate]) -> State:
    """The state as it will be once the repairs are in it."""
    return {**state, "candidates": merge_candidates(state["candidates"], repairs)}
