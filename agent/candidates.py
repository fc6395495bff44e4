"""Candidates: how one enters the state, and what of it is known."""

from critiql.agent.context import Context
from critiql.agent.events import Proposed, emit
from critiql.agent.evidence import Candidate, Origin
from critiql.agent.state import State, Update, incumbent_of, next_id
from critiql.tools.models.model import Generation
from critiql.tools.sql.canonical import fingerprint
from critiql.tools.sql.extract import extract_sql


def given(state: State) -> Update:
    """Take the caller's SQL as the first candidate."""
    return first(state, propose(state, extract_sql(state["draft"]), "given", None))


def question_with_notes(state: State) -> str:
    """The question, followed by what is known beyond the schema."""
    return "\n".join(part for part in (state["question"], state.get("notes", "")) if part)


def propose(
    state: State, sql: str, origin: Origin, generation: Generation | None, note: str = ""
) -> Candidate:
    """A new candidate, told to the trace, and marked when its canonical SQL was seen before."""
    candidate = draft_candidate(state, sql, origin, generation, note)
    announce(candidate, generation)
    return candidate


def draft_candidate(
    state: State, sql: str, origin: Origin, generation: Generation | None, note: str = ""
) -> Candidate:
    """As `propose`, told to nobody: one that turns out to repeat another may not enter at all."""
    mark = fingerprint(sql)
    seen = next((c["id"] for c in state.get("candidates", []) if fingerprint(c["sql"]) == mark), None)
    return Candidate(
        id=next_id(state),
        sql=sql,
        origin=origin,
        round=state["generations"] + (generation is not None),
        note=note,
        repeats=seen,
        logprob=generation.logprob if generation else None,
        tokens=generation.usage.generated_tokens if generation else 0,
    )


def first(state: State, candidate: Candidate) -> Update:
    """Add a candidate; the very first one is the incumbent."""
    update: Update = {"candidates": [candidate]}
    if incumbent_of(state) is None:
        update["incumbent"] = candidate["id"]
    return update


def announce(candidate: Candidate, generation: Generation | None = None) -> None:
    """Tell the trace of a candidate that enters."""
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


def not_run(state: State) -> list[Candidate]:
    """Candidates without an execution."""
    return [c for c in state.get("candidates", []) if c.get("execution") is None]


def executes(candidate: Candidate | None) -> bool:
    """Whether a candidate was run and gave rows (an empty result included)."""
    execution = candidate.get("execution") if candidate else None
    return bool(execution and execution["ok"])


def is_weighed(candidate: Candidate, context: Context) -> bool:
    """Whether a repair of this query needs evidence to replace it."""
    if context.acceptance == "given":
        return candidate["origin"] == "given"
    return context.acceptance == "incumbent"
