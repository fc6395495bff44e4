"""A LoRA adapter in a GGUF of its own: how a model is named with one, and what identifies the two."""

from hashlib import sha256
from pathlib import Path

from critiql.tools.models.files.hashes import file_sha256
from critiql.tools.models.files.hub_name import is_hub_name
from critiql.tools.models.model import ModelError

JOIN = "+"
"""Between a model's name and its adapter's file: `qwen2.5-coder-1.5b-instruct+detector.gguf`."""


def split_adapter(name: str) -> tuple[str, Path | None]:
    """A model's name and its adapter, if it names one.

    A plus sign in the path of a plain model is no seam: what stands before a seam is itself a model, so
    either no path or one that ends with `.gguf`.
    """
    before, seam, after = name.rpartition(JOIN)
    is_model = before.lower().endswith(".gguf") or "/" not in before or is_hub_name(before)
    if seam and before and is_model and after.lower().endswith(".gguf"):
        return before, Path(after).expanduser()
    return name, None


def joined_sha256(model: str, adapter: Path | None) -> str:
    """What identifies a model with its adapter: the model's own hash where there is none.

    Raises:
        ModelError: there is no such adapter, or it cannot be read.
    """
    if adapter is None:
        return model
    try:
        return sha256((model + file_sha256(adapter)).encode()).hexdigest()
    except OSError as error:
        raise ModelError(f"The adapter {adapter} cannot be read: {error.strerror or error}.") from error
