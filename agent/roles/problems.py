"""What the refiner is told: the error of running a query, the closest names, typed errors with guidelines."""

from critiql.agent.context import Context
from critiql.agent.databases import database_of
from critiql.agent.detect.places import located_findings
from critiql.agent.detect.semantic import semantic_findings
from critiql.agent.evidence import Candidate
from critiql.agent.state import State
from critiql.agent.wording.reading import read_candidate
from critiql.agent.wording.result import result_text
from critiql.agent.wording.steps import step_evidence
from critiql.tools.errors.guide.guidance import guidance
from critiql.tools.errors.query import Query
from critiql.tools.errors.rules import detect, union
from critiql.tools.errors.types.error_type import SEMANTIC, Finding
from critiql.tools.schema.quoting import escape
from critiql.tools.sql.name_repair import closest_names


def problems_of(candidate: Candidate, state: State, context: Context) -> str:
    """One paragraph for each kind of evidence against a candidate."""
    execution = candidate.get("execution")
    query = read_candidate(candidate, state, database_of(state, context), context)
    failed = f"Running it gave {result_text(execution)}" if execution and not execution["ok"] else ""
    found = union(detect(query) if context.rules else [], _said(candidate, query))
    told = guidance(found, query, context.guides) if found else ""
    steps = step_evidence(candidate, query, state, context) if context.trajectory_evidence else ""
    return "\n".join(part for part in (failed, names_known(query), steps, told) if part)


def _said(candidate: Candidate, query: Query | Finding) -> list[Finding]:
    """What a model named, at the places that the localiser gave it."""
    if isinstance(query, Finding):
        return semantic_findings(candidate)
    return located_findings([f for f in candidate.get("findings", ()) if f["source"] in SEMANTIC], query)


def names_known(query: object) -> str:
    """For each unknown name the closest ones of the schema."""
    if not isinstance(query, Query):
        return ""
    lines = [
        escape(f"{unresolved.name} is not in the schema; closest: {', '.join(names)}")
        for unresolved in query.resolution.unresolved
        if (names := closest_names(unresolved, query.schema))
    ]
    return "\n".join(lines)
