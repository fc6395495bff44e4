"""What verified pairs of the same database change: questions that the loop misses, and some that it answers.

Run as `python -m critiql.evals.studies.verified_pairs FILE`, as often as it takes: each answer is kept in the
file at once, and `--seconds` ends a piece. `--report` prints one JSON object of what is in it.
Other gold pairs of the database stand for what people verified; those with the question's own gold
query, or its words, are left out. The answers without pairs are those of the committed export.
`--covered N` asks no model: it says how much of the gold query the chosen pairs name.
"""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import chain, zip_longest
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Annotated, Any, NamedTuple

import typer
from sqlglot import exp

from critiql.agent.context import Context
from critiql.agent.memory.likeness import by_likeness, most_alike
from critiql.agent.roles.ground import schema_prefix
from critiql.evals.data.item import Item
from critiql.evals.data.task import questions
from critiql.evals.run.export import open_results
from critiql.evals.run.scoring import execution_score
from critiql.evals.run.systems import PATIENCE
from critiql.evals.statistics import wilson
from critiql.graphs.api import ask
from critiql.tools.database.open import get_database
from critiql.tools.question_pairs import Pair
from critiql.tools.sql.canonical import fingerprint
from critiql.tools.sql.parse import ParseFailure, parse

EXPORTS = Path(__file__).parents[1] / "exports"
TASK, ALL = "spider-train-300", "spider-train"
WITHOUT = EXPORTS / "train/spider-train-300_dev-run-6.jsonl.gz"
"""What `single_shot` answered without pairs."""
LOOP = EXPORTS / "train/spider-train-300_dev-run-8.jsonl.gz"
"""What `text_to_sql` answered; its first run has the settings of the release."""
MOST = 4
"""Questions of a group and database."""


class Subject(NamedTuple):
    """A question of the study."""

    item: Item
    group: str
    """missed: the loop's answer is wrong; right: its answer is right, and so is that of `single_shot`."""
    right_without: bool


def subjects(seed: int, longest: int) -> Iterator[Subject]:
    """Questions of databases that the loop missed one of: databases by chance, in each the groups in turn.

    Args:
        seed: of the order.
        longest: characters that a database's schema may have in a prompt; reading one is most of the work.
    """
    without, loop = _correct(WITHOUT, "single_shot"), _correct(LOOP, "text_to_sql")
    by_database: dict[str, list[Item]] = {}
    for item in questions(TASK).items:
        by_database.setdefault(item.db_id, []).append(item)
    chance = Random(seed)
    for name in chance.sample(sorted(by_database), len(by_database)):
        asked = chance.sample(by_database[name], len(by_database[name]))
        missed = [Subject(one, "missed", without[one.index]) for one in asked if not loop[one.index]]
        right = [Subject(one, "right", True) for one in asked if loop[one.index] and without[one.index]]
        if missed and _schema_length(asked[0]) <= longest:
            turns = chain.from_iterable(zip_longest(missed[:MOST], right[:MOST]))
            yield from (one for one in turns if one is not None)


def _schema_length(item: Item) -> int:
    """Characters of the schema as a prompt shows it."""
    return len(schema_prefix(get_database(item.database).schema(), Context()))


def _correct(export: Path, system: str) -> dict[int, bool]:
    """Whether each question was answered right in the first run of a system."""
    with closing(open_results(export)) as store:
        run = next(
            run
            for run in store.runs()
            if run.spec.system == system and set(run.spec.settings) <= {"calibration", "seconds"}
        )
        return {answer.index: bool(answer.correct) for answer in store.answers(run)}


def pairs_for(item: Item, others: Sequence[Item]) -> list[dict[str, str]]:
    """The other gold pairs of the question's database."""
    own = fingerprint(item.gold)
    return [
        {"question": one.question, "sql": one.gold}
        for one in others
        if one.db_id == item.db_id and one.question != item.question and fingerprint(one.gold) != own
    ]


def answer(subject: Subject, others: Sequence[Item], shown: int, graph: str) -> dict[str, Any]:
    """Ask one question with pairs, and score it."""
    item, pairs = subject.item, pairs_for(subject.item, others)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "pairs.jsonl"
        file.write_text("\n".join(map(json.dumps, pairs)), encoding="utf-8")
        context = Context(
            examples=str(file) if shown else "",
            examples_shown=max(shown, 1),
            examples_made=0,
            memory=False,
            seconds=PATIENCE,
        )
        given = ask(item.question, item.database, graph=graph, context=context)
    events = {event["type"]: event for event in given.events}
    tokens = given.tokens()
    known = [Pair(0, one["question"], one["sql"]) for one in pairs]
    alike = by_likeness(item.question, known, get_database(item.database).schema())
    return {
        "index": item.index,
        "database": item.db_id,
        "group": subject.group,
        "graph": graph,
        "shown": shown,
        "pairs": len(pairs),
        "used": len(events["examples"]["shown"]) if "examples" in events else 0,
        "likeness": round(alike[0].likeness, 1) if alike else 0,
        "right_without": subject.group == "right" if graph == "text_to_sql" else subject.right_without,
        "right": bool(execution_score(item, [given.sql])[0]),
        "prompt_tokens": tokens.prompt,
        "seconds": round(given.seconds, 1),
    }


def coverage(seed: int, most: int, shown: int) -> dict[str, Any]:
    """How much of the gold query the chosen pairs name, which needs no model.

    Args:
        seed: of the draw.
        most: questions drawn from those that have that many pairs.
        shown: pairs chosen for each.
    """
    items, others = questions(TASK).items, questions(ALL).items
    found: list[tuple[float, float]] = []
    for item in Random(seed).sample(items, len(items)):
        pairs = [Pair(0, one["question"], one["sql"]) for one in pairs_for(item, others)]
        if len(found) < most and len(pairs) >= shown:
            found.append(_covered(item, pairs, shown))
    tables, columns = (sum(shares) / len(found) for shares in zip(*found, strict=True))
    return {"n": len(found), "pairs shown": shown, "tables": round(tables, 3), "columns": round(columns, 3)}


def _covered(item: Item, pairs: Sequence[Pair], shown: int) -> tuple[float, float]:
    """Shares of the gold query's tables and columns that are in the queries of the most similar pairs."""
    chosen = most_alike(item.question, pairs, get_database(item.database).schema())[:shown]
    own, theirs = _names(item.gold), [_names(pair.sql) for pair in chosen]
    tables, columns = (
        len(own[kind] & set().union(*(one[kind] for one in theirs))) / max(len(own[kind]), 1)
        for kind in (0, 1)
    )
    return tables, columns


def _names(sql: str) -> tuple[set[str], set[str]]:
    """Tables and columns that a query names."""
    parsed = parse(sql, "sqlite")
    if isinstance(parsed, ParseFailure):
        return set(), set()
    tables = {table.name.casefold() for table in parsed.tree.find_all(exp.Table)}
    return tables, {column.name.casefold() for column in parsed.tree.find_all(exp.Column)}


def read(file: Path) -> list[dict[str, Any]]:
    """What was answered so far."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def pending(file: Path, way: tuple[str, int], seed: int, longest: int) -> Iterator[Subject]:
    """Questions that are not answered yet by that graph with so many pairs."""
    done = {one["index"] for one in read(file) if (one["graph"], one["shown"]) == way}
    return (one for one in subjects(seed, longest) if one.item.index not in done)


def report(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Per graph, group and number of pairs: how many are right without and with them; 95 % intervals."""
    ways = sorted({_way(one) for one in rows})
    return [_line(way, [one for one in rows if _way(one) == way]) for way in ways]


def _way(row: dict[str, Any]) -> tuple[str, str, int]:
    return row["graph"], row["group"], row["shown"]


def _line(way: tuple[str, str, int], rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    right = sum(one["right"] for one in rows)
    return {
        **dict(zip(("graph", "group", "pairs shown"), way, strict=True)),
        "n": len(rows),
        "databases": len({one["database"] for one in rows}),
        "right without": sum(one["right_without"] for one in rows),
        "right with": right,
        "interval": [round(100 * bound, 1) for bound in wilson(right, len(rows))],
        "fixed": sum(one["right"] and not one["right_without"] for one in rows),
        "broken": sum(one["right_without"] and not one["right"] for one in rows),
        "prompt tokens": round(sum(one["prompt_tokens"] for one in rows) / len(rows)),
        "seconds": round(sum(one["seconds"] for one in rows) / len(rows), 1),
    }


def main(
    file: Annotated[Path, typer.Argument(help="Where answers are kept, a JSON object a line.")] = Path(
        "verified_pairs.jsonl"
    ),
    shown: Annotated[int, typer.Option(min=0, max=20, help="Pairs shown; 0: the same without.")] = 1,
    graph: Annotated[str, typer.Option(help="single_shot or text_to_sql.")] = "text_to_sql",
    seconds: Annotated[float, typer.Option(help="Begin no further question after this long.")] = 200,
    seed: Annotated[int, typer.Option(help="Of the order.")] = 0,
    longest: Annotated[int, typer.Option(help="Only databases whose schema has no more characters.")] = 2000,
    covered: Annotated[
        int, typer.Option(help="Ask nothing; see what pairs name, for so many questions.")
    ] = 0,
    only_report: Annotated[bool, typer.Option("--report", help="Ask nothing.")] = False,
) -> None:
    """Answer what is not answered yet, then say what came out."""
    if covered:
        typer.echo(json.dumps(coverage(seed, covered, shown)))
        return
    started, others = time.monotonic(), () if only_report else questions(ALL).items
    for subject in () if only_report else pending(file, (graph, shown), seed, longest):
        if time.monotonic() - started > seconds:
            break
        line = json.dumps(answer(subject, others, shown, graph))
        with file.open("a", encoding="utf-8") as opened:
            opened.write(line + "\n")
    typer.echo(json.dumps(report(read(file)), indent=2))


if __name__ == "__main__":
    typer.run(main)
