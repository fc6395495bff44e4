"""Stored answers of text_to_sql, with what one more rule finds in them and code mends.

Run as `python -m critiql.evals.studies.mend_replay EXPORT ... --dataset spider-train`; needs CRITIQL_DATA,
asks no model, and prints one JSON object. Each stored candidate that the rule accuses gets its repair as a
further candidate, and the incumbent rule decides anew, generation by generation, until nothing is in doubt.
What it answers otherwise is also held against gold on copies of the database that miss some rows.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Annotated, Any, NamedTuple

import typer

from critiql.agent.context import Context
from critiql.agent.databases import summarise
from critiql.agent.decide.doubt import doubts
from critiql.agent.decide.incumbent import settle
from critiql.agent.evidence import Candidate
from critiql.evals.data.datasets import load
from critiql.evals.data.item import Item
from critiql.evals.metrics.execution_accuracy import execution_accuracy, judge
from critiql.evals.run.export import open_results
from critiql.evals.run.store import StoredAnswer
from critiql.evals.studies.decide_replay import whole
from critiql.tools.database.open import get_database
from critiql.tools.errors.lookup import DatabaseValues
from critiql.tools.errors.query import Query
from critiql.tools.errors.rules import detect, read
from critiql.tools.errors.types.attribute_mismatch import price_of_today
from critiql.tools.errors.types.attribute_redundancy import more_than_listed
from critiql.tools.errors.types.clause_error import (
    days_for_steps,
    every_day_for_the_first,
    first_of_several,
    having_of_every_group,
    limit_not_asked,
    names_that_repeat,
    top_of_all,
)
from critiql.tools.errors.types.condition_error import compared_with_all, either_for_both, other_period_kept
from critiql.tools.errors.types.condition_missing import category_unused, number_unused
from critiql.tools.errors.types.error_type import Rule
from critiql.tools.errors.types.function_error import (
    days_as_numbers,
    fraction_cut_off,
    groups_counted,
    name_in_window,
    repeated_rows_counted,
    rows_averaged,
    share_of_itself,
    step_for_total,
    totals_summed,
)
from critiql.tools.errors.types.join_error import partner_of_nothing, skipped_table, unrelated_columns
from critiql.tools.errors.types.modifier_error import wrong_end_of_age
from critiql.tools.errors.types.subquery_error import member_of_other_keys
from critiql.tools.errors.types.table_redundancy import unneeded_join
from critiql.tools.errors.types.value_error import copied_key, other_value_said
from critiql.tools.sql.canonical import canonical

RULES: dict[str, Rule] = {
    "unneeded_join": unneeded_join,
    "copied_key": copied_key,
    "other_value_said": other_value_said,
    "unrelated_columns": unrelated_columns,
    "skipped_table": skipped_table,
    "member_of_other_keys": member_of_other_keys,
    "days_as_numbers": days_as_numbers,
    "share_of_itself": share_of_itself,
    "name_in_window": name_in_window,
    "wrong_end_of_age": wrong_end_of_age,
    "names_that_repeat": names_that_repeat,
    "top_of_all": top_of_all,
    "limit_not_asked": limit_not_asked,
    "having_of_every_group": having_of_every_group,
    "first_of_several": first_of_several,
    "rows_averaged": rows_averaged,
    "totals_summed": totals_summed,
    "step_for_total": step_for_total,
    "more_than_listed": more_than_listed,
    "price_of_today": price_of_today,
    "category_unused": category_unused,
    "number_unused": number_unused,
    "either_for_both": either_for_both,
    "other_period_kept": other_period_kept,
    "compared_with_all": compared_with_all,
    "days_for_steps": days_for_steps,
    "every_day_for_the_first": every_day_for_the_first,
    "repeated_rows_counted": repeated_rows_counted,
    "partner_of_nothing": partner_of_nothing,
    "groups_counted": groups_counted,
    "fraction_cut_off": fraction_cut_off,
}
CONTEXT = Context(llm_critic="off")
COPIES = 5
"""Copies of a database on which a changed answer is judged."""
SHARE = 0.5
"""Part of the rows of a table that a copy keeps."""
PLAIN = {"calibration", "seconds", "llm_critic", "critic_threshold", "z"}
"""Settings of runs that are replayed; the critic of a store rejects nothing."""
NEXT = 1000
"""Added to the id of a candidate for that of its repair."""


class Ended(NamedTuple):
    """Where an answer ends."""

    sql: str
    right: bool
    round: int
    in_doubt: bool


class Replayed(NamedTuple):
    """One stored answer, without and with the rule."""

    number: int
    """Of the question."""
    before: Ended
    now: Ended


def replay(answer: StoredAnswer, item: Item, rule: Rule) -> Replayed:
    """Decide a stored answer as it is, and with what the rule finds in its candidates."""
    stored: list[Any] = [whole(candidate) for candidate in answer.candidates]
    mended = [each for candidate in stored for each in _with_repair(candidate, item, rule)]
    return Replayed(answer.index, _ended(stored), _ended(mended))


def _ended(candidates: Sequence[Any]) -> Ended:
    incumbent: Any = candidates[0]
    last = 0
    for last in sorted({candidate["round"] for candidate in candidates}):
        known: list[Candidate] = [one for one in candidates if one["round"] <= last]
        incumbent, _ = settle(known, incumbent)
        if not doubts(incumbent, CONTEXT):
            return Ended(incumbent["sql"], bool(incumbent.get("correct")), last, in_doubt=False)
    return Ended(incumbent["sql"], bool(incumbent.get("correct")), last, in_doubt=True)


def _with_repair(candidate: dict[str, Any], item: Item, rule: Rule) -> Iterator[dict[str, Any]]:
    """The candidate, accused where the rule speaks, and its repair behind it."""
    database = get_database(item.database)
    values = DatabaseValues(database)
    query = read(candidate["sql"], database.schema(), question=item.question, values=values)
    found = list(rule(query)) if isinstance(query, Query) and query.resolution.complete else []
    if not found or found[0].mended is None:
        yield candidate
        return
    accused = [one for one in candidate.get("findings") or [] if one["type"] != found[0].type]
    yield {**candidate, "findings": [*accused, found[0].as_dict()]}
    sql = canonical(found[0].mended, database.dialect)
    again = read(sql, database.schema(), question=item.question, values=values)
    yield {
        "id": candidate["id"] + NEXT,
        "sql": sql,
        "origin": "repair",
        "mends": candidate["id"],
        "round": candidate["round"],
        "execution": summarise(database.run(sql)),
        "findings": [one.as_dict() for one in detect(again)],
        "correct": execution_accuracy(item.gold, sql, item.database).correct,
    }


def on_copies(item: Item, queries: Sequence[str], folder: Path) -> list[bool]:
    """Whether each query gives gold's rows on every copy of the database."""
    names = [folder / f"{item.db_id}-{number}.sqlite" for number in range(COPIES)]
    files = [_copy(item.database, name, number) for number, name in enumerate(names)]
    return [judge(item.gold, sql, files).correct for sql in queries]


def _copy(source: Path, target: Path, seed: int) -> Path:
    """A copy that keeps rows at random, so that some refer to nothing and some are referred to by none."""
    if target.exists():
        return target
    chance = Random(f"{source.stem}:{seed}")
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
        new.create_function("kept", 0, lambda: chance.random() < SHARE)
        names = new.execute("select name from sqlite_master where type = 'table'").fetchall()
        for (name,) in names:
            if name.startswith("sqlite_"):
                continue
            quoted = name.replace('"', '""')
            new.execute(f'delete from "{quoted}" where not kept()')
        new.commit()
    return target


def answers_of(path: Path) -> Iterator[StoredAnswer]:
    """The answers of text_to_sql with its default settings.

    Raises:
        ValueError: the file is no export.
    """
    with closing(open_results(path)) as store:
        for run in store.runs():
            plain = run.spec.settings.keys() <= PLAIN
            if run.spec.system == "text_to_sql" and plain:
                yield from (answer for answer in store.answers(run) if answer.candidates)


def summarise_replays(found: Sequence[Replayed], items: dict[int, Item]) -> dict[str, object]:
    """What comes out otherwise, on the databases and on copies of them."""
    changed = [one for one in found if one.before.sql != one.now.sql]
    copies: Counter[str] = Counter()
    with TemporaryDirectory() as folder:
        for one in changed:
            queries = (one.before.sql, one.now.sql)
            before, now = on_copies(items[one.number], queries, Path(folder))
            copies[f"{_word(before)} before, {_word(now)} now"] += 1
    return {
        "answers": len(found),
        "right before": sum(one.before.right for one in found),
        "right now": sum(one.now.right for one in found),
        "another query": len(changed),
        "fixed": [one.number for one in changed if one.now.right and not one.before.right],
        "broken": [one.number for one in changed if one.before.right and not one.now.right],
        "on copies": dict(copies),
        "end earlier": sum(one.now.round < one.before.round for one in found),
        "newly in doubt": sum(one.now.in_doubt and not one.before.in_doubt for one in found),
    }


def _word(right: bool) -> str:
    return "right" if right else "wrong"


def main(
    exports: Annotated[list[Path], typer.Argument(help="Exports of text_to_sql.")],
    dataset: Annotated[str, typer.Option(help="The data set their indices are of.")] = "spider-train",
) -> None:
    """Print what each rule changes, per file."""
    data = load(dataset)
    if data.not_run:
        raise typer.BadParameter(data.not_run)
    items = {item.index: item for item in data.items}
    report = {
        path.name: {
            name: summarise_replays([replay(one, items[one.index], rule) for one in answers_of(path)], items)
            for name, rule in RULES.items()
        }
        for path in exports
    }
    typer.echo(json.dumps(report, indent=2))


if __name__ == "__main__":
    typer.run(main)
