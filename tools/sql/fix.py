"""One step of name repair, and the change that several kinds of step make."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

from critiql.tools.sql.names import identifier

FixKind = Literal["requalify", "join", "respell"]


@dataclass(frozen=True, slots=True)
class Fix:
    """One possible step; `apply` edits the tree that was resolved."""

    kind: FixKind
    change: str
    """In words."""
    apply: Callable[[], object]
    score: float = 90.0
    """How safe the step is, 0 to 100."""


def qualify(node: exp.Column, source: str) -> None:
    """Let a column be one of a source."""
    node.set("table", identifier(source))
    node.set("db", None)
    node.set("catalog", None)
