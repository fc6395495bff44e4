"""The trace: one typed, versioned event stream. The command line, the page and the logs are views of it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from threading import Lock
from typing import Annotated, Any, Literal
from weakref import WeakKeyDictionary

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from critiql.tools.hiding import hide_known_in


class Event(BaseModel):
    """What every event carries."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    seq: int | None = Field(default=None, ge=0)
    """Place in the stream, from 0 without gaps; None in traces kept by earlier versions."""
    at: AwareDatetime | None = None
    """When it happened, in UTC; None in traces kept by earlier versions."""


class Resumed(Event):
    """A run with checkpoints goes on where a killed one was."""

    type: Literal["resumed"] = "resumed"
    thread: str
    next: list[str]
    """Nodes that run next; none where the answer was there already."""


class Grounded(Event):
    """The schema text is ready."""

    type: Literal["grounded"] = "grounded"
    database: str
    dialect: str
    tables: int
    schema_characters: int
    pruned: bool
    notes: str


class Exemplified(Event):
    """Which verified pairs, and examples made from the schema, are shown to the roles that write SQL."""

    type: Literal["examples"] = "examples"
    pairs: int
    """Pairs of the file and of the memory that are about this database."""
    shown: list[int]
    """Lines of the file that are shown, the most similar first."""
    verified: list[str] = []
    """Names of pairs of the memory that are shown, the most similar first."""
    made: list[str] = []
    """Questions that code made from the schema, shown with their queries."""
    left_out: list[str]
    """Pairs that would have been shown, and why they are not."""


class Recalled(Event):
    """The question was answered before; the query of then is run again."""

    type: Literal["recalled"] = "recalled"
    database: str
    dialect: str
    sql: str
    origin: str
    p_true: float | None
    verdict: str


class Abstained(Event):
    """The question names nothing of the database; no model is asked."""

    type: Literal["abstained"] = "abstained"
    database: str
    reason: str


class Writing(Event):
    """A model has written another piece of text."""

    type: Literal["writing"] = "writing"
    role: str
    text: str


class Proposed(Event):
    """A candidate query appeared."""

    type: Literal["candidate"] = "candidate"
    id: int
    sql: str
    origin: str
    round: int
    note: str = ""
    repeats: int | None = None
    seconds: float = 0.0
    tokens: int = 0


class Executed(Event):
    """A candidate was run."""

    type: Literal["executed"] = "executed"
    id: int
    ok: bool
    kind: str | None
    message: str | None
    row_count: int
    seconds: float


class Judged(Event):
    """The LLM critic read a candidate."""

    type: Literal["judged"] = "judged"
    id: int
    p_true: float | None
    verdict: str
    threshold: float | None
    seconds: float


class Sensed(Event):
    """The semantic detector read a candidate, or says why the rules stand alone."""

    type: Literal["sensed"] = "sensed"
    id: int
    source: str
    """head or prompt."""
    types: list[dict[str, Any]] = []
    """Error types with their probabilities."""
    correct: float | None = None
    """Probability of the null token, No Error."""
    seconds: float = 0.0
    error: str = ""
    """Why it could not be asked."""


class Detected(Event):
    """The error detector looked at a candidate."""

    type: Literal["detected"] = "detected"
    id: int
    findings: list[dict[str, Any]]


class Localised(Event):
    """Where a candidate's errors stand, as the localiser says, or what the refiner is told about them."""

    type: Literal["localised"] = "localised"
    id: int
    guidance: str = ""
    """Of the refiner."""
    places: list[dict[str, Any]] = []
    """Of the localiser: findings with their place and slots."""
    refused: list[str] = []
    """Of the localiser: why some of what it said does not count."""
    seconds: float = 0.0


class Refined(Event):
    """The refiner answered."""

    type: Literal["refined"] = "refined"
    id: int
    source: int
    changed: bool


class Assisted(Event):
    """The action assistant repaired a candidate by its steps, or says why it could not."""

    type: Literal["assisted"] = "assisted"
    id: int
    trajectory: dict[str, Any]
    """Steps before and after, and per part proposals, valid ones, changes, refusals; or only `refused`."""


class Decided(Event):
    """The incumbent was kept or displaced, and on what evidence."""

    type: Literal["kept", "displaced"]
    incumbent: int
    challenger: int
    reason: str
    score: float | None


class Escalated(Event):
    """The loop ended in doubt; the larger model is asked."""

    type: Literal["escalated"] = "escalated"
    model: str
    reason: str
    """What stands against the incumbent, in words."""


class Budget(Event):
    """A limit ended the loop."""

    type: Literal["budget"] = "budget"
    limit: str
    spent: float


class Rewritten(Event):
    """A message of a conversation as a question by itself."""

    type: Literal["rewritten"] = "rewritten"
    said: str
    question: str
    seconds: float


class Routed(Event):
    """What a turn of a conversation does."""

    type: Literal["routed"] = "routed"
    tool: str
    by: Literal["rule", "model"]
    choices: dict[str, float]
    """Probability of each tool; empty where a rule decided."""


class Charted(Event):
    """The last rows as a chart, or why there is none."""

    type: Literal["charted"] = "charted"
    kind: str | None
    kinds: list[str]
    reason: str


class Reviewed(Event):
    """What a person decided when asked."""

    type: Literal["reviewed"] = "reviewed"
    decision: str
    sql: str


class Answered(Event):
    """The run is over."""

    type: Literal["answered"] = "answered"
    id: int | None
    sql: str
    status: str
    stopped: str


class Failed(Event):
    """The run is over without an answer."""

    type: Literal["error"] = "error"
    kind: str
    """Name of the exception's class, `ModelError` for instance."""
    message: str
    """What happened, why, and what to do."""
    exit_code: int
    """What a command ends with that meets it."""


AnyEvent = Annotated[
    Resumed
    | Grounded
    | Exemplified
    | Recalled
    | Abstained
    | Writing
    | Proposed
    | Executed
    | Judged
    | Sensed
    | Detected
    | Localised
    | Refined
    | Assisted
    | Decided
    | Escalated
    | Budget
    | Rewritten
    | Routed
    | Charted
    | Reviewed
    | Answered
    | Failed,
    Field(discriminator="type"),
]

EVENT: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)
"""Reads an event back from JSON or a dictionary."""


_writers: "WeakKeyDictionary[Callable[[Any], None], Iterator[int]]" = WeakKeyDictionary()
"""Numbers of each run that streams; LangGraph makes one writer a run."""
_counting = Lock()


def emit(event: Event) -> None:
    """Send an event down the run's custom stream, as JSON; outside a run there is nobody to tell."""
    writer = stream_writer()
    if writer is None:
        return
    with _counting:  # number and place in the stream agree, whichever thread comes first
        numbers = _writers.setdefault(writer, count())
        writer(hide_known_in(stamped(event, next(numbers)).model_dump(mode="json")))


def stream_writer() -> Callable[[Any], None] | None:
    """The custom stream of the graph that runs here; None outside one."""
    from langgraph.config import get_stream_writer

    try:
        return get_stream_writer()
    except (RuntimeError, KeyError):  # KeyError: in a tool that no graph called
        return None


def forward(told: dict[str, Any], writer: Callable[[Any], None]) -> None:
    """Pass on an event of a graph within this one, as JSON, numbered as one of this graph's own."""
    with _counting:
        numbers = _writers.setdefault(writer, count())
        writer({**told, "seq": next(numbers)})


def stamped(event: Event, seq: int) -> Event:
    """The event with its place in the stream, and the time where it has none."""
    return event.model_copy(update={"seq": seq, "at": event.at or datetime.now(UTC)})
