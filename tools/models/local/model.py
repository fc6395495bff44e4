"""A local model as the roles see it: three-part prompts over the chat model and the runtime."""

from collections.abc import Callable, Sequence
from pathlib import Path

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage

from critiql.tools.models.local.chat import ChatLlama
from critiql.tools.models.local.runtime import LlamaRuntime
from critiql.tools.models.model import ChoiceReading, Generation, HiddenState, Prompt, Sampling, Usage


class LocalModel:
    """Fills `LanguageModel` with a GGUF in this process.

    Text is written through the LangChain chat model, so that tokens show in LangGraph's message stream.
    """

    def __init__(
        self, name: str, runtime: LlamaRuntime, template: str | None = None, adapter: Path | None = None
    ) -> None:
        """Over a runtime that others may share.

        Args:
            name: what it was asked for by.
            runtime: the loaded model.
            template: see `ChatLlama`.
            adapter: one that acts after the prefix; see `acts_after_prefix`.

        Raises:
            ModelError: the adapter is missing, damaged, or made for another model.
        """
        if adapter is not None:
            runtime.load_adapter(adapter)
        self.runtime = runtime
        self.chat = ChatLlama(runtime=runtime, model_name=name, template=template, adapter=adapter)

    @property
    def name(self) -> str:
        """The name it was asked for by."""
        return self.chat.model_name

    @property
    def fingerprint(self) -> str:
        """First 12 hex digits of the file's SHA-256; with an adapter, of both."""
        return self.chat.sha256[:12]

    def generate(
        self, prompt: Prompt, sampling: Sampling, on_text: Callable[[str], None] | None = None
    ) -> Generation:
        """Write a continuation; see `LanguageModel.generate`."""
        whole = AIMessageChunk(content="")
        for chunk in self.chat.stream(as_messages(prompt), sampling=sampling):
            whole += chunk
            if on_text is not None and chunk.text:
                on_text(chunk.text)
        return _generation(whole)

    def choose(self, prompt: Prompt, choices: Sequence[Sequence[str]]) -> ChoiceReading:
        """Read how likely each choice is to come next; see `LanguageModel.choose`."""
        return self.runtime.choose(self.chat.tokens(as_messages(prompt)), choices)

    def hidden_state(self, prompt: Prompt) -> HiddenState:
        """Final-layer state of the prompt's last token.

        Raises:
            ModelError: the model failed, or the call was cancelled.
        """
        return self.runtime.hidden_state(self.chat.tokens(as_messages(prompt)))

    def count_tokens(self, text: str) -> int:
        """Tokens of the text, special tokens not added."""
        return self.runtime.count_tokens(text)


def as_messages(prompt: Prompt) -> list[BaseMessage]:
    """The chat a prompt stands for."""
    messages: list[BaseMessage] = [SystemMessage(prompt.prefix), HumanMessage(prompt.request)]
    return [*messages, AIMessage(prompt.opening)] if prompt.opening else messages


def _generation(message: AIMessageChunk) -> Generation:
    details, told = message.usage_metadata, message.response_metadata
    assert details is not None
    usage = Usage(
        prompt_tokens=details["input_tokens"],
        cached_tokens=details.get("input_token_details", {}).get("cache_read", 0),
        generated_tokens=details["output_tokens"],
        seconds=told["seconds"],
    )
    return Generation(message.text, told["finish_reason"], told["logprob"], usage)
