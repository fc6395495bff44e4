"""Settings of this machine, read from the environment in one place: folders, endpoints, keys."""

import os
from functools import cache
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path, user_data_path
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from critiql.tools.exceptions import USAGE, CritiqlError
from critiql.tools.hiding import know_secret

ENV_FILE = "CRITIQL_ENV_FILE"
"""Environment variable that names a file of further settings, as lines `NAME=value`."""
LOOKED_AT = 100_000
"""Bytes of a `.env` that are looked at."""


class SettingsError(CritiqlError):
    """A setting of the machine cannot be read. The message says which, why, and what to do."""

    exit_code = USAGE


class Settings(BaseSettings):
    """What belongs to the machine rather than to a question: `CRITIQL_<NAME>` in the environment.

    A folder's `.env` could send the key to somebody's endpoint, so no file is read but the one that
    `CRITIQL_ENV_FILE` names.
    """

    model_config = SettingsConfigDict(env_prefix="CRITIQL_", extra="ignore", use_attribute_docstrings=True)

    data: Path | None = None
    """Folder with benchmark data; what needs it says so and is skipped when this is not set."""
    models: Path = Field(default_factory=lambda: user_data_path("critiql") / "models")
    """The local store of GGUF files."""
    memory: Path = Field(default_factory=lambda: user_data_path("critiql") / "verified")
    """Folder of the questions that people have verified, one file each; it may be under version control."""
    cache: Path = Field(default_factory=lambda: user_cache_path("critiql"))
    """Prefix states, value indexes and other files that can be made again."""
    cache_gigabytes: float = Field(default=2.0, ge=0)
    """Bound on the prefix states kept on disk; the least recently used go first."""
    threads: int | None = Field(default=None, ge=1)
    """Threads of the local runtime; None means the physical cores."""

    otel: bool = False
    """Send OpenTelemetry spans; needs the extra `otel` (docs/DOORS.md)."""
    prices: Path | None = None
    """File of prices, as JSON, over those that come with Critiql (docs/MODELS.md)."""

    @field_validator("data", "models", "memory", "cache", "prices")
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
        SettingsError: one is not what it may be, or the file that CRITIQL_ENV_FILE names cannot be read.
    """
    file = os.environ.get(ENV_FILE, "")
    try:
        given: dict[str, Any] = {"_env_file": _readable(file) if file else None}
        found = Settings(**given)
    except ValidationError as error:
        wrong = "; ".join(f"CRITIQL_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        beside = f", or in {Path(file).absolute()}" if file else ""
        raise SettingsError(f"{wrong}. Change it in the environment{beside}.") from error
    except (OSError, ValueError) as error:
        msg = f"{Path(file).absolute()} cannot be read: {error}. Change {ENV_FILE}, or the file."
        raise SettingsError(msg) from error
    know_secret(found.openai_api_key.get_secret_value() if found.openai_api_key else None)
    return found


def _readable(file: str) -> Path:
    """The file of that name.

    Raises:
        OSError: there is none that could be read; the settings library would pass over it.
    """
    with Path(file).open("rb"):
        return Path(file)


def unread_env_file() -> str:
    """What to say where a `.env` of this folder holds settings of ours and is not read; empty: nothing."""
    here = Path(".env")
    try:
        if not here.is_file():
            return ""
        with here.open("rb") as file:
            holds_ours = b"CRITIQL_" in file.read(LOOKED_AT).upper()
    except OSError:
        return ""
    if not holds_ours or os.environ.get(ENV_FILE):
        return ""
    return f"The settings in {here.absolute()} are not read. If they are yours: export {ENV_FILE}=.env"
