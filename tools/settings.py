"""Settings of this machine, read from the environment in one place: folders, endpoints, keys."""

from functools import cache
from pathlib import Path

from platformdirs import user_cache_path, user_data_path
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsError(Exception):
    """A setting of the machine cannot be read. The message says which, why, and what to do."""


class Settings(BaseSettings):
    """What belongs to the machine rather than to a question: `CRITIQL_<NAME>` in the environment."""

    model_config = SettingsConfigDict(
        env_prefix="CRITIQL_", env_file=".env", extra="ignore", use_attribute_docstrings=True
    )

    data: Path | None = None
    """Folder with benchmark data; what needs it says so and is skipped when this is not set."""
    models: Path = Field(default_factory=lambda: user_data_path("critiql") / "models")
    """The local store of GGUF files."""
    cache: Path = Field(default_factory=lambda: user_cache_path("critiql"))
    """Prefix states, value indexes and other files that can be made again."""
    cache_gigabytes: float = Field(default=2.0, ge=0)
    """Bound on the prefix states kept on disk; the least recently used go first."""
    threads: int | None = Field(default=None, ge=1)
    """Threads of the local runtime; None means the physical cores."""

    @field_validator("data", "models", "cache")
    @classmethod
    def _nameable(cls, path: Path | None) -> Path | None:
        """A name that no file can have would raise at every look-up."""
        if path is not None and (max(map(len, path.parts), default=0) > 255 or len(str(path)) > 4000):
            msg = "the name is longer than a file's can be"
            raise ValueError(msg)
        return path

    openai_base_url: str | None = None
    """Endpoint of `openai:NAME` models that do not name their own (`openai:NAME@URL`)."""
    openai_api_key: SecretStr | None = None
    """Key of that endpoint."""
    served: str = ""
    """What a server started by `critiql serve` offers, as JSON; set by that command alone."""


@cache
def settings() -> Settings:
    """The settings, read once; `settings.cache_clear()` reads them again.

    Raises:
        SettingsError: one is not what it may be, or the `.env` file here cannot be read.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(f"CRITIQL_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        msg = f"{wrong}. Change it in the environment, or in {Path('.env').absolute()}."
        raise SettingsError(msg) from error
    except (OSError, ValueError) as error:
        msg = f"{Path('.env').absolute()} cannot be read: {error}. Change or remove it."
        raise SettingsError(msg) from error
