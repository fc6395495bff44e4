"""Examples for the actor from a user's own verified pairs on one database, of which a part is held out."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from critiql.agent.context import Context
from critiql.agent.roles.ground import fits
from critiql.evals.data.item import Item
from critiql.tools.database.engine import Database
from critiql.tools.database.result import Failure
from critiql.tools.errors.lookup import DatabaseValues
from critiql.tools.exceptions import USAGE, CritiqlError
from critiql.tools.question_pairs import Pair, read_pairs
from critiql.tools.sql.canonical import fingerprint
from critiql.training.data.actor_data import actor_row
from critiql.training.data.example_file import Row
from critiql.training.data.gold import LIMITS, Gold
from critiql.training.data.order import rank
from critiql.training.data.parts import Part

FEWEST = 10
"""Pairs that run; with fewer the held-out part says nothing at all."""
HELD_OUT = 5
"""One pair in so many is held out."""
NAMED = 3
"""Lines that a message names."""


class OwnPairsError(CritiqlError, ValueError):
    """The pairs cannot be trained on. The message says what happened, why, and what to do."""

    exit_code = USAGE


class OwnPairs(NamedTuple):
    """What a file of pairs comes to."""

    rows: list[Row]
    """Examples of both parts; those that validate are the held-out ones."""
    left_out: list[str]
    """Pairs that do not run, each in a sentence."""


def own_pairs(file: Path, database: Database, seed: int) -> OwnPairs:
    """The examples of a file of verified pairs, as `critiql memory export` writes it or a person.

    Pairs with the same query are in one part, so that no answer to a held-out question is learnt.

    Args:
        file: `.csv` or `.jsonl` with the fields question, sql and perhaps database.
        database: the one that they are about.
        seed: names which pairs are held out.

    Raises:
        PairsError: the file cannot be read, or a field is missing.
        OwnPairsError: a pair is about another database, too few run, or the schema is too long.
    """
    pairs = read_pairs(file)
    _about_one(pairs, file, database)
    if not fits(database.schema(), Context()):
        raise OwnPairsError(
            "The schema is too long to be shown whole, so each question sees another part of it and no state "
            "of it can be shared. An adapter that acts after it cannot be fitted."
        )
    ran, left_out = _ran(pairs, file, database)
    if len(ran) < FEWEST:
        raise OwnPairsError(
            f"{file} holds {len(ran)} pairs that run; at least {FEWEST} are needed, since one in {HELD_OUT} "
            f"is held out. Verify more: critiql memory add.{_listed(left_out)}"
        )
    values = DatabaseValues(database)
    made = [_row(pair, part, database, values, file) for part, pair in _parts(ran, seed)]
    rows = [row for row in made if row is not None]
    if {row["part"] for row in rows} != {"train", "validation"}:
        raise OwnPairsError(
            f"Hardly any two pairs of {file} have different queries, so none can be held out. Verify others."
        )
    return OwnPairs(rows, left_out)


def _about_one(pairs: Sequence[Pair], file: Path, database: Database) -> None:
    others = [pair for pair in pairs if not pair.is_about(database.url, file.parent)]
    if others:
        named = "; ".join(f"{pair.place} is about {pair.database}" for pair in others[:NAMED])
        more = f"; {len(others) - NAMED} more" if len(others) > NAMED else ""
        raise OwnPairsError(
            f"{file} holds pairs about another database: {named}{more}. Take them out, or name their "
            "database with --db. critiql memory export FILE --db D writes those of one."
        )


def _ran(pairs: Sequence[Pair], file: Path, database: Database) -> tuple[list[Pair], list[str]]:
    ran: list[Pair] = []
    left_out: list[str] = []
    for pair in pairs:
        result = database.run(pair.sql, LIMITS)
        if isinstance(result, Failure):
            left_out.append(f"{file.name}, {pair.place}, does not run and is left out: {result.message}")
        else:
            ran.append(pair)
    return ran, left_out


def _listed(left_out: Sequence[str]) -> str:
    return "".join(f"\n{said}" for said in left_out[:NAMED])


def _parts(pairs: Sequence[Pair], seed: int) -> Iterator[tuple[Part, Pair]]:
    """Every pair once with its part; queries are held out in an order of the seed's, up to a fifth of all."""
    drawn = sorted(pairs, key=lambda pair: (rank(seed, "held out", fingerprint(pair.sql)), pair.line))
    wanted, held = round(len(pairs) / HELD_OUT), 0
    for _, group in groupby(drawn, key=lambda pair: fingerprint(pair.sql)):
        same = list(group)
        part: Part = "validation" if held + len(same) <= wanted else "train"
        held += len(same) if part == "validation" else 0
        for pair in same:
            yield part, pair


def _row(pair: Pair, part: Part, database: Database, values: DatabaseValues, file: Path) -> Row | None:
    item = Item(file.stem, pair.line, Path(database.url).stem, file, pair.question, pair.sql)
    return actor_row(Gold(item, database, values), "own", part, Context())
