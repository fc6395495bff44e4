"""The local runtime as a LangChain chat model, with native async, usage and log-probabilities."""

import asyncio
import contextvars
import json
from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.chat_models import agenerate_from_stream, generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_json_schema
from llama_cpp.llama_grammar import json_schema_to_gbnf
from pydantic import BaseModel, ConfigDict

from critiql.tools.models.cancel import cancellable
from critiql.tools.models.local.adapter import joined_sha256
from critiql.tools.models.local.chat_format import Message, Segment, render, tokenise
from critiql.tools.models.local.runtime import LlamaRuntime, Tokens, Written
from critiql.tools.models.model import Sampling

_ROLES = {"system": "system", "human": "user", "ai": "assistant", "tool": "user", "function": "user"}


class ChatLlama(BaseChatModel):
    """A GGUF model in this process. A last message from the assistant is continued rather than answered."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    runtime: LlamaRuntime
    model_name: str
    template: str | None = None
    """Jinja chat template or the name of one; by default the one in the GGUF."""
    adapter: Path | None = None
    """A LoRA adapter that acts after the system message, whose state stays the model's own."""
    sampling: Sampling = Sampling()
    """How tokens are drawn; a call may say otherwise with an argument `sampling` of its own."""
    logprobs: bool = False
    """Whether `response_metadata["logprobs"]` tells the log-probability of each token; also an argument."""

    @property
    def _llm_type(self) -> str:
        return "critiql-llama"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": self.model_name, "sha256": self.sha256}

    @property
    def sha256(self) -> str:
        """What identifies the model with its adapter."""
        return joined_sha256(self.runtime.sha256, self.adapter)

    def tokens(self, messages: Sequence[BaseMessage]) -> Tokens:
        """The prompt these messages make; its prefix ends with the system message."""
        turns = [Message(_ROLES.get(message.type, "user"), message.text) for message in messages]
        opening = turns.pop().text if len(turns) > 1 and turns[-1].role == "assistant" else ""
        segments = [*render(self.runtime.weights, turns, self.template), Segment(opening, False)]
        seam = 2 if turns[0].role == "system" else 0
        weights = self.runtime.weights
        return Tokens(
            tokenise(weights, segments[:seam], begin=True),
            tokenise(weights, segments[seam:], begin=seam == 0),
            self.adapter,
        )

    def with_structured_output(
        self, schema: dict[str, Any] | type, *, include_raw: bool = False, **_: Any
    ) -> Runnable[LanguageModelInput, Any]:
        """A model whose answers follow a schema, held to it by a grammar while they are drawn.

        Args:
            schema: a pydantic class, whose instances come back, or a JSON schema for plain data.
            include_raw: not supported.
        """
        if include_raw:
            raise NotImplementedError("ChatLlama gives the parsed answer only.")
        grammar = json_schema_to_gbnf(json.dumps(convert_to_json_schema(schema)))
        held = self.bind(sampling=replace(self.sampling, grammar=grammar))
        if isinstance(schema, type) and issubclass(schema, BaseModel):
            return held | PydanticOutputParser(pydantic_object=schema)
        return held | JsonOutputParser()

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 (the caller reports the tokens)
        *,
        sampling: Sampling | None = None,
        logprobs: bool | None = None,
        **_: Any,
    ) -> Iterator[ChatGenerationChunk]:
        how = _with_stop(sampling or self.sampling, stop)
        with closing(self.runtime.stream(self.tokens(messages), how)) as pieces:
            written = yield from _text_chunks(pieces)
        asked = self.logprobs if logprobs is None else logprobs
        yield _last_chunk(written, {"model_name": self.model_name} | (_logprobs(written) if asked else {}))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002 (as in _stream)
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        async for chunk in _in_thread(self._stream(messages, stop, **kwargs)):
            yield chunk

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, stop, run_manager, **kwargs))


def _with_stop(sampling: Sampling, stop: Sequence[str] | None) -> Sampling:
    return replace(sampling, stop=(*sampling.stop, *stop)) if stop else sampling


def _text_chunks(
    pieces: Generator[str, None, Written],
) -> Generator[ChatGenerationChunk, None, Written]:
    while True:
        try:
            piece = next(pieces)
        except StopIteration as end:
            written: Written = end.value
            return written
        yield ChatGenerationChunk(message=AIMessageChunk(content=piece))


def _logprobs(written: Written) -> dict[str, Any]:
    """In the shape OpenAI gives them."""
    return {
        "logprobs": {"content": [{"token": token.text, "logprob": token.logprob} for token in written.tokens]}
    }


def _last_chunk(written: Written, metadata: dict[str, Any]) -> ChatGenerationChunk:
    """An empty chunk that says how the answer ended and what it cost."""
    generation, usage = written.generation, written.generation.usage
    return ChatGenerationChunk(
        message=AIMessageChunk(
            content="",
            chunk_position="last",
            usage_metadata=UsageMetadata(
                input_tokens=usage.prompt_tokens,
                output_tokens=usage.generated_tokens,
                total_tokens=usage.prompt_tokens + usage.generated_tokens,
                input_token_details={"cache_read": usage.cached_tokens},
            ),
            response_metadata={
                **metadata,
                "finish_reason": generation.finish_reason,
                "logprob": generation.logprob,
                "seconds": usage.seconds,
            },
        )
    )


async def _in_thread(chunks: Iterator[ChatGenerationChunk]) -> AsyncIterator[ChatGenerationChunk]:
    """Run an iterator in a thread of its own; leaving early cancels the model call in it."""
    loop, queue, left = asyncio.get_running_loop(), asyncio.Queue[ChatGenerationChunk | None](), Event()

    def work() -> None:
        try:
            with cancellable(left):
                for chunk in chunks:
                    loop.call_soon_threadsafe(queue.put_nowait, chunk)
        finally:
            loop.call_soon_threadsafe(queue.put_nowait, None)

    working = loop.run_in_executor(None, contextvars.copy_context().run, work)
    try:
        while (chunk := await queue.get()) is not None:
            yield chunk
    finally:
        left.set()
        await asyncio.wait([working])
        failure = working.exception()
    if failure is not None:
        raise failure
