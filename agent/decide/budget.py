"""The limits of a run: generations, seconds, tokens, and progress."""

import time
from typing import Literal

from critiql.agent.calls import uncached
from critiql.agent.context import Context
from critiql.agent.evidence import Stop
from critiql.agent.state import State

REPEATS_THAT_END = 2
"""The first repeated query raises the temperature of the next draw; a second one ends the loop."""


def spent(state: State, context: Context) -> Stop | None:
    """The limit that was reached, if any."""
    if state["generations"] >= context.z:
        return "rounds"
    return overspent(state, context) or ("no_progress" if repeated(state) >= REPEATS_THAT_END else None)


def overspent(state: State, context: Context) -> Literal["seconds", "tokens"] | None:
    """The limit on time or tokens that was reached, if any; an escalation does not go beyond these either."""
    if time.time() - state["started"] >= context.seconds:
        return "seconds"
    if uncached(state.get("calls", [])) >= context.tokens:
        return "tokens"
    return None


def repeated(state: State) -> int:
    """Generated candidates that repeat an earlier one."""
    written = [c for c in state.get("candidates", []) if c["origin"] in ("actor", "refiner")]
    return sum(c.get("repeats") is not None for c in written)
