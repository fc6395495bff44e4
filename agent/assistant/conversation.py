"""What a conversation holds, and what may be chosen for it."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from critiql.agent.context import Context
from critiql.agent.evidence import CallRecord

Tool = Literal["ask", "greet", "tables", "describe", "sample", "check", "explain", "chart", "run"]
"""What a turn does. `ask` answers from the data; the others look at the database or at the last answer."""

Review = Literal["approve", "clarify", "nothing"]
"""What a person is asked of an answer: whether it may be run, which reading is meant, or nothing."""

KEPT_TURNS = 20
"""Earlier turns that a conversation keeps."""
KEPT_ROWS = 100
"""Rows that an earlier turn keeps; the current answer has all of its own."""


class Turn(TypedDict):
    """One turn as the conversation remembers it."""

    said: str
    question: str
    """The question by itself, without the turns before it."""
    tool: Tool
    text: str
    """What was said back."""
    answer: dict[str, Any] | None
    chart: dict[str, Any] | None


class Problem(TypedDict):
    """Why a turn failed, in a sentence for the person."""

    kind: str
    message: str


class AssistantInput(TypedDict, total=False):
    """What a client gives: the chat with its newest message, and which database it is about."""

    messages: Annotated[list[AnyMessage], add_messages]
    database: str
    draft: str
    """SQL to start the loop from instead of a first draft; the turn is then a question, whatever it says."""
    turns: list[Turn]
    """The turns of this conversation, this one last (reply); a client that keeps them itself gives them."""


class AssistantState(AssistantInput, total=False):
    """Everything a conversation knows. Each field names the node that writes it."""

    said: str
    """The newest message (listen)."""
    tool: Tool
    """What the turn does (router)."""
    question: str
    """The question by itself (follow_up; listen where there is nothing to follow)."""
    hint: str
    """What the person answered when asked back (clarify, approve)."""
    answer: dict[str, Any] | None
    """This turn's answer as `Answer` dumps itself, with the reading not taken as `other` (ask)."""
    last: dict[str, Any] | None
    """The newest answer that has a query; explain, check and chart speak of it (ask, run)."""
    chart: dict[str, Any] | None
    """This turn's chart: a Vega-Lite specification as data (chart)."""
    text: str
    """What this turn says back, as Markdown (every tool)."""
    problem: Problem | None
    """Why this turn failed (whatever node failed); its sentence is the text too."""
    review: Review
    """What a person is asked of the answer (ask)."""
    settled: bool
    """Nothing is left to be asked of the person in this turn (clarify, approve)."""
    rounds: int
    """How often this turn's question was asked anew with a hint (clarify, approve)."""
    calls: list[CallRecord]
    """Model calls of this turn outside the answer: router and follow_up."""


class AssistantOutput(TypedDict, total=False):
    """What a client gets."""

    messages: Annotated[list[AnyMessage], add_messages]
    database: str
    said: str
    tool: Tool
    question: str
    text: str
    problem: Problem | None
    answer: dict[str, Any] | None
    last: dict[str, Any] | None
    chart: dict[str, Any] | None
    turns: list[Turn]


class AssistantUpdate(AssistantState, total=False):
    """What a node returns: only what it changed."""


class AssistantContext(TypedDict, total=False):
    """Choices for a conversation; a client may send more, which is ignored unless it is a run's setting."""

    database: Annotated[str, Field(description="Database that is asked where the input names none.")]
    model: Annotated[str, Field(description="Model of all roles.")]
    graph: Annotated[str, Field(description="Graph that answers a question; empty: text_to_sql.")]
    evidence: Annotated[str, Field(description="What is known beyond the schema.")]
    approve: Annotated[bool, Field(description="Run nothing before a person has approved the query.")]
    clarify: Annotated[bool, Field(description="Ask which is meant where two readings give different rows.")]


class Choices(BaseModel):
    """The choices as the nodes read them."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    graph: str = "text_to_sql"
    evidence: str = ""
    approve: bool = False
    clarify: bool = True
    settings: Context = Context()

    @classmethod
    def of(cls, given: Mapping[str, Any] | None) -> "Choices":
        """Read them from what a client sent.

        Raises:
            ValidationError: a known choice has a value that it may not have.
        """
        sent = {name: value for name, value in (given or {}).items() if value is not None and value != ""}
        own = {name: value for name, value in sent.items() if name in cls.model_fields}
        settings = {name: value for name, value in sent.items() if name in Context.model_fields}
        return cls.model_validate({**own, "settings": Context.model_validate(settings)})
