"""Results of the queries of a run, kept until its answer, so that the chosen query runs once a question.

They stay in this process and out of the state: a checkpoint holds only what critics and people look at. A run
that goes on in another process runs its chosen query again.
"""

from collections import OrderedDict
from threading import Lock

from critiql.agent.state import State
from critiql.tools.database.result import Result

KEPT = 64
"""Results of all runs together; each is capped by the limits of a query. The oldest go first."""

Key = tuple[str, float, str]
"""Database, start of the run in seconds since the epoch, query."""

_lock = Lock()
_results: OrderedDict[Key, Result] = OrderedDict()


def keep(state: State, sql: str, result: Result) -> None:
    """Keep what a query of this run gave."""
    with _lock:
        _results[_key(state, sql)] = result
        while len(_results) > KEPT:
            _results.popitem(last=False)


def take(state: State, sql: str) -> Result | None:
    """What a query of this run gave, where it is still known; nothing of the run is kept from then on."""
    wanted = _key(state, sql)
    with _lock:
        found = _results.get(wanted)
        for key in [key for key in _results if key[:2] == wanted[:2]]:
            del _results[key]
    return found


def _key(state: State, sql: str) -> Key:
    return state.get("database", ""), state.get("started", 0.0), sql
