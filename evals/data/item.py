"""One question of a benchmark, whatever data set it came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Metric = Literal["spider", "bird", "everyday"]
"""What makes an answer right: Spider's bags of rows, BIRD's sets, or bags with numbers to two decimals."""


@dataclass(frozen=True, slots=True)
class Item:
    """A question on one database, with the SQL that answers it."""

    dataset: str
    """Name of the data set, `spider-dev` for instance; for a user's own file its stem."""
    index: int
    """Position in the official file, from 0. Kept when others are dropped, so it names the item for good."""
    db_id: str
    database: Path
    """SQLite file to ask. It may be missing; then the data set says that it cannot be run."""
    question: str
    gold: str
    """SQL of the benchmark; empty where the benchmark gives none."""
    evidence: str = ""
    """External knowledge that comes with the question (BIRD)."""
    draft: str = ""
    """Another system's SQL for the question, which takes the place of the agent's first draft."""
    difficulty: str | None = None
    """Spider: easy, medium, hard, extra. BIRD: simple, moderate, challenging. None where unknown."""
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What only one data set has: the original wording, an error label, the SQL to be judged."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """The items of a data set, and an account of those that are not among them."""

    name: str
    items: tuple[Item, ...]
    dropped: Mapping[str, int] = field(default_factory=dict, hash=False)
    """Items of the official file that are left out, counted by reason."""
    not_run: str | None = None
    """Why the questions cannot be executed here; None when they can. Items may be present all the same."""
    metric: Metric = "spider"
    """How its answers are scored."""
    sources: Mapping[str, str] = field(default_factory=dict, hash=False)
    """SHA-256 of every file the items were read from, by file name."""
