"""What name repair does with the queries of stored answers that name what is not there.

Run as `python -m critiql.evals.studies.name_repairs EXPORT ...`; needs CRITIQL_DATA, asks no model, and
prints one JSON object. Each query of an actor that failed and has an unknown name counts once.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from critiql.evals.data.datasets import load
from critiql.evals.data.item import Item
from critiql.evals.metrics.execution_accuracy import execution_accuracy
from critiql.evals.run.export import open_results
from critiql.tools.database.open import get_database
from critiql.tools.errors.query import Query
from critiql.tools.errors.rules import read
from critiql.tools.sql.name_repair import repair_names


def failed_queries(path: Path) -> Iterator[tuple[Item, str]]:
    """The actor's queries of a store or export that did not run, with their questions.

    Raises:
        FileNotFoundError, ValueError: the file is neither store nor export.
    """
    with closing(open_results(path)) as results:
        for run in results.runs():
            items = {item.index: item for item in load(run.spec.dataset).items}
            for answer in results.answers(run):
                for candidate in answer.candidates:
                    execution = candidate.get("execution") or {"ok": True}
                    if candidate["origin"] == "actor" and not execution["ok"]:
                        yield items[answer.index], candidate["sql"]


def outcome(item: Item, sql: str) -> str | None:
    """`right`, `wrong` or `none`, as the first repair that runs makes it; None for a query of known names."""
    database = get_database(item.database)
    query = read(sql, database.schema(), question=item.question)
    if not isinstance(query, Query) or query.resolution.complete:
        return None
    repairs = repair_names(query.parsed, query.schema, query.resolution)
    ran = next((one.sql for one in repairs if database.run(one.sql).ok), None)
    if ran is None:
        return "none"
    return "right" if execution_accuracy(item.gold, ran, item.database).correct else "wrong"


def main(files: Annotated[list[Path], typer.Argument(help="Stores and exports.")]) -> None:
    """Print how many queries have unknown names, get a repair that runs, and are right by it."""
    queries = {(item.database, item.question, sql): item for f in files for item, sql in failed_queries(f)}
    found = Counter(outcome(item, sql) for (_, _, sql), item in queries.items())
    told = {"queries": found["right"] + found["wrong"] + found["none"]}
    told |= {"repaired": found["right"] + found["wrong"], "right": found["right"]}
    typer.echo(json.dumps(told))


if __name__ == "__main__":
    typer.run(main)
