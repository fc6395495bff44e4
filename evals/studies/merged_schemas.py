"""How much of what a question needs is kept when many schemas are one; no model answers.

Run as `python -m critiql.evals.studies.merged_schemas [--merges N] [--questions N]`; needs CRITIQL_DATA, and
prints one JSON object. Databases of Spider's training half are drawn by a seed until their tables have 2,000
columns, and the tables are shuffled; a name that is taken gets a number. A question's needs are the tables
and columns that its reference query reads.
"""

import json
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, NamedTuple

import typer

from critiql.evals.data.datasets import load
from critiql.evals.data.item import Item
from critiql.evals.statistics import wilson
from critiql.tools.database.open import open_database
from critiql.tools.linking.prune import prune
from critiql.tools.models.factory import load_model
from critiql.tools.models.files.registry import registry
from critiql.tools.schema.ddl import ddl
from critiql.tools.schema.model import ForeignKey, Schema, Table
from critiql.tools.sql.parse import Parsed, parse
from critiql.tools.sql.resolve import resolve

Needs = frozenset[tuple[str, str | None]]
"""Table and column; None for the table itself."""


class Merged(NamedTuple):
    """Several schemas as one."""

    schema: Schema
    names: Mapping[str, Mapping[str, str]]
    """Database -> its table -> what the table is called in the whole."""


class Kept(NamedTuple):
    """What pruning made of one question."""

    needed: int
    """Columns."""
    kept: int
    whole: bool
    """Every table and column that is needed is there."""
    tokens: int
    milliseconds: float
    """Of the processor, since other load on the machine does not count in it."""


def merge(schemas: Mapping[str, Schema], seed: int, columns: int) -> Merged:
    """Draw databases until they have that many columns, and put their tables together in random order."""
    generator = random.Random(seed)
    drawn = sorted(schemas)
    generator.shuffle(drawn)
    tables: list[Table] = []
    samples: dict[str, tuple[tuple[object, ...], ...]] = {}
    names: dict[str, dict[str, str]] = {}
    taken: set[str] = set()
    while drawn and sum(len(table.columns) for table in tables) < columns:
        db_id = drawn.pop()
        schema = schemas[db_id]
        names[db_id] = {table.name: _free(table.name, taken) for table in schema.tables}
        tables += [_renamed(table, names[db_id]) for table in schema.tables]
        samples |= {names[db_id][name]: rows for name, rows in schema.samples.items()}
    generator.shuffle(tables)
    return Merged(Schema(tuple(tables), samples=samples), names)


def _free(name: str, taken: set[str]) -> str:
    """The name, with a number where it is taken; it is taken then."""
    free, number = name, 1
    while free.casefold() in taken:
        number += 1
        free = f"{name}_{number}"
    taken.add(free.casefold())
    return free


def _renamed(table: Table, names: Mapping[str, str]) -> Table:
    keys = (
        ForeignKey(names[table.name], key.columns, names[key.to_table], key.to_columns)
        for key in table.foreign_keys
        if key.to_table in names
    )
    return replace(table, name=names[table.name], foreign_keys=tuple(keys))


def needs(sql: str, schema: Schema) -> Needs | None:
    """Tables and columns that a query reads; None where it names what is not there."""
    parsed = parse(sql)
    if not isinstance(parsed, Parsed):
        return None
    found = resolve(parsed.tree, schema)
    if found.unresolved:
        return None
    tables = {(source.table.name, None) for source in found.sources.values() if source.table}
    bound = found.bindings.values()
    columns = {(each.table.name, each.column.name) for each in bound if each.table and each.column}
    return frozenset(tables | columns)


def keep(
    item: Item, needed: Needs, merged: Merged, cut: Callable[[str], Schema], count: Callable[[Schema], int]
) -> Kept:
    """Prune the whole for one question.

    Args:
        item: the question.
        needed: what its query reads in its own database.
        merged: the whole.
        cut: prunes it for a question.
        count: tokens of a part.
    """
    started = time.process_time()
    part = cut(item.question)
    took = 1000 * (time.process_time() - started)
    names = merged.names[item.db_id]
    wanted = {(names[table], column) for table, column in needed}
    there = {(table.name, column.name) for table in part.tables for column in table.columns}
    here = {(table.name, None) for table in part.tables}
    columns = {place for place in wanted if place[1] is not None}
    return Kept(len(columns), len(columns & there), wanted <= there | here, count(part), took)


def questions(
    items: Sequence[Item], schemas: Mapping[str, Schema], merged: Merged, seed: int, many: int
) -> Iterator[tuple[Item, Needs]]:
    """Questions of the databases that were drawn, each with its needs in its own database."""
    known = [item for item in items if item.db_id in merged.names]
    for item in random.Random(seed).sample(known, min(many, len(known))):
        needed = needs(item.gold, schemas[item.db_id])
        if needed is not None:
            yield item, needed


def summarise(found: Sequence[Kept]) -> dict[str, object]:
    """Recall of columns, share of questions with all they need, tokens and milliseconds."""
    needed, kept = sum(one.needed for one in found), sum(one.kept for one in found)
    whole = sum(one.whole for one in found)
    took = sorted(one.milliseconds for one in found)
    return {
        "questions": len(found),
        "columns_needed": needed,
        "columns_kept": kept,
        "recall": round(kept / needed, 4),
        "whole": whole,
        "whole_interval": wilson(whole, len(found)),
        "median_tokens": statistics.median(one.tokens for one in found),
        "most_tokens": max(one.tokens for one in found),
        "median_ms": round(statistics.median(took), 1),
        "p95_ms": round(took[int(0.95 * (len(took) - 1))], 1),
    }


def study(
    items: Sequence[Item], seeds: Sequence[int], many: int, columns: int, budgets: Sequence[int], rows: int
) -> dict[str, Any]:
    """Prune every merge for its questions, once a budget."""
    schemas = {item.db_id: _schema(item) for item in {item.db_id: item for item in items}.values()}
    count_text = load_model(registry().default).count_tokens
    show = partial(ddl, sample_rows=rows)
    found: dict[int, list[Kept]] = {budget: [] for budget in budgets}
    sizes = []
    for seed in seeds:
        merged = merge(schemas, seed, columns)
        sizes.append(sum(len(table.columns) for table in merged.schema.tables))
        for item, needed in questions(items, schemas, merged, seed, many):
            for budget in budgets:
                cut = partial(prune, merged.schema, budget=budget, count=count_text, show=show)
                found[budget].append(keep(item, needed, merged, cut, lambda part: count_text(show(part))))
    return {"seeds": list(seeds), "columns": sizes, "rows": rows} | {
        str(budget): summarise(many_kept) for budget, many_kept in found.items()
    }


def main(
    first: Annotated[int, typer.Option(help="Seed of the first merge.")] = 10,
    merges: Annotated[int, typer.Option(min=1)] = 5,
    many: Annotated[int, typer.Option("--questions", min=1, help="Questions a merge.")] = 200,
    columns: Annotated[int, typer.Option(min=1, help="Columns of a merge.")] = 2000,
    budget: Annotated[list[int] | None, typer.Option(help="Tokens of the text.")] = None,
    rows: Annotated[int, typer.Option(min=0, help="Sample rows a table, where there is room.")] = 3,
) -> None:
    """Print what is kept."""
    data = load("spider-train")
    if data.not_run:
        raise typer.BadParameter(data.not_run)
    seeds = range(first, first + merges)
    typer.echo(json.dumps(study(data.items, seeds, many, columns, budget or [2000], rows), indent=2))


def _schema(item: Item) -> Schema:
    with closing(open_database(item.database)) as database:
        return database.schema()


if __name__ == "__main__":
    typer.run(main)
