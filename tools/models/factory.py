"""From a model's name to a model that answers, loaded once a process and only when asked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, NamedTuple

from critiql.tools.hiding import hide_secrets
from critiql.tools.models.files.hashes import file_sha256
from critiql.tools.models.files.registry import registry
from critiql.tools.models.files.store import resolve
from critiql.tools.models.given import given_model
from critiql.tools.models.journal import with_journal
from critiql.tools.models.local.adapter import joined_sha256, split_adapter, verify_shipped
from critiql.tools.models.local.after_prefix import acts_after_prefix
from critiql.tools.models.model import LanguageModel

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from critiql.tools.models.local.runtime import LlamaRuntime

HOSTED = "openai:"
"""What the name of a hosted model begins with."""

_loading = RLock()
_models: dict[str, LanguageModel] = {}
_runtimes: "dict[tuple[Path, Path | None], LlamaRuntime]" = {}


def load_model(spec: str) -> LanguageModel:
    """The model a name stands for; loaded once.

    Args:
        spec: a registered name, `hf:OWNER/NAME[:QUANT]` or the path of a .gguf file, each with
            `+ADAPTER.gguf` for a LoRA adapter over it, or a registered name `+ROLE` for the one that comes
            with Critiql, or `openai:NAME[@URL]`.

    Raises:
        ModelError: there is no such model, or it cannot be loaded; the message says what to do.
    """
    given = given_model(spec)
    if given is not None:
        return with_journal(given)
    with _loading:
        if spec not in _models:
            _models[spec] = make_model(spec)
        return with_journal(_models[spec])


def make_model(spec: str) -> LanguageModel:
    """The model itself, also while `use_model` lets its name stand for another; a GGUF is loaded only once.

    Raises:
        ModelError: as `load_model`.
    """
    with _loading:
        return _hosted(spec) if spec.startswith(HOSTED) else _local(spec)


def from_chat_model(name: str, chat: "BaseChatModel") -> LanguageModel:
    """A chat model of LangChain as a language model; one of OpenAI's kind also gives log-probabilities."""
    if any(kind.__module__.startswith("langchain_openai.") for kind in type(chat).__mro__):
        from critiql.tools.models.hosted import HostedModel

        return HostedModel(name, chat)
    from critiql.tools.models.chat_model import ChatModel

    return ChatModel(name, chat)


def fingerprint_of(spec: str) -> str:
    """What the model's `fingerprint` is, told without loading it.

    Raises:
        ModelError: there is no such model.
        OSError: its file cannot be read.
    """
    with _loading:
        known = given_model(spec) or _models.get(spec)
    if known is not None:
        return known.fingerprint
    return hide_secrets(spec) if spec.startswith(HOSTED) else _sha256(spec)[:12]


@contextmanager
def use_model(spec: str, model: LanguageModel) -> Iterator[LanguageModel]:
    """Let a name stand for a prepared model in this block, everywhere in the process."""
    with _loading:
        before = _models.get(spec)
        _models[spec] = model
    try:
        yield model
    finally:
        with _loading:
            _models.pop(spec, None)
            if before is not None:
                _models[spec] = before


def _local(spec: str) -> LanguageModel:
    from critiql.tools.models.local.model import LocalModel

    base, adapter = split_adapter(spec)
    verify_shipped(spec)
    path, over = resolve(base).resolve(), adapter.resolve() if adapter else None
    after = over if over is not None and acts_after_prefix(over) else None
    runtime = _runtime(path, over if after is None else None)
    record = registry().find(base)
    return LocalModel(spec, runtime, record.chat_template if record else None, after)


def _runtime(path: Path, adapter: Path | None) -> "LlamaRuntime":
    """One runtime a file and adapter, however many names it goes by."""
    from critiql.tools.models.local.runtime import LlamaRuntime

    if (path, adapter) not in _runtimes:
        _runtimes[path, adapter] = LlamaRuntime(path, adapter=adapter)
    return _runtimes[path, adapter]


def _sha256(spec: str) -> str:
    base, adapter = split_adapter(spec)
    return joined_sha256(file_sha256(resolve(base)), adapter)


def _hosted(spec: str) -> LanguageModel:
    from critiql.tools.models.hosted import HostedModel

    return HostedModel.from_spec(spec)


class Activity(NamedTuple):
    """What a model is doing; None is unknown."""

    loaded: bool | None
    busy: bool | None
    """Whether a call holds it just now."""
    tokens_per_second: float | None
    """Of its last call: tokens read anew and written."""


def activity_of(spec: str) -> Activity:
    """What the model of that name is doing; of a hosted one nothing is known."""
    if spec.startswith(HOSTED):
        return Activity(None, None, None)
    with _loading:
        model = _models.get(spec)
    runtime: LlamaRuntime | None = getattr(model, "runtime", None)
    if runtime is None:
        return Activity(model is not None, None if model else False, None)
    return Activity(loaded=True, busy=runtime.is_busy, tokens_per_second=runtime.tokens_per_second)
