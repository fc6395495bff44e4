"""What a question costs on a large schema before the model is asked: open, read, link, prune; and memory.

`python -m critiql.evals.benchmarks.large_schema URL` prints one JSON object. The database holds a warehouse
of `benchmarks.warehouse`. One process measures one size, so that the memory is its own. `--answers N` also
asks the model N questions. What waits for the database is told by the clock, what is computed here in
processor time, since a machine is rarely idle.
"""

import json
import os
import resource
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from typing import Annotated, Any, TypeVar

import typer

from critiql.agent.context import Context
from critiql.agent.roles.ground import fits, fitting, schema_prefix
from critiql.evals.benchmarks.warehouse import QUESTIONS, Known
from critiql.graphs.api import ask
from critiql.tools.database.engine import Database
from critiql.tools.database.open import open_database
from critiql.tools.database.result import Rows
from critiql.tools.linking.column_index import column_index
from critiql.tools.linking.link import link
from critiql.tools.models.factory import load_model
from critiql.tools.models.files.registry import registry
from critiql.tools.schema.model import Schema

T = TypeVar("T")
REPEATS = 5


def measure(url: str, context: Context) -> dict[str, Any]:
    """Open the database and prepare each question's prompt.

    Args:
        url: a database that holds the warehouse.
        context: names the model that counts tokens, and the budgets.
    """
    load_model(context.spec("actor")).count_tokens("SELECT 1")
    before = _megabytes(resource.RUSAGE_SELF)
    database, opened = _timed(lambda: open_database(url))
    with closing(database):
        schema, read = _timed(database.schema)
        whole, asked = _computed(lambda: fits(schema, context))
        _, indexed = _computed(lambda: column_index(schema))
        questions = [_prompt(known, schema, context) for known in QUESTIONS]
    return {
        "tables": len(schema.tables),
        "columns": sum(len(table.columns) for table in schema.tables),
        "fits": whole,
        "open_ms": opened,
        "read_schema_ms": read,
        "fits_ms": asked,
        "index_ms": indexed,
        **{name: _middle([one[name] for one in questions]) for name in ("link_ms", "prune_ms", "tokens")},
        "needed": sum(one["needed"] for one in questions),
        "kept": sum(one["kept"] for one in questions),
        "process_mb": round(_megabytes(resource.RUSAGE_SELF) - before, 1),
        "child_mb": round(_megabytes(resource.RUSAGE_CHILDREN), 1),
    }


def _prompt(known: Known, schema: Schema, context: Context) -> dict[str, float]:
    """What one question's prompt costs, and what it has of the columns that are needed."""
    link(known.text, schema)
    linked = [_computed(lambda: link(known.text, schema))[1] for _ in range(REPEATS)]
    pruned = [_computed(lambda: fitting(schema, known.text, (), context)) for _ in range(REPEATS)]
    part = pruned[0][0]
    kept = {f"{table.name}.{column.name}" for table in part.tables for column in table.columns}
    return {
        "link_ms": _middle(linked),
        "prune_ms": _middle([took for _, took in pruned]),
        "tokens": load_model(context.spec("actor")).count_tokens(schema_prefix(part, context)),
        "needed": len(known.needs),
        "kept": len(kept & set(known.needs)),
    }


def answer(url: str, known: Known, context: Context) -> dict[str, Any]:
    """Ask the model one question; right is what gives the rows of its known query."""
    found, took = _timed(lambda: ask(known.text, url, context=context))
    with closing(open_database(url)) as database:
        right = _rows(database, known.sql) == _rows(database, found.sql or "")
    return {"question": known.text, "sql": found.sql, "right": right, "seconds": round(took / 1000, 1)}


def _rows(database: Database, sql: str) -> list[str] | None:
    result = database.run(sql)
    return sorted(map(repr, result.rows)) if isinstance(result, Rows) else None


def main(
    url: Annotated[str, typer.Argument(help="A database that holds the warehouse.")],
    model: Annotated[str, typer.Option(help="A registered name or a .gguf file.")] = "",
    answers: Annotated[int, typer.Option(min=0, max=len(QUESTIONS), help="Questions to ask.")] = 0,
) -> None:
    """Print the measurement as one JSON object."""
    context = Context(model=model or registry().default)
    found = measure(url, context)
    asked = [answer(url, known, context) for known in QUESTIONS[:answers]]
    load = [round(value, 1) for value in os.getloadavg()]
    typer.echo(json.dumps({**found, "answers": asked, "load": load}, indent=2))


def _timed(work: Callable[[], T], clock: Callable[[], float] = time.perf_counter) -> tuple[T, float]:
    """What it gives, and the milliseconds it took."""
    started = clock()
    found = work()
    return found, round(1000 * (clock() - started), 2)


def _computed(work: Callable[[], T]) -> tuple[T, float]:
    """The same in milliseconds of this process's processor time."""
    return _timed(work, time.process_time)


def _middle(found: list[float]) -> float:
    return round(statistics.median(found), 2)


def _megabytes(who: int) -> float:
    """The most memory that was held, by this process or by its children that ended."""
    return resource.getrusage(who).ru_maxrss / 1024


if __name__ == "__main__":
    typer.run(main)
