"""A LoRA adapter in a GGUF of its own: how a model is named with one, and what identifies the two."""

from hashlib import sha256
from pathlib import Path

from critiql.tools.models.files.hashes import file_sha256
from critiql.tools.models.files.hub_name import is_hub_name
from critiql.tools.models.files.registry import AdapterRecord, registry
from critiql.tools.models.model import ModelError

JOIN = "+"
"""Between a model's name and its adapter's file or role: `qwen2.5-coder-1.5b-instruct+detector.gguf`."""

SHIPPED = Path(__file__).parents[1] / "files" / "shipped"
"""Where the adapters lie that come with Critiql."""


def split_adapter(name: str) -> tuple[str, Path | None]:
    """A model's name and its adapter, if it names one.

    A plus sign in the path of a plain model is no seam: what stands before a seam is itself a model, so
    either no path or one that ends with `.gguf`. What stands after it is a file, or the role of an adapter
    that comes with Critiql.
    """
    before, seam, after = name.rpartition(JOIN)
    shipped = _shipped(before, after) if seam else None
    if shipped is not None:
        return before, SHIPPED / shipped.file
    is_model = before.lower().endswith(".gguf") or "/" not in before or is_hub_name(before)
    if seam and before and is_model and after.lower().endswith(".gguf"):
        return before, Path(after).expanduser()
    return name, None


def joined_sha256(model: str, adapter: Path | None) -> str:
    """What identifies a model with its adapter: the model's own hash where there is none.

    Raises:
        ModelError: there is no such adapter, or it cannot be read.
    """
    return model if adapter is None else sha256((model + _file_sha256(adapter)).encode()).hexdigest()


def verify_shipped(name: str) -> None:
    """Check an adapter that comes with Critiql against the registry; any other is somebody's own.

    Raises:
        ModelError: it is missing or differs.
    """
    base, _, role = name.rpartition(JOIN)
    record = _shipped(base, role)
    if record is not None and _file_sha256(SHIPPED / record.file) != record.sha256:
        raise ModelError(f"The adapter {SHIPPED / record.file} is damaged. Install critiql again.")


def _shipped(name: str, role: str) -> AdapterRecord | None:
    """What the registry says of the adapter of a model's role."""
    model = registry().find(name)
    return model.adapter_for(role) if model else None


def _file_sha256(adapter: Path) -> str:
    try:
        return file_sha256(adapter)
    except OSError as error:
        raise ModelError(f"The adapter {adapter} cannot be read: {error.strerror or error}.") from error
