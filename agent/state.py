"""The state a question carries through a graph. Plain dictionaries, so that it can be edited and replayed."""

import operator
from typing import Annotated, Any, Literal, NotRequired

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict

from critiql.tools.database.result import ErrorKind

Origin = Literal["given", "actor", "repair", "refiner", "regeneration", "escalation"]
Verdict = Literal["accepted", "rejected", "unknown"]
Operation = Literal["generate", "choose", "hidden_state"]
"""What a model call did: write, weigh the next token, or show the final hidden state."""
Status = Literal["accepted", "unverified", "failed", "abstained"]
Stop = Literal[
    "accepted",
    "unchecked",
    "rounds",
    "seconds",
    "tokens",
    "no_progress",
    "critic_off",
    "abstained",
    "model_failed",
    "recalled",
]
"""What ended the loop. `unchecked`: the graph has no critic after its last generation.
`model_failed`: a later draft or refinement failed for good, and the incumbent is the answer.
`abstained`: the question names nothing of the database, and no model was asked.
`recalled`: the question was answered before; its query was run again and no model asked."""


class Execution(TypedDict):
    """What running a candidate gave. Cut to what critics and people look at."""

    ok: bool
    kind: ErrorKind | None
    """Error kind when not ok."""
    message: str | None
    name: str | None
    """The table or column the error is about."""
    columns: list[str]
    rows: list[list[Any]]
    """The first few rows, cells cut to what JSON holds."""
    row_count: int
    truncated: bool
    rows_fingerprint: str | None
    """Equal for two results with the same rows in any order."""
    null_columns: int
    """Columns that hold nothing but NULL although there are rows."""
    seconds: float


class Candidate(TypedDict):
    """One SQL query with its evidence. Nodes add to it; `merge_candidates` joins by id."""

    id: int
    sql: NotRequired[str]
    origin: NotRequired[Origin]
    round: NotRequired[int]
    """Model generations spent when it appeared."""
    note: NotRequired[str]
    """What a repair or refinement changed."""
    repeats: NotRequired[int | None]
    """Id of the earlier candidate with the same canonical SQL."""
    mends: NotRequired[int]
    """Id of the candidate that code made it of, without what a rule had found in that."""
    logprob: NotRequired[float | None]
    """Sum of the log-probabilities of its tokens, in nats."""
    tokens: NotRequired[int]
    execution: NotRequired[Execution | None]
    p_true: NotRequired[float | None]
    verdict: NotRequired[Verdict]
    findings: NotRequired[list[dict[str, Any]]]
    """Typed errors; absent until the error detector looked at it."""
    proven_empty: NotRequired[bool]
    """It gave no rows, and each of its conditions is met by a stored value (error_detector)."""
    refined: NotRequired[bool]
    """The refiner has been asked to mend it."""


class Decision(TypedDict):
    """One application of the incumbent rule."""

    incumbent: int
    challenger: int
    displaced: bool
    reason: str
    score: float | None


class CallRecord(TypedDict):
    """What one model call cost, and for which role."""

    role: str
    model: str
    operation: Operation
    prompt_tokens: int
    cached_tokens: int
    generated_tokens: int
    seconds: float


def merge_candidates(old: list[Candidate], new: list[Candidate]) -> list[Candidate]:
    """Join two lists by id: fields of the newer entry win, unknown ids are appended in order."""
    merged = {candidate["id"]: candidate for candidate in old}
    for candidate in new:
        known = merged.get(candidate["id"])
        merged[candidate["id"]] = {**known, **candidate} if known else candidate
    return list(merged.values())


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
