"""Candidates and the evidence about them: what a run knows of each query, call and decision, as data."""

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from critiql.tools.database.result import ErrorKind

SHOWN_ROWS = 5
"""Rows a candidate keeps: enough for a critic and a person, little enough for a checkpoint."""
SHOWN_CELL = 80
"""Characters of a cell that a candidate keeps."""

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
    """It has been repaired, or a repair was tried (refiner, action_assistant)."""


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
