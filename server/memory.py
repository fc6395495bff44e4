"""Verified pairs over the network: of the databases that are served, and by an explicit act of a person."""

from critiql.agent.admission import admitted
from critiql.agent.context import Context
from critiql.agent.databases import limits_of
from critiql.agent.memory import verified
from critiql.agent.memory.confirm import confirm
from critiql.agent.memory.verified import Kept, UnknownPairError, VerifiedError
from critiql.server import library
from critiql.server.results import PairResult
from critiql.tools.database.engine import DatabaseError
from critiql.tools.served import served

MOST = 5000
"""Pairs that a server keeps; nobody may fill its disk."""


def pairs(database: str) -> list[PairResult]:
    """What is verified about a database.

    Raises:
        VerifiedError: this server keeps none, or its folder cannot be read.
        DatabaseError: no such database.
    """
    _allowed()
    name = database or library.default_database()
    return [_result(one, name) for one in verified.about(library.open_served(name)).kept]


def verify(database: str, question: str, sql: str, who: str) -> PairResult:
    """Keep what a person says is right.

    Raises:
        VerifiedError: as `confirm`; and where this server keeps none, or has enough.
        DatabaseError: no such database.
    """
    _allowed()
    if len(verified.read_memory().kept) >= MOST:
        raise VerifiedError(f"There are {MOST} verified pairs here already. Remove some first.")
    name = database or library.default_database()
    kept, _ = confirm(question, sql, library.open_served(name), who, limits=limits_of(admitted(Context())))
    return _result(kept, name)


def forget(name: str) -> None:
    """Take away a pair of a database that is served here.

    Raises:
        UnknownPairError: there is none of that name.
    """
    _allowed()
    found = verified.find(name)
    if found.pair.database.casefold() not in _served_names():
        raise UnknownPairError(f"There is no verified pair {name[:80]!r} here.")
    verified.remove(name)


def _served_names() -> set[str]:
    """What the databases that can be opened are called in the memory."""
    found: set[str] = set()
    offered = served()
    for name in offered.databases if offered else ():
        try:
            found.add(verified.name_of(library.open_served(name)).casefold())
        except DatabaseError:  # one that has vanished has nothing to be removed
            continue
    return found


def _allowed() -> None:
    """See that this server keeps verified pairs.

    Raises:
        VerifiedError: it does not.
    """
    offered = served()
    if offered is None or not offered.keeps_memory:
        raise VerifiedError(
            "This server keeps no verified pairs. Start it without --no-memory, and without users who may "
            "see nothing of each other."
        )


def _result(one: Kept, database: str) -> PairResult:
    told = one.pair.model_dump(include={"question", "sql", "who", "when"})
    return PairResult(id=one.name, database=database, **told)
