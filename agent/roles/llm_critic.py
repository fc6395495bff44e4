"""llm_critic: says how likely each candidate is right. What follows from it is decided elsewhere.

P(True) is read from the logits of the next token in one forward pass. A reading rejects only with a
calibration that matches model and prompt; a critic that fails is `unknown`, never an approval.
"""

import math
from typing import NamedTuple

from critiql import prompts
from critiql.agent.calls import p_true, read_truth
from critiql.agent.candidates import executes, question_with_notes
from critiql.agent.context import Context
from critiql.agent.decide.fitted import asked, calibration_for, prompt_name, threshold_of, verdict_of
from critiql.agent.events import Judged, emit
from critiql.agent.evidence import CallRecord, Candidate, Verdict
from critiql.agent.state import State, Update, by_id
from critiql.agent.wording.result import result_text
from critiql.tools.models.factory import load_model
from critiql.tools.models.model import ModelError, Prompt, TransientModelError


class Reading(NamedTuple):
    """P(True) of one candidate, and the calls it took."""

    p_true: float | None
    calls: list[CallRecord]


def llm_critic(state: State, context: Context) -> Update:
    """Read P(True) of the candidates not judged yet."""
    threshold = threshold_of(context, calibration_for(context))
    judged: list[Candidate] = []
    calls: list[CallRecord] = []
    for candidate in to_judge(state, context):
        reading = read(state, candidate, context)
        verdict = verdict_of(reading.p_true, threshold)
        emit(_event(candidate["id"], reading, verdict, threshold))
        judged.append({"id": candidate["id"], "p_true": reading.p_true, "verdict": verdict})
        calls += reading.calls
    return {"candidates": judged, "calls": calls}


def to_judge(state: State, context: Context) -> list[Candidate]:
    """Candidates that executed (or all, where nothing is executed) and have no verdict yet."""
    if not asked(context):
        return []
    return [
        c
        for c in state.get("candidates", [])
        if "verdict" not in c and (executes(c) or not context.execution_critic)
    ]


def read(state: State, candidate: Candidate, context: Context) -> Reading:
    """P(True) by the critic, or by the panel where there is one; a critic that fails is left out."""
    earlier = by_id(state, candidate.get("repeats"))
    if earlier and "p_true" in earlier:
        return Reading(earlier["p_true"], [])
    readings: list[float] = []
    calls: list[CallRecord] = []
    for spec in (context.spec("llm_critic"), *context.panel):
        try:
            reading, call = read_truth("llm_critic", load_model(spec), prompt_for(state, candidate, context))
        except TransientModelError:
            raise
        except ModelError:
            continue
        calls.append(call)
        probability = p_true(reading)
        if math.isfinite(probability):  # NaN: the critic gives neither word a probability
            readings.append(probability)
    return Reading(_vote(readings, context.panel_vote), calls)


def prompt_for(state: State, candidate: Candidate, context: Context) -> Prompt:
    """The critic's prompt, with the rows that the candidate returned where it may see them."""
    name = prompt_name(context)
    slots = {"question": question_with_notes(state), "sql": candidate["sql"]}
    if name == "critic_with_rows":
        slots["result"] = result_text(candidate.get("execution"))
    return Prompt(state["schema_prefix"], prompts.load(name).render(**slots))


def _vote(readings: list[float], how: str) -> float | None:
    """One reading out of several: their mean, or the share that says True."""
    if not readings:
        return None
    if how == "majority":
        return sum(r >= 0.5 for r in readings) / len(readings)
    return sum(readings) / len(readings)


def _event(identifier: int, reading: Reading, verdict: Verdict, threshold: float | None) -> Judged:
    """What the trace says of a reading."""
    seconds = sum(call["seconds"] for call in reading.calls)
    return Judged(id=identifier, p_true=reading.p_true, verdict=verdict, threshold=threshold, seconds=seconds)
