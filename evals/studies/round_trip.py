"""The round-trip table: every benchmark query to a trajectory and back, text compared, and rows on Spider.

Run as `python -m critiql.evals.studies.round_trip [--out FILE] [--no-execution]`; CRITIQL_DATA names the
benchmarks.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from critiql.tools.database.engine import Database
from critiql.tools.database.open import open_database
from critiql.tools.database.result import Failure, Limits
from critiql.tools.settings import settings
from critiql.tools.sql.parse import ParseFailure
from critiql.tools.trajectory.forms.round_trip import RoundTrip, round_trip, same_results
from critiql.tools.trajectory.language.actions import Problem

LIMITS = Limits(seconds=60.0, rows=2_000_000, total_bytes=400_000_000, cell_bytes=10_000_000)
"""Caps high enough that no benchmark result is cut."""
SETS = {
    "Spider train": (("spider/train_spider.json", "query"), ("spider/train_others.json", "query")),
    "Spider dev": (("spider/dev.json", "query"),),
    "BIRD mini-dev": (("bird/mini_dev_sqlite.json", "SQL"),),
    "BIRD dev (May 2023)": (("bird/dev_20230504.json", "SQL"),),
    "NL2SQL-Bugs": (("nl2sql_bugs/development.json", "sql"),),
}
"""Per set its files, and the field that holds the query."""
DATABASES = {"Spider train": "spider/database", "Spider dev": "spider/database"}


@dataclass
class Tally:
    """What became of the queries of one set."""

    queries: int = 0
    unparsed: int = 0
    no_action: int = 0
    same_text: int = 0
    same_through_text: int = 0
    same_through_json: int = 0
    steps: int = 0
    longest: int = 0
    without_database: int = 0
    executed: int = 0
    """Queries whose own text runs."""
    same_rows: int = 0
    both_failed: int = 0
    """The query itself fails in its database, and so does what came back, in the same way."""
    seconds: float = 0.0
    """Compiling, printing, reading, decompiling; execution not included."""
    different: list[str] = field(default_factory=list)
    """Where something differs: set, index and what."""
    failures: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """The counts, with the mean number of steps."""
        trips = self.queries - self.unparsed - self.no_action
        return {
            **{name: value for name, value in vars(self).items() if name not in ("steps", "failures")},
            "mean_steps": round(self.steps / trips, 2) if trips else None,
            "failures": dict(self.failures),
        }


def main(
    out: Annotated[Path | None, typer.Option(help="JSON file to write; else standard output.")] = None,
    execution: Annotated[bool, typer.Option(help="Compare rows where databases exist.")] = True,
) -> None:
    """Measure the round trip over the benchmark sets."""
    root = settings().data
    if root is None:
        typer.echo("CRITIQL_DATA is not set. It names the folder with the benchmark data.", err=True)
        raise typer.Exit(2)
    table = {name: measure(name, root, execution).as_json() for name in SETS if _present(name, root)}
    found = {
        "command": "python -m critiql.evals.studies.round_trip",
        "date": datetime.now(UTC).date().isoformat(),
        "not_run": [name for name in SETS if name not in table],
        "sets": table,
    }
    text = json.dumps(found, indent=2)
    if out is None:
        typer.echo(text)
    else:
        out.write_text(text + "\n", encoding="utf-8")


def measure(name: str, root: Path, execution: bool) -> Tally:
    """Take every query of a set through the round trip; run both ends where the database is there."""
    tally = Tally()
    opened: dict[str, Database] = {}
    for index, sql, database_id in queries(name, root):
        started = time.perf_counter()
        trip = round_trip(sql)
        tally.seconds += time.perf_counter() - started
        _count_text(tally, trip, f"{name} {index}")
        if not execution or not isinstance(trip, RoundTrip) or name not in DATABASES:
            continue
        path = root / DATABASES[name] / database_id / f"{database_id}.sqlite"
        if not path.is_file():
            tally.without_database += 1
            continue
        if database_id not in opened:
            for database in opened.values():
                database.close()
            opened = {database_id: open_database(path)}
        _count_rows(tally, trip, sql, opened[database_id], f"{name} {index}")
    for database in opened.values():
        database.close()
    return tally


def queries(name: str, root: Path) -> Iterator[tuple[int, str, str]]:
    """Index, SQL and database id of every query of a set, in file order."""
    index = 0
    for file, key in SETS[name]:
        for row in json.loads((root / file).read_text("utf-8")):
            yield index, row[key], row["db_id"]
            index += 1


def _present(name: str, root: Path) -> bool:
    return all((root / file).is_file() for file, _ in SETS[name])


def _count_text(tally: Tally, trip: RoundTrip | ParseFailure | Problem, place: str) -> None:
    tally.queries += 1
    if isinstance(trip, ParseFailure):
        tally.unparsed += 1
    elif isinstance(trip, Problem):
        tally.no_action += 1
    else:
        steps = sum(len(frame.steps) for frame in trip.trajectory.frames)
        tally.steps += steps
        tally.longest = max(tally.longest, steps)
        for check in ("same_text", "same_through_text", "same_through_json"):
            same = getattr(trip, check)
            setattr(tally, check, getattr(tally, check) + same)
            if not same:
                tally.different.append(f"{place}: {check}")


def _count_rows(tally: Tally, trip: RoundTrip, sql: str, database: Database, place: str) -> None:
    same = same_results(database, sql, trip.back, trip.ordered, LIMITS)
    if isinstance(same, Failure):
        tally.both_failed += 1
        tally.failures[same.kind] += 1
        return
    tally.executed += 1
    tally.same_rows += same
    if not same:
        tally.different.append(f"{place}: same_rows")


if __name__ == "__main__":
    typer.run(main)
