"""assistant: a conversation about a database, for chat clients; a question is answered by another graph.

A message is routed to a tool. A question that leans on earlier turns is rewritten and shown.
Where two readings stand, or a query is to be approved, the person is asked by an interrupt, in a node that
calls no model.
What the inner graph writes is tagged `nostream`: a chat shows the answer and not every draft.
"""

import time
from collections.abc import AsyncIterator, Iterator
from copy import copy
from typing import Any, Literal, NamedTuple

from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.config import get_config
from langgraph.errors import NodeError
from langgraph.graph import END, START, StateGraph
from langgraph.stream import StreamTransformer
from langgraph.types import Command
from pydantic import ValidationError

from critiql.agent.answer import Answer
from critiql.agent.assistant.conversation import (
    AssistantContext,
    AssistantInput,
    AssistantOutput,
    AssistantState,
    AssistantUpdate,
    Choices,
    Review,
)
from critiql.agent.assistant.desk import choices, desk
from critiql.agent.assistant.follow_up import follow_up
from critiql.agent.assistant.last_answer import chart, check, explain, run
from critiql.agent.assistant.listen import listen, route_after_listen
from critiql.agent.assistant.look import look
from critiql.agent.assistant.readings import standing_pair
from critiql.agent.assistant.reply import reply
from critiql.agent.assistant.review import approve, clarify, route_after_review
from critiql.agent.assistant.router import route_after_router, router
from critiql.agent.assistant.trace import pass_on
from critiql.agent.context import Context
from critiql.agent.graph_contexts import UnknownGraphError, narrowed
from critiql.agent.memory.verified import VerifiedError
from critiql.agent.node import threaded
from critiql.agent.roles.ground import QuestionError
from critiql.agent.wording.sentence import plain
from critiql.graphs.api import recursion_limit
from critiql.graphs.catalogue import graph as graph_of
from critiql.graphs.policies import MODEL_RETRY, handler
from critiql.tools.database.engine import DatabaseError
from critiql.tools.models.cancel import CallCancelledError
from critiql.tools.models.model import ModelError
from critiql.tools.question_pairs import PairsError

PROBLEMS: dict[type[Exception], str] = {
    QuestionError: "question",
    DatabaseError: "database",
    ModelError: "model",
    PairsError: "examples",
    VerifiedError: "memory",
    UnknownGraphError: "graph",
    ValidationError: "setting",
}
"""What a person can cause or must know of, by kind."""


UNSAID = {"said": "", "question": "", "tool": "ask"}
"""What a turn says of itself that failed before it was read."""


class TraceOnEventStream(StreamTransformer):
    """Lets the trace through to the newest event protocol, which runs no mode that nobody asks for."""

    required_stream_modes = ("custom",)

    def init(self) -> dict[str, Any]:
        """No projection of its own: a server may add one of that name."""
        return {}

    def process(self, event: Any) -> bool:  # noqa: ARG002 - interface of a transformer
        """Every event passes."""
        return True


class Inner(NamedTuple):
    """A run of the graph that answers."""

    given: dict[str, Any]
    config: RunnableConfig
    context: Context
    graph: Any
    started: float


DURABILITY = "__pregel_durability"
"""Where a caller's `durability` is passed on; "sync" fails in a graph without checkpoints (LangGraph 1.2)."""


def inner_run(state: AssistantState, made: Choices) -> Inner:
    """What the inner graph is asked, and how; where a person approves first, nothing is run in it.

    A follow-up is not turned away as foreign: it leans on a question that this database answered.
    """
    changed = {"execution": False, "run_answer": False} if made.approve else {}
    context = narrowed(made.graph, made.settings)
    if state["question"] != state["said"] and hasattr(context, "abstain"):
        changed["abstain"] = False
    context = context.model_copy(update=changed)
    evidence = "\n".join(filter(None, [made.evidence, state.get("hint", "")]))
    given = {
        "question": state["question"],
        "database": state.get("database", ""),
        "evidence": evidence,
        "draft": state.get("draft", ""),
    }
    config: RunnableConfig = {**get_config(), "recursion_limit": recursion_limit(context)}
    config["tags"] = [*config.get("tags", []), "nostream"]
    config["configurable"] = {k: v for k, v in config.get("configurable", {}).items() if k != DURABILITY}
    graph = graph_of(made.graph).copy(update={"checkpointer": False})
    return Inner(given, config, context, graph, time.perf_counter())


def asked(state: AssistantState, inner: Inner, final: Any, made: Choices) -> AssistantUpdate:
    """The inner graph's answer as the conversation keeps it."""
    graph = str(inner.graph.name)
    answer = Answer.of(final, graph, time.perf_counter() - inner.started, [])
    document = answer.model_dump(mode="json", exclude={"events"})
    document["database"] = state.get("database", "") or document["database"]
    document["other"] = None
    said = final["messages"][-1].text if final.get("messages") else answer.in_words
    update: AssistantUpdate = {
        "answer": document,
        "text": said,
        "draft": "",
        "review": review_of(document, made),
    }
    return {**update, "last": document} if answer.sql else update


async def ask(state: AssistantState) -> AssistantUpdate:
    """Answer the question by the inner graph, its trace passed on as this graph's own.

    Raises:
        QuestionError, DatabaseError, ModelError: as the inner graph.
    """
    made, final = choices(), {}
    inner = inner_run(state, made)
    parts: AsyncIterator[Any] = inner.graph.astream(
        inner.given, inner.config, context=inner.context, stream_mode=["custom", "values"]
    )
    async for mode, part in parts:
        if mode == "custom":
            pass_on(part)
        else:
            final = part
    return asked(state, inner, final, made)


def ask_at_once(state: AssistantState) -> AssistantUpdate:
    """As `ask`, for a caller that is not asynchronous.

    Raises:
        QuestionError, DatabaseError, ModelError: as the inner graph.
    """
    made, final = choices(), {}
    inner = inner_run(state, made)
    parts: Iterator[Any] = inner.graph.stream(
        inner.given, inner.config, context=inner.context, stream_mode=["custom", "values"]
    )
    for mode, part in parts:
        if mode == "custom":
            pass_on(part)
        else:
            final = part
    return asked(state, inner, final, made)


def tell_problem(state: AssistantState, error: NodeError) -> Command[Literal["reply"]]:
    """A turn failed for a reason that the person can read: it says so, and the conversation goes on.

    Raises:
        BaseException: the failure itself where it is a defect, or where the run was cancelled.
    """
    kind = next((name for known, name in PROBLEMS.items() if isinstance(error.error, known)), None)
    if kind is None or isinstance(error.error, CallCancelledError):
        raise copy(error.error)
    message = sentence_of(error.error)
    said = {name: state.get(name, default) for name, default in UNSAID.items()}
    problem = {"kind": kind, "message": message}
    return Command(update={**said, "answer": None, "problem": problem, "text": plain(message)}, goto="reply")


def sentence_of(error: BaseException) -> str:
    """An error's message; of settings that may not be so, each with its own."""
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
    return str(error)


def review_of(answer: dict[str, Any], made: Choices) -> Review:
    """What a person is to be asked of an answer."""
    if not answer["sql"]:
        return "nothing"
    if made.approve:
        return "approve"
    return "clarify" if made.clarify and standing_pair(answer) else "nothing"


def route_after_ask(state: AssistantState) -> Literal["clarify", "approve", "reply"]:
    """To the node that asks the person, where there is anything to be asked."""
    review = state.get("review", "nothing")
    return "reply" if review == "nothing" else review


TOLD: dict[str, Any] = {"error_handler": handler(tell_problem)}
"""Arguments of `add_node`: what a user can cause becomes what the turn says."""

builder = StateGraph(
    AssistantState,
    input_schema=AssistantInput,
    output_schema=AssistantOutput,
    context_schema=AssistantContext,
)
builder.add_node("listen", threaded(listen, "listen"), **TOLD)
builder.add_node("router", desk(router), retry_policy=MODEL_RETRY, **TOLD)
builder.add_node("follow_up", desk(follow_up), retry_policy=MODEL_RETRY, **TOLD)
builder.add_node("ask", RunnableLambda(ask_at_once, afunc=ask, name="ask"), **TOLD)
builder.add_node("clarify", desk(clarify), **TOLD)
builder.add_node("approve", desk(approve), **TOLD)
builder.add_node("chart", threaded(chart, "chart"), **TOLD)
builder.add_edge("chart", "reply")
for part in (look, explain, check, run):
    builder.add_node(part.__name__, desk(part), **TOLD)
    builder.add_edge(part.__name__, "reply")
builder.add_node("reply", threaded(reply, "reply"))
builder.add_edge(START, "listen")
builder.add_conditional_edges("listen", route_after_listen)
builder.add_conditional_edges("router", route_after_router)
builder.add_edge("follow_up", "ask")
builder.add_conditional_edges("ask", route_after_ask)
builder.add_conditional_edges("clarify", route_after_review)
builder.add_conditional_edges("approve", route_after_review)
builder.add_edge("reply", END)

graph = builder.compile(name="assistant", transformers=[TraceOnEventStream])
