"""The trace on a terminal: who speaks, the SQL as it is written, the verdicts, seconds and tokens."""

from collections.abc import Callable
from typing import Any

from rich.console import Console

from critiql.agent.events import (
    Abstained,
    Assisted,
    Budget,
    Decided,
    Detected,
    Escalated,
    Event,
    Executed,
    Exemplified,
    Grounded,
    Judged,
    Proposed,
    Recalled,
    Resumed,
    Rewritten,
    Sensed,
    Writing,
)
from critiql.agent.wording.sentence import counted, query_name
from critiql.agent.wording.trust import ENDINGS, plain_reason
from critiql.tools.schema.quoting import escape, escape_lines

ORIGINS = {
    "given": "as given",
    "actor": "by the actor",
    "repair": "by mending it",
    "refiner": "by the refiner",
    "regeneration": "from the repaired steps",
    "escalation": "by the larger model",
}
"""Where a query is from, in words."""
VERDICTS = {
    "accepted": "accepted",
    "rejected": "rejected",
    "unknown": "how much that means was not measured",
}
"""What follows from the critic's reading."""


class TracePrinter:
    """Draws events one after the other; text being written stays on its line."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.writing = False

    def show(self, event: Event) -> None:
        """Draw one event."""
        if isinstance(event, Writing):
            self._write(event)
            return
        if self.writing:
            self.console.print()
            self.writing = False
        line = LINES.get(type(event))
        if line is not None:
            self._line(*line(event))

    def _write(self, event: Writing) -> None:
        """Text as it comes, after the name of the role that writes it."""
        if not self.writing:
            self.console.print(f"{event.role:>16}  ", end="", style="cyan", markup=False)
            self.writing = True
        self.console.print(escape_lines(event.text), end="", markup=False, highlight=False)

    def _line(self, who: str, text: str) -> None:
        """One line of the trace."""
        self.console.print(f"{who:>16}  ", end="", style="cyan", markup=False)
        self.console.print(escape(text), markup=False, highlight=False, soft_wrap=True)


def _resumed(event: Resumed) -> tuple[str, str]:
    where = " and ".join(event.next)
    return "checkpoint", f"goes on at {where}" if where else "answered before; no model is asked"


def _rewritten(event: Rewritten) -> tuple[str, str]:
    return "follow_up", f"understood as: {event.question}"


def _grounded(event: Grounded) -> tuple[str, str]:
    return "ground", f"{event.database} ({event.dialect}, {event.tables} tables)"


def _examples(event: Exemplified) -> tuple[str, str]:
    made = [f"made from the tables: {question}" for question in event.made]
    if not (event.pairs or event.left_out):
        return "examples", "; ".join(made) or "none"
    lines = [f"line {line}" for line in event.shown]
    shown = ", ".join([*lines, *event.verified]) or "none"
    left_out = [f"left out {each}" for each in event.left_out]
    told = f"of {event.pairs} verified pairs about this database, shown: {shown}"
    return "examples", "; ".join([told, *left_out, *made])


def _recalled(event: Recalled) -> tuple[str, str]:
    return "recall", f"{event.database}: answered before; the query by {event.origin} is run again"


def _abstained(event: Abstained) -> tuple[str, str]:
    return "ground", f"{event.database}: the question names nothing of it; no model is asked"


def _candidate(event: Proposed) -> tuple[str, str]:
    what = f"{query_name(event.id)} {ORIGINS[event.origin]}"
    if event.repeats is not None:
        what += f", the same as {query_name(event.repeats)}"
    if event.origin == "repair":
        what += f": {event.note}: {event.sql}"
    return "candidate", f"{what} ({event.tokens} tokens, {event.seconds:.1f} s)"


def _executed(event: Executed) -> tuple[str, str]:
    outcome = counted(event.row_count, "row") if event.ok else f"failed: {event.message}"
    return "execution_critic", f"{query_name(event.id)}: {outcome} ({event.seconds:.3f} s)"


def _judged(event: Judged) -> tuple[str, str]:
    reading = "no reading" if event.p_true is None else f"held for right with {event.p_true:.0%}"
    return (
        "llm_critic",
        f"{query_name(event.id)}: {reading}; {VERDICTS[event.verdict]} ({event.seconds:.1f} s)",
    )


def _sensed(event: Sensed) -> tuple[str, str]:
    if event.error:
        return "error_detector", f"{query_name(event.id)}: the rules stand alone: {event.error}"
    said = ", ".join(f"{one['type']} {one['probability']:.2f}" for one in event.types) or "no error"
    return (
        "error_detector",
        f"{query_name(event.id)} by {event.source}: {said} ({event.seconds:.1f} s)",
    )


def _detected(event: Detected) -> tuple[str, str]:
    found = "; ".join(f"{f['type']}: {f['explanation']}" for f in event.findings) or "no error found"
    return "error_detector", f"{query_name(event.id)}: {found}"


def _decided(event: Decided) -> tuple[str, str]:
    old, new = query_name(event.incumbent), query_name(event.challenger)
    stays = f"{new} replaces {old}" if event.type == "displaced" else f"{old} stays, not {new}"
    why = plain_reason(event.reason, old, new)
    return "decide", f"{stays}: {why}"


def _assisted(event: Assisted) -> tuple[str, str]:
    account = event.trajectory
    return "action_assistant", account.get("refused") or (
        "changed" if account["changed"] else "nothing changed"
    )


def _escalated(event: Escalated) -> tuple[str, str]:
    return "escalation", f"{event.model} is asked: {event.reason}"


def _budget(event: Budget) -> tuple[str, str]:
    return "budget", ENDINGS.get(event.limit, event.limit)


LINES: dict[type[Event], Callable[[Any], tuple[str, str]]] = {
    Resumed: _resumed,
    Rewritten: _rewritten,
    Grounded: _grounded,
    Exemplified: _examples,
    Recalled: _recalled,
    Abstained: _abstained,
    Proposed: _candidate,
    Executed: _executed,
    Judged: _judged,
    Sensed: _sensed,
    Detected: _detected,
    Decided: _decided,
    Assisted: _assisted,
    Escalated: _escalated,
    Budget: _budget,
}
"""Kind of event -> its line; a kind that is not here is not shown."""
