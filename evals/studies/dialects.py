"""The sample questions, end to end, on another engine: the rows must be those of the gold query on SQLite.

`python -m critiql.evals.studies.dialects [URL ...]` asks all ten of every database named, or of the SQLite
sample, and prints a Markdown table and each query. `critiql.tools.database.sample.script` makes the sample
elsewhere.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.resources import files
from typing import Annotated, Any, Literal

import typer

from critiql.agent.answer import Answer
from critiql.agent.context import Context
from critiql.evals.metrics.equality import same_table
from critiql.graphs.api import ask
from critiql.tools.database.open import open_database
from critiql.tools.database.result import Rows
from critiql.tools.database.sample.build import sample_database

DIGITS = 6
"""Digits after the point that count: engines add floats in different orders."""


@dataclass(frozen=True)
class Asked:
    """One question and what came of it."""

    answer: Answer
    verdict: Literal["right", "other rows", "failed"]


def questions() -> list[dict[str, str]]:
    """The sample questions, each with its gold query in SQLite's dialect."""
    text = (files("critiql.evals.studies") / "sample_questions.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def gold_rows(sql: str) -> list[tuple[object, ...]]:
    """The rows of a gold query on the SQLite sample.

    Raises:
        RuntimeError: it does not run.
    """
    with closing(open_database(sample_database())) as database:
        result = database.run(sql)
    if not isinstance(result, Rows):
        msg = f"the gold query fails: {result.message}"
        raise RuntimeError(msg)
    return _comparable(result.rows)


def ask_all(url: str, context: Context, items: Sequence[dict[str, str]] | None = None) -> Iterator[Asked]:
    """Ask the questions of one database, one after another.

    Raises:
        DatabaseError, ModelError: the message says what to do.
    """
    for item in questions() if items is None else items:
        answer = ask(item["question"], url, context=context)
        if answer.status == "failed":
            yield Asked(answer, "failed")
            continue
        gold = gold_rows(item["sql"])
        is_right = same_table(gold, _comparable(answer.rows), ordered="ORDER BY" in item["sql"])
        yield Asked(answer, "right" if is_right else "other rows")


def _comparable(rows: Sequence[Sequence[Any]]) -> list[tuple[object, ...]]:
    return [tuple(round(cell, DIGITS) if isinstance(cell, float) else cell for cell in row) for row in rows]


def main(
    urls: Annotated[list[str] | None, typer.Argument(help="Databases that hold the sample.")] = None,
    model: Annotated[str, typer.Option(help="A registered name; without it the default model.")] = "",
) -> None:
    """Print how many questions each database answers rightly, then every query."""
    context = Context(model=model) if model else Context()
    found = {url: list(ask_all(url, context)) for url in urls or [str(sample_database())]}
    typer.echo("| database | asked | right | other rows | failed | queries written | seconds |")
    typer.echo("|---|---|---|---|---|---|---|")
    for asked in found.values():
        verdicts = [one.verdict for one in asked]
        counts = [verdicts.count(verdict) for verdict in ("right", "other rows", "failed")]
        written = sum(one.answer.generations for one in asked)
        seconds = sum(one.answer.seconds for one in asked)
        cells = [asked[0].answer.database, len(asked), *counts, written, round(seconds)]
        typer.echo(f"| {' | '.join(map(str, cells))} |")
    for asked in found.values():
        for one in asked:
            typer.echo(f"\n{one.verdict}: {one.answer.question}\n{one.answer.sql}")


if __name__ == "__main__":
    typer.run(main)
