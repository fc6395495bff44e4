"""What a statement gives back: rows, or a typed error. Both are data; neither is raised."""

from dataclasses import dataclass
from typing import Literal

Value = None | int | float | str | bytes
"""One cell. A blob stays bytes; text that is not valid UTF-8 arrives with replacement characters."""

ErrorKind = Literal[
    "syntax",
    "no_such_table",
    "no_such_column",
    "ambiguous_column",
    "no_such_function",
    "misuse",
    "type",
    "denied",
    "timeout",
    "memory",
    "too_large",
    "several_statements",
    "empty",
    "locked",
    "busy",
    "cancelled",
    "connection",
    "worker_died",
    "other",
]
"""Why a statement gave no rows. `denied` is the sandbox, `misuse` an aggregate or window in the wrong place,
`too_large` a statement or value over a length limit, `busy` a statement
that found no free worker in its time, `worker_died` a killed or crashed worker."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps on one statement. What they cut is visible in the result."""

    seconds: float = 5.0
    """Wall-clock time, planning included."""
    rows: int = 1000
    """Rows that come back; one more is fetched to know whether there were more."""
    total_bytes: int = 4_000_000
    """Size of all cells together, text counted in UTF-8 bytes."""
    cell_bytes: int = 100_000
    """Size of one text or blob cell; a longer one is cut."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a statement that ran."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    """Declared type per column where the engine knows one, else an empty string."""
    rows: tuple[tuple[Value, ...], ...]
    truncated: bool
    """True when a cap cut rows or cells."""
    seconds: float

    ok: Literal[True] = True


@dataclass(frozen=True, slots=True)
class Failure:
    """A statement that gave no rows, and why."""

    kind: ErrorKind
    message: str
    """The engine's own sentence, or the sandbox's."""
    seconds: float
    name: str | None = None
    """The table, column or function the error is about, as the statement spelt it."""

    ok: Literal[False] = False


Result = Rows | Failure
