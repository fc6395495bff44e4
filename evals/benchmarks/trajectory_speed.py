"""How many queries a second one core turns into trajectories and back. Run: `python trajectory_speed.py`.

JSON on standard output. Parsing the SQL is not part of the compile rate; it is part of the round-trip rates.
"""

import gc
import json
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Annotated, Any

import typer

from critiql.evals.studies.round_trip import SETS, queries
from critiql.tools.settings import settings
from critiql.tools.sql.parse import Parsed, parse
from critiql.tools.trajectory.forms.json_form import from_json, to_json
from critiql.tools.trajectory.forms.parse_text import parse_text
from critiql.tools.trajectory.forms.text import to_text
from critiql.tools.trajectory.language.actions import Trajectory
from critiql.tools.trajectory.language.compile import compile_query
from critiql.tools.trajectory.language.decompile import to_sql

STAGES = {
    "compile (parse excluded)": lambda parsed: compile_query(parsed.tree),
    "parse, compile": lambda parsed: _compiled(parsed),
    "parse, compile, decompile": lambda parsed: to_sql(_compiled(parsed)),
    "parse, compile, print, read, decompile": lambda parsed: to_sql(_read(to_text(_compiled(parsed)))),
    "parse, compile, JSON, read, decompile": lambda parsed: to_sql(_decoded(to_json(_compiled(parsed)))),
}
"""What is timed, by name."""


def main(
    size: Annotated[int, typer.Option(help="Queries a set, evenly spaced.")] = 500,
    repeats: Annotated[int, typer.Option(help="Rounds; the median is reported.")] = 3,
) -> None:
    """Time every stage on every set."""
    root = settings().data
    if root is None:
        typer.echo("CRITIQL_DATA is not set. It names the folder with the benchmark data.", err=True)
        raise typer.Exit(2)
    found: dict[str, Any] = {"python": platform.python_version(), "sqlglot": version("sqlglot")}
    for name in SETS:
        texts = [sql for _, sql, _ in queries(name, root)]
        sample = texts[:: max(1, len(texts) // size)][:size]
        parsed = [one for one in map(parse, sample) if isinstance(one, Parsed)]
        found[name] = {"queries": len(parsed)} | {
            stage: round(statistics.median(_rate(work, parsed) for _ in range(repeats)))
            for stage, work in STAGES.items()
        }
    typer.echo(json.dumps(found, indent=2))


def _rate(work: Callable[[Parsed], object], parsed: Sequence[Parsed]) -> float:
    """Queries per second of processor time, so that a busy machine does not count against it."""
    gc.collect()
    started = time.process_time()
    for one in parsed:
        work(one)
    return len(parsed) / (time.process_time() - started)


def _compiled(parsed: Parsed) -> Trajectory:
    again = parse(parsed.text)
    assert isinstance(again, Parsed)
    trajectory = compile_query(again.tree)
    assert isinstance(trajectory, Trajectory)
    return trajectory


def _read(text: str) -> Trajectory:
    trajectory = parse_text(text)
    assert isinstance(trajectory, Trajectory)
    return trajectory


def _decoded(value: dict[str, object]) -> Trajectory:
    trajectory = from_json(json.loads(json.dumps(value)))
    assert isinstance(trajectory, Trajectory)
    return trajectory


if __name__ == "__main__":
    typer.run(main)
