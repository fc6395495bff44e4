"""Shapes by what rows belong to: the best, the best of each group, shares, averages of totals."""

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from critiql.tools.schema.model import Table
from critiql.tools.shapes.columns import categories_of, names_of
from critiql.tools.shapes.made import Made
from critiql.tools.shapes.measures import Measure, a_day, measures_of, some_condition
from critiql.tools.shapes.star import Star
from critiql.tools.shapes.words import listed, one_of, plural, said, singular, upper_first


def best(star: Star, rng: Random) -> Iterator[Made]:
    """The things with the most, and how much."""
    for measure in measures_of(star, rng):
        for thing in star.things():
            asked = some_condition(star, rng, a_day(star, rng), 0.5)
            most = rng.choice((1, 1, 3, 5, 10))
            who = _some(thing, most)
            names = names_of(thing)
            question = rng.choice(
                (
                    f"Which {who} had {measure.most}{asked.words}? "
                    f"Show {listed(names)} and the {measure.words}, highest first.",
                    f"Show the {who} with {measure.most}{asked.words}: {listed(names)} and {measure.words}.",
                )
            )
            shown = f"SELECT {star.columns(thing, names)}, {measure.total}"
            source = f"FROM {star.source(thing.name, *asked.tables)}{asked.where}"
            ordered = f"GROUP BY {star.group(thing, names)} ORDER BY {measure.total} DESC LIMIT {most}"
            yield Made("best", question, f"{shown} {source} {ordered}")


def share_of_each(star: Star, rng: Random) -> Iterator[Made]:
    """What part of everything belongs to each thing."""
    for measure in measures_of(star, rng):
        for thing in star.things():
            names = names_of(thing)
            question = (
                f"For each {singular(thing.name)}, what percentage of the {measure.words} comes from it? "
                f"Show {listed(names)} and percentage."
            )
            part = f"100.0 * {measure.total} / (SELECT {measure.total} FROM {star.source()})"
            grouped = f"FROM {star.source(thing.name)} GROUP BY {star.group(thing, names)}"
            yield Made("share", question, f"SELECT {star.columns(thing, names)}, {part} {grouped}")


class Grouping(NamedTuple):
    """What things are grouped by."""

    table: str
    expression: str
    words: str


def groupings(star: Star, thing: Table) -> list[Grouping]:
    """Categories of a thing, the names of what it belongs to, and the month of its day."""
    found = [
        Grouping(thing.name, star.column(thing.name, category.column), said(category.column))
        for category in categories_of(star.schema, thing)
    ]
    for name, step in star.steps.items():
        names = names_of(star.schema.by_name[name.casefold()]) if step.source == thing.name else ()
        found += [Grouping(name, star.column(name, column), singular(name)) for column in names[:1]]
    days = [dated for dated in star.days() if dated.table == thing.name]
    return found + [Grouping(thing.name, dated.when.month, "month") for dated in days[:1]]


def top_of_each(star: Star, rng: Random) -> Iterator[Made]:
    """The things with the most within each group of things."""
    for measure in measures_of(star, rng):
        for thing in star.things():
            groups = groupings(star, thing)
            if groups:
                yield _top_of(star, measure, thing, rng.choice(groups), rng)


def _top_of(star: Star, measure: Measure, thing: Table, group: Grouping, rng: Random) -> Made:
    asked = some_condition(star, rng, a_day(star, rng), 0.3)
    first, with_total = rng.choice((1, 1, 2, 3)), rng.random() < 0.5
    names = names_of(thing)
    columns = ", ".join(f"{star.column(thing.name, name)} AS {star.q(name)}" for name in names)
    total = f", {measure.total} AS total" if with_total else ""
    ranked = (
        f"SELECT {group.expression} AS grp, {columns}{total}, "
        f"RANK() OVER (PARTITION BY {group.expression} ORDER BY {measure.total} DESC) AS place "
        f"FROM {star.source(thing.name, group.table, *asked.tables)}{asked.where} "
        f"GROUP BY {_with_group(star, thing, names, group)}"
    )
    shown = ", ".join(["grp", *map(star.q, names), *(["total"] if with_total else [])])
    place = "= 1" if first == 1 else f"<= {first}"
    words = f"{listed(names)}, and the {measure.words}" if with_total else listed(names)
    question = rng.choice(
        (
            f"Which {_some(thing, first)} of each {group.words} had {measure.most}{asked.words}? "
            f"Show {group.words}, {words}.",
            f"For each {group.words}, show the {_some(thing, first)} with {measure.most}{asked.words}: "
            f"{group.words}, {words}.",
        )
    )
    return Made("top_per_group", question, f"SELECT {shown} FROM ({ranked}) AS ranked WHERE place {place}")


def most_common_of_each(star: Star, rng: Random) -> Iterator[Made]:
    """The value of the rows that is most frequent within each thing that they belong to."""
    for thing in star.things():
        for category in categories_of(star.schema, star.table):
            name, value = names_of(thing)[0], star.column(star.table.name, category.column)
            group, what = star.column(thing.name, name), said(category.column)
            each = singular(thing.name)
            question = rng.choice(
                (
                    f"What is the most common {what} of {star.many} for each {each}? Show {each} and {what}.",
                    f"Which {what} is the most frequent in each {each}, by number of {star.many}? "
                    f"Show {each} and {what}.",
                )
            )
            keys = star.group(thing, (name,))
            ranked = (
                f"SELECT {group} AS grp, {value} AS val, "
                f"RANK() OVER (PARTITION BY {keys} ORDER BY COUNT(*) DESC) AS place "
                f"FROM {star.source(thing.name)} GROUP BY {keys}, {value}"
            )
            yield Made(
                "top_per_group", question, f"SELECT grp, val FROM ({ranked}) AS ranked WHERE place = 1"
            )


def average_per_thing(star: Star, rng: Random) -> Iterator[Made]:
    """The average of totals, one total a thing: of all, or of each group of things."""
    for measure in measures_of(star, rng):
        for thing in (*star.things(), *star.bundles()):
            yield _average(star, measure, thing, rng)
            groups = _outer_groupings(star, thing)
            if groups:
                yield _average_by(star, measure, thing, rng.choice(groups), rng)


def _average(star: Star, measure: Measure, thing: Table, rng: Random) -> Made:
    asked = some_condition(star, rng, a_day(star, rng), 0.4)
    per = singular(thing.name)
    question = rng.choice(
        (
            f"What is the average {measure.words} per {per}{asked.words}?",
            f"What is the average {measure.words} of {one_of(per)}{asked.words}?",
            f"{upper_first(measure.how_many)} does {one_of(per)} have on average{asked.words}? "
            f"Count only {plural(thing.name)} with any.",
        )
    )
    inner = (
        f"SELECT {measure.total} AS total FROM {star.source(thing.name, *asked.tables)}{asked.where} "
        f"GROUP BY {star.group(thing)}"
    )
    return Made("average_of_sums", question, f"SELECT AVG(total) FROM ({inner}) AS totals")


def _average_by(star: Star, measure: Measure, thing: Table, group: Grouping, rng: Random) -> Made:
    asked = some_condition(star, rng, a_day(star, rng), 0.4)
    per = singular(thing.name)
    question = rng.choice(
        (
            f"What is the average {measure.words} of {one_of(per)}, by {group.words}{asked.words}? "
            f"Show {group.words} and average.",
            f"For each {group.words}, show the average {measure.words} per {per}{asked.words}.",
        )
    )
    inner = (
        f"SELECT {group.expression} AS grp, {measure.total} AS total "
        f"FROM {star.source(thing.name, group.table, *asked.tables)}{asked.where} "
        f"GROUP BY {_with_group(star, thing, (), group)}"
    )
    return Made("average_of_sums", question, f"SELECT grp, AVG(total) FROM ({inner}) AS totals GROUP BY grp")


def _outer_groupings(star: Star, thing: Table) -> list[Grouping]:
    """Groups of a thing, and those of what it belongs to."""
    owners = [
        star.schema.by_name[name.casefold()] for name, step in star.steps.items() if step.source == thing.name
    ]
    return [group for table in (thing, *owners) for group in groupings(star, table)]


def best_bundle(star: Star, rng: Random) -> Iterator[Made]:
    """The order with the most items or the highest value, and the share of orders with several."""
    for bundle in star.bundles():
        key = star.group(bundle)
        for measure in measures_of(star, rng):
            question = (
                f"Which {singular(bundle.name)} had {measure.most}? "
                f"Show its {said(bundle.primary_key[0])} and the {measure.words}."
            )
            source = f"FROM {star.source(bundle.name)} GROUP BY {key}"
            sql = f"SELECT {key}, {measure.total} {source} ORDER BY {measure.total} DESC LIMIT 1"
            yield Made("best", question, sql)
        more = rng.choice((1, 2, 3))
        counted = f"SELECT COUNT(*) AS n FROM {star.source(bundle.name)} GROUP BY {key}"
        part = f"100.0 * SUM(CASE WHEN n > {more} THEN 1 ELSE 0 END) / COUNT(*)"
        what = star.many if more > 1 else star.one
        question = f"What percentage of {plural(bundle.name)} has more than {more} {what}?"
        yield Made("share", question, f"SELECT {part} FROM ({counted}) AS counted")


def _with_group(star: Star, thing: Table, names: tuple[str, ...], group: Grouping) -> str:
    """What rows of one thing have in common; the group too where the engine wants it named."""
    key = star.group(thing, names)
    free = ("sqlite", "postgres") if group.table == thing.name else ("sqlite",)
    return key if star.schema.dialect in free and group.words != "month" else f"{key}, {group.expression}"


def _some(thing: Table, first: int) -> str:
    return f"{first} {plural(thing.name)}" if first > 1 else singular(thing.name)
