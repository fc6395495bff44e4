"""The state a question carries through a graph. Plain dictionaries, so that it can be edited and replayed."""

import operator
from typing import Annotated, Any

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict

from critiql.agent.evidence import CallRecord, Candidate, Decision, Status, Stop, merge_candidates


class InputState(TypedDict, total=False):
    """What a caller gives. `question`, or a last human message, is required."""

    messages: Annotated[list[AnyMessage], add_messages]
    """The chat; a last message by a human is the question."""
    question: str
    """The question in plain language."""
    database: str
    """Path or URL of the database; empty means the one of the context, or the sample database."""
    evidence: str
    """Optional knowledge about the question, such as what a code means."""
    draft: str
    """Optional SQL to check and mend; the graph then starts from it instead of the actor's first draft."""


class State(InputState, total=False):
    """Everything a run knows. Each field names the node that writes it."""

    schema_prefix: str
    """System line and schema, the first bytes of every prompt (ground)."""
    notes: str
    """What is known beyond the schema: evidence, values named in the question (ground)."""
    examples: str
    """The user's verified pairs that are shown to roles that write SQL (ground)."""
    answer_key: str | None
    """Under what the answer is remembered; None: it is not (ground)."""
    started: float
    """Seconds since the epoch when the run began (ground)."""
    candidates: Annotated[list[Candidate], merge_candidates]
    """All queries seen, in order of appearance (actor, error_detector, refiner; critics add evidence)."""
    incumbent: int | None
    """Id of the candidate that would be the answer now (actor first, then llm_critic; `vote` and the
    rewriting roles in the published methods)."""
    generations: int
    """Queries written by a model so far (actor, refiner, escalation)."""
    decisions: Annotated[list[Decision], operator.add]
    """Every comparison of an incumbent with a challenger (llm_critic)."""
    calls: Annotated[list[CallRecord], operator.add]
    """Every model call (all roles)."""
    trajectory: dict[str, Any]
    """Counts and texts of the procedural repair (action_assistant)."""
    status: Status
    sql: str
    """The incumbent's SQL (answer)."""
    stopped: Stop | None
    """What ended the loop (answer); None while it runs."""
    columns: list[str]
    rows: list[list[Any]]
    truncated: bool
    confidence: float | None
    in_words: str
    assumptions: list[str]


class OutputState(TypedDict, total=False):
    """What a caller gets."""

    messages: Annotated[list[AnyMessage], add_messages]
    question: str
    database: str
    sql: str
    columns: list[str]
    rows: list[list[Any]]
    truncated: bool
    status: Status
    stopped: Stop
    confidence: float | None
    """Calibrated probability that the answer is right; None is unknown, which is not zero."""
    in_words: str
    """The answer in a sentence, built from the rows by code."""
    assumptions: list[str]
    """What a reader should know: for no rows, the condition that removed them."""
    candidates: Annotated[list[Candidate], merge_candidates]
    decisions: Annotated[list[Decision], operator.add]
    calls: Annotated[list[CallRecord], operator.add]
    incumbent: int | None
    generations: int


class Update(State, total=False):
    """What a node returns: only what it changed."""


def question_of(state: State) -> str:
    """The question: a human message that was not answered yet, or else the field."""
    messages = state.get("messages", [])
    if messages and messages[-1].type == "human":
        return str(messages[-1].text).strip()
    return state.get("question", "").strip()


def by_id(state: State, identifier: int | None) -> Candidate | None:
    """The candidate of that id."""
    return next((c for c in state.get("candidates", []) if c["id"] == identifier), None)


def incumbent_of(state: State) -> Candidate | None:
    """The candidate that would be the answer now."""
    return by_id(state, state.get("incumbent"))


def next_id(state: State) -> int:
    """The id a new candidate gets."""
    return len(state.get("candidates", []))
