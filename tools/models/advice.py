"""Which local model fits a machine: by the memory it needs, and by how long an answer would take."""

import time
from collections.abc import Sequence
from typing import NamedTuple

from critiql.tools.models.factory import load_model
from critiql.tools.models.files import store
from critiql.tools.models.files.registry import ModelRecord, registry
from critiql.tools.models.model import Prompt, Sampling

WRITES_SQL = 400_000_000
"""Bytes below which no model writes SQL that is worth reading."""
BESIDE = 1_000_000_000
"""Bytes beside the weights: the program, and what is kept of a prompt."""
PROMPT, QUERY = 600, 50
"""Tokens of a common prompt that was not read before, and of a query."""
PATIENCE = 60.0
"""Seconds that a first answer may take."""
TABLES = "\n".join(
    f"CREATE TABLE part_{n} (id INTEGER, name TEXT, price REAL, maker INTEGER);" for n in range(8)
)


class Speed(NamedTuple):
    """What a model did in a short test."""

    model: str
    size: int
    """Bytes of its file."""
    load_seconds: float
    reading: float
    """Tokens of a prompt a second."""
    writing: float
    """Tokens of an answer a second."""


class Fit(NamedTuple):
    """How a model suits this machine."""

    model: str
    size: int
    here: bool
    enough_memory: bool | None
    """None where the system does not tell how much there is."""
    seconds: float | None
    """About how long a first answer takes, from the speed of the tested model; None where none was tested."""

    @property
    def fits(self) -> bool:
        """Whether nothing speaks against it."""
        return self.enough_memory is not False and (self.seconds is None or self.seconds <= PATIENCE)


def here() -> list[ModelRecord]:
    """The models with a name whose file is here and of the right length, the largest first."""
    found = [record for record in registry().models if is_here(record)]
    return sorted(found, key=lambda record: record.size, reverse=True)


def is_here(record: ModelRecord) -> bool:
    """Whether its file lies in the store, whole by its length."""
    file = store.stored_file(record)
    return file.is_file() and file.stat().st_size == record.size


def measure(name: str) -> Speed:
    """Load a model, let it read a short schema and write a few words.

    Raises:
        ModelError: it cannot be loaded.
    """
    started = time.perf_counter()
    model = load_model(name)
    loaded = time.perf_counter()
    prompt = Prompt(f"Test {time.time_ns()}. This is the database:\n\n{TABLES}", "Is that so? True or False.")
    read = model.choose(prompt, (("True",), ("False",))).usage
    wrote = model.generate(prompt, Sampling(max_tokens=24)).usage
    return Speed(
        name,
        registry().get(name).size,
        loaded - started,
        (read.prompt_tokens - read.cached_tokens) / max(read.seconds, 1e-6),
        wrote.generated_tokens / max(wrote.seconds, 1e-6),
    )


def fits(memory: int | None, speed: Speed | None) -> list[Fit]:
    """How each model that writes SQL suits this machine, the largest first.

    Args:
        memory: bytes that are free; None where unknown.
        speed: of one model; a model of twice its size is taken to need twice the time.
    """
    records = sorted(registry().models, key=lambda record: record.size, reverse=True)
    return [_fit(record, memory, speed) for record in records if record.size >= WRITES_SQL]


def best(found: Sequence[Fit]) -> Fit | None:
    """The largest model that fits; None where none does."""
    return next((one for one in found if one.fits), None)


def _fit(record: ModelRecord, memory: int | None, speed: Speed | None) -> Fit:
    enough = None if memory is None else record.size + BESIDE <= memory
    seconds = None
    if speed is not None:
        seconds = (PROMPT / speed.reading + QUERY / speed.writing) * record.size / speed.size
    return Fit(record.name, record.size, is_here(record), enough, seconds)
