"""The OpenAI chat protocol, for front-ends that know no other: models, and chat completions with streaming.

Progress goes out as `reasoning_content`, which chat front-ends fold away as thinking. Earlier turns go to the
rewriter. Nobody can be asked back here: where two readings stand, the answer names the other one.
https://platform.openai.com/docs/api-reference/chat
"""

import json
import time
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from pydantic import BaseModel, ConfigDict
from starlette.responses import StreamingResponse

from critiql.agent.own_task import in_own_task
from critiql.agent.wording.progress import said_of
from critiql.agent.wording.sentence import plain
from critiql.graphs.assistant import graph
from critiql.server import library
from critiql.server.auth import error_body
from critiql.server.failures import TOLD, TurnError, told_of
from critiql.server.leaving import unless_left
from critiql.tools.served import served

router = APIRouter(prefix="/v1")

OWNER = "critiql"
DECLINED = "No title."
"""Said to requests for titles, tags and the like, which are not about the database."""
TASK_MARKS = ("### Task:", "### Guidelines:")
"""How Open WebUI begins a request of its own, for a title, tags or follow-up questions."""
STEPS = 200
"""Steps of the conversation's graph; the inner one has a limit of its own."""


class Said(BaseModel):
    """One message of a chat."""

    model_config = ConfigDict(extra="ignore")

    role: str
    content: str | list[dict[str, Any]] | None = None

    @property
    def text(self) -> str:
        """Its text; of parts, those that are text."""
        if isinstance(self.content, list):
            return "\n".join(str(part.get("text", "")) for part in self.content if part.get("type") == "text")
        return self.content or ""


class StreamOptions(BaseModel):
    """What a stream tells beside the text."""

    model_config = ConfigDict(extra="ignore")

    include_usage: bool = False


class ChatRequest(BaseModel):
    """A request for a chat completion; what a database needs no telling of is ignored."""

    model_config = ConfigDict(extra="ignore")

    model: str = ""
    messages: list[Said]
    stream: bool = False
    stream_options: StreamOptions | None = None
    metadata: dict[str, Any] | None = None


class Piece(NamedTuple):
    """A piece of an answer."""

    thought: str = ""
    text: str = ""
    usage: dict[str, Any] | None = None


@router.get("/models")
def models() -> dict[str, Any]:
    """The databases, each as a model."""
    names = list(offered.databases) if (offered := served()) else ["database"]
    data = [{"id": name_of_model(name), "object": "model", "created": 0, "owned_by": OWNER} for name in names]
    return {"object": "list", "data": data}


@router.post("/chat/completions")
async def complete(request: ChatRequest, http: Request) -> Response:
    """Answer the last message of a chat."""
    made = Reply(f"chatcmpl-{uuid.uuid4().hex}", int(time.time()), request.model or name_of_model(""))
    pieces = declined() if is_task(request) else answering(request)
    if request.stream:
        asks_usage = bool(request.stream_options and request.stream_options.include_usage)
        return StreamingResponse(
            made.stream(pieces, asks_usage),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
    return await unless_left(http, made.whole(pieces))


class Reply(NamedTuple):
    """An answer in the form of the protocol."""

    id: str
    created: int
    model: str

    async def whole(self, pieces: AsyncGenerator[Piece, None]) -> Response:
        """All of it at once.

        Raises:
            QuestionError, DatabaseError, ModelError: as the graph; the application tells the client.
        """
        thought, text, usage = "", "", no_usage()
        async with aclosing(pieces) as items:
            async for piece in items:
                thought += piece.thought
                text += piece.text
                usage = piece.usage or usage
        message = {"role": "assistant", "content": text, "reasoning_content": thought or None}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        body = {**self._head("chat.completion"), "choices": [choice], "usage": usage}
        return Response(json.dumps(body), media_type="application/json")

    async def stream(
        self, pieces: AsyncGenerator[Piece, None], asks_usage: bool
    ) -> AsyncGenerator[str, None]:
        """Piece by piece; a client that leaves closes this, and so the run."""
        usage = no_usage()
        yield self._chunk({"role": "assistant", "content": ""})
        try:
            async with aclosing(pieces) as items:
                async for piece in items:
                    usage = piece.usage or usage
                    if piece.thought:
                        yield self._chunk({"reasoning_content": piece.thought})
                    if piece.text:
                        yield self._chunk({"content": piece.text})
        except TOLD as error:
            told = told_of(error)
            yield data(error_body(told.status, told.kind, told.message))
            return
        yield self._chunk({}, "stop")
        if asks_usage:
            yield data({**self._head("chat.completion.chunk"), "choices": [], "usage": usage})
        yield "data: [DONE]\n\n"

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return data({**self._head("chat.completion.chunk"), "choices": [choice]})

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


async def answering(request: ChatRequest) -> AsyncGenerator[Piece, None]:
    """The conversation's graph, as pieces of an answer.

    Raises:
        QuestionError, DatabaseError, ModelError: as the graph.
    """
    messages = conversation(request.messages)
    given: Any = {
        "messages": messages[-1:],
        "turns": turns_of(messages[:-1]),
        "database": database_of(request),
    }
    context: Any = {"clarify": False}
    final: dict[str, Any] = {}
    modes: Any = ["custom", "values"]
    config: Any = {"recursion_limit": STEPS}
    mode: str
    part: Any
    found = graph.astream(given, config, context=context, stream_mode=modes)
    async with aclosing(in_own_task(found)) as parts:
        async for mode, part in parts:
            if mode == "values":
                final = part
            elif thought := said_of(part):
                yield Piece(thought=f"{plain(thought)}\n")  # front-ends read it as Markdown
    if final.get("problem"):
        raise TurnError(final["problem"]["kind"], final["problem"]["message"])
    yield Piece(text=final["messages"][-1].text, usage=usage_of(final))


async def declined() -> AsyncGenerator[Piece, None]:
    """The answer to a request that is no question about the database; no model is asked."""
    yield Piece(text=DECLINED)


def is_task(request: ChatRequest) -> bool:
    """Whether a front-end asks for a title, tags or the like instead of passing a person's message on."""
    if (request.metadata or {}).get("task"):
        return True
    first = request.messages[0].text if request.messages else ""
    return first.lstrip().startswith(TASK_MARKS)


def conversation(said: Sequence[Said]) -> list[AnyMessage]:
    """The chat up to the last message by a person; system messages tell a database nothing."""
    messages: list[AnyMessage] = []
    for one in said:
        if one.role == "user":
            messages.append(HumanMessage(one.text))
        elif one.role == "assistant":
            messages.append(AIMessage(one.text))
    while messages and messages[-1].type != "human":
        messages.pop()
    return messages


def turns_of(earlier: Sequence[AnyMessage]) -> list[dict[str, Any]]:
    """Earlier messages as turns of a conversation, as far as they can be known from its text."""
    return [
        {
            "said": text,
            "question": understood(text, after),
            "tool": "ask",
            "text": "",
            "answer": None,
            "chart": None,
        }
        for text, after in paired(earlier)
    ]


def paired(messages: Sequence[AnyMessage]) -> list[tuple[str, str]]:
    """Each message of a person with what was answered."""
    places = [place for place, message in enumerate(messages) if message.type == "human"]
    following = [messages[place + 1] if place + 1 < len(messages) else None for place in places]
    return [
        (str(messages[place].text), str(after.text) if after is not None and after.type == "ai" else "")
        for place, after in zip(places, following, strict=True)
    ]


def understood(said: str, answered: str) -> str:
    """The question as it was understood, which the answer begins with where it was not the one typed."""
    first, _, _ = answered.partition("\n")
    return first.removeprefix("Understood as: ") if first.startswith("Understood as: ") else said


def database_of(request: ChatRequest) -> str:
    """The database that the model's name stands for; the first where it stands for none."""
    name = request.model.removeprefix(f"{OWNER}/")
    offered = served()
    return name if offered and name in offered.databases else library.default_database()


def name_of_model(database: str) -> str:
    """The model's name that stands for a database."""
    return f"{OWNER}/{database or library.default_database() or 'database'}"


def usage_of(final: dict[str, Any]) -> dict[str, Any]:
    """What the models of a turn read and wrote."""
    answer = final.get("answer") or {}
    calls = [*final.get("calls", []), *answer.get("calls", [])]
    read, wrote = sum(c["prompt_tokens"] for c in calls), sum(c["generated_tokens"] for c in calls)
    cached = sum(c["cached_tokens"] for c in calls)
    return {
        **no_usage(),
        "prompt_tokens": read,
        "completion_tokens": wrote,
        "total_tokens": read + wrote,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def no_usage() -> dict[str, Any]:
    """Nothing was read or written."""
    return {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def data(body: dict[str, Any]) -> str:
    """One server-sent event of the protocol."""
    return f"data: {json.dumps(body)}\n\n"  # ASCII: some clients end a line at U+2028
