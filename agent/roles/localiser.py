"""localiser: says where in the incumbent the errors stand that a model named, before it is refined."""

from critiql.agent.calls import finished, record
from critiql.agent.candidates import question_with_notes
from critiql.agent.context import Context
from critiql.agent.databases import database_of
from critiql.agent.decide.budget import overspent
from critiql.agent.detect.places import localiser_request, place_grammar, read_places
from critiql.agent.detect.semantic import semantic_findings
from critiql.agent.events import Localised, emit
from critiql.agent.evidence import Candidate
from critiql.agent.state import State, Update, incumbent_of
from critiql.agent.wording.reading import read_candidate
from critiql.tools.errors.types.error_type import SEMANTIC, Finding
from critiql.tools.models.factory import load_model
from critiql.tools.models.model import Prompt, Sampling

LONGEST_ANSWER = 300
"""Tokens of an answer; five errors with their slots fit."""


def localiser(state: State, context: Context) -> Update:
    """Give the findings of a model places and slots; nothing where all have a place, or there is no time."""
    source = incumbent_of(state)
    said = semantic_findings(source) if source else []
    if source is None or not said or overspent(state, context):
        return {}
    query = read_candidate(source, state, database_of(state, context), context)
    if isinstance(query, Finding):
        return {}
    keys = list(dict.fromkeys(finding.type for finding in said))
    model = load_model(context.spec("localiser"))
    prompt = Prompt(state["schema_prefix"], localiser_request(question_with_notes(state), query, keys))
    sampling = Sampling(max_tokens=LONGEST_ANSWER, grammar=place_grammar(query, keys))
    answer = finished(model.generate(prompt, sampling))
    located = read_places(answer.text, said, query)
    places = {finding.type: finding.as_dict() for finding in located.findings}
    emit(
        Localised(
            id=source["id"],
            places=list(places.values()),
            refused=located.refused,
            seconds=answer.usage.seconds,
        )
    )
    call = record("localiser", model, "generate", answer.usage)
    return {"candidates": [_with_places(source, places)], "calls": [call]}


def _with_places(source: Candidate, places: dict[str, dict[str, object]]) -> Candidate:
    """The candidate's findings, those of a model at their places."""
    findings = [
        places.get(found["type"], found) if found["source"] in SEMANTIC else found
        for found in source.get("findings", [])
    ]
    return {"id": source["id"], "findings": findings}
