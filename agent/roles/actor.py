"""actor: writes candidate SQL. The first draft is greedy; later ones are drawn, never twice alike."""

from critiql import prompts
from critiql.agent.calls import sql_prompt, sql_sampling, write
from critiql.agent.context import Context
from critiql.agent.decide.budget import repeated
from critiql.agent.events import Proposed, emit
from critiql.agent.state import Candidate, Origin, State, Update, incumbent_of, next_id
from critiql.tools.models.model import Generation
from critiql.tools.sql.canonical import fingerprint
from critiql.tools.sql.extract import extract_sql

REPEAT_RAISES = 0.3
"""How much a repeated query raises the temperature of later draws."""

HOTTEST = 1.5
"""Above this a small model's SQL falls apart."""


def actor(state: State, context: Context) -> Update:
    """Write one more candidate; the first is the incumbent. A given SQL takes the first draft's place."""
    if state.get("draft") and not state.get("candidates"):
        return given(state)
    prompt = sql_prompt(state, request(state))
    sampling = sql_sampling(context, state["generations"], warmth(state, context))
    generation, call = write("actor", context, prompt, sampling)
    candidate = propose(state, extract_sql(generation.text), "actor", generation)
    return {**first(state, candidate), "generations": state["generations"] + 1, "calls": [call]}


def warmth(state: State, context: Context) -> float:
    """Temperature of the next draw: the schedule's, raised for every repeated query so far."""
    scheduled = context.temperature(state["generations"])
    return min(scheduled + REPEAT_RAISES * repeated(state), HOTTEST) if scheduled else scheduled


def regenerating_actor(state: State, context: Context) -> Update:
    """AC-SQL's actor: shown its rejected query it writes a new one, and the newest is the incumbent."""
    prompt = sql_prompt(state, request_again(state) or request(state))
    generation, call = write("actor", context, prompt, sql_sampling(context, state["generations"]))
    candidate = propose(state, extract_sql(generation.text), "actor", generation)
    return {
        "candidates": [candidate],
        "incumbent": candidate["id"],
        "generations": state["generations"] + 1,
        "calls": [call],
    }


def given(state: State) -> Update:
    """Take the caller's SQL as the first candidate."""
    return first(state, propose(state, extract_sql(state["draft"]), "given", None))


def request(state: State) -> str:
    """The actor's part of the prompt: question, notes, instruction."""
    return prompts.load("actor").render(question=question_with_notes(state))


def request_again(state: State) -> str | None:
    """The request for a new query after a rejected one; None when nothing was rejected yet."""
    rejected = incumbent_of(state)
    if rejected is None:
        return None
    return prompts.load("actor_again").render(question=question_with_notes(state), rejected=rejected["sql"])


def question_with_notes(state: State) -> str:
    """The question, followed by what is known beyond the schema."""
    return "\n".join(part for part in (state["question"], state.get("notes", "")) if part)


def propose(
    state: State, sql: str, origin: Origin, generation: Generation | None, note: str = ""
) -> Candidate:
    """A new candidate, marked when its canonical SQL was seen before."""
    mark = fingerprint(sql)
    seen = next((c["id"] for c in state.get("candidates", []) if fingerprint(c["sql"]) == mark), None)
    candidate = Candidate(
        id=next_id(state),
        sql=sql,
        origin=origin,
        round=state["generations"] + (generation is not None),
        note=note,
        repeats=seen,
        logprob=generation.logprob if generation else None,
        tokens=generation.usage.generated_tokens if generation else 0,
    )
    _announce(candidate, generation)
    return candidate


def first(state: State, candidate: Candidate) -> Update:
    """Add a candidate; the very first one is the incumbent."""
    update: Update = {"candidates": [candidate]}
    if incumbent_of(state) is None:
        update["incumbent"] = candidate["id"]
    return update


def _announce(candidate: Candidate, generation: Generation | None) -> None:
    """Tell the trace."""
    emit(
        Proposed(
            id=candidate["id"],
            sql=candidate["sql"],
            origin=candidate["origin"],
            round=candidate["round"],
            note=candidate["note"],
            repeats=candidate["repeats"],
            seconds=generation.usage.seconds if generation else 0.0,
            tokens=candidate["tokens"],
        )
    )
