"""error_detector: names what is wrong with a candidate, by type; mends names before any model is asked."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlglot import exp

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
from critiql.tools.sql.resolve import resolve

MOST_FURTHER = 3
"""Errors that are mended one after the other in one query."""


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
            repairs += _mended(candidate["id"], _with(state, repairs), query, found, context)
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


class Mend(NamedTuple):
    """What code made of a query."""

    note: str
    """What it changed."""
    source: str
    """The text that was mended: that of another repair, or empty for the candidate's own."""


def _mended(
    number: int, state: State, query: Query | Finding, found: Sequence[Finding], context: Context
) -> list[Candidate]:
    """Every repair that code can make of a candidate: of its names, of what the rules found, and of both."""
    mends = {sql: Mend(note, "") for sql, note in _named(query).items()} if context.name_repair else {}
    if context.rule_repair:
        dialect = database_of(state, context).dialect
        trees = [
            (one.mended, one.suggestion)
            for one in found
            if one.mended is not None and _may_run(one.mended, state, context)
        ]
        ruled = {canonical(tree, dialect): Mend(note, "") for tree, note in trees}
        mends |= {sql: mend for sql, mend in ruled.items() if sql not in mends}
        further = [(sql, mend.note, _further(sql, state, context)) for sql, mend in mends.items()]
        mends |= {text: Mend(note, sql) for sql, note, text in further if text and text not in mends}
    repairs: list[Candidate] = []
    numbers: dict[str, int] = {}
    for sql, mend in mends.items():
        for made in _fresh(draft_candidate(_with(state, repairs), sql, "repair", None, mend.note)):
            numbers[sql] = made["id"]
            repairs.append({**made, "mends": numbers.get(mend.source, number)})
    return repairs


def _may_run(tree: exp.Query, state: State, context: Context) -> bool:
    """Whether every name of a mended query is one of the schema; else its names are to be mended first."""
    return not resolve(tree.copy(), database_of(state, context).schema()).unresolved


def _further(sql: str, state: State, context: Context) -> str:
    """What becomes of a mended query whose other errors code finds and mends too; empty where it has none."""
    database, mended = database_of(state, context), ""
    for _ in range(MOST_FURTHER):
        query = read_candidate({"id": 0, "sql": mended or sql}, state, database, context)
        trees = [found.mended for found in detect(query) if found.mended is not None]
        if not trees:
            break
        mended = canonical(trees[0], database.dialect)
    return mended


def _named(query: Query | Finding) -> dict[str, str]:
    """The query with its unknown names mended, each way with what was changed."""
    if isinstance(query, Finding):
        return {}
    repairs = repair_names(query.parsed, query.schema, query.resolution)
    return {repair.sql: "; ".join(repair.changes) for repair in repairs}


def _fresh(candidate: Candidate) -> list[Candidate]:
    """A candidate that was not seen before; a repeated one is nothing new."""
    return [candidate] if candidate["repeats"] is None else []


def _so_far(state: State, looked: list[Candidate], calls: list[CallRecord]) -> State:
    """The state with what this step has found and spent already."""
    return {**_with(state, looked), "calls": [*state.get("calls", []), *calls]}


def _with(state: State, repairs: list[Candidate]) -> State:
    """The state as it will be once the repairs are in it."""
    return {**state, "candidates": merge_candidates(state["candidates"], repairs)}
