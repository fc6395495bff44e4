"""Shapes of rows by themselves: shares of a value, above the average, extremes, counts by group."""

from collections.abc import Iterator
from random import Random

from critiql.tools.schema.model import Table
from critiql.tools.shapes.columns import amounts_of, categories_of, names_of, years_of
from critiql.tools.shapes.made import Made
from critiql.tools.shapes.measures import text
from critiql.tools.shapes.periods import When
from critiql.tools.shapes.star import Star
from critiql.tools.shapes.words import listed, one_of, plural, said, singular

AMOUNTS = 2
"""Columns of a table that are asked about."""


def share_of_value(star: Star, rng: Random) -> Iterator[Made]:
    """What part of all rows has a value."""
    for category in categories_of(star.schema, star.table):
        value, what, of = rng.choice(category.values), said(category.column), star.many
        question = rng.choice(
            (
                f"What percentage of all {of} has the {what} {value}?",
                f"What share of {of} is {value}, in percent?",
                f"What percentage of {of} were {value}?",
            )
        )
        test = f"{star.column(star.table.name, category.column)} = {text(value)}"
        part = f"100.0 * SUM(CASE WHEN {test} THEN 1 ELSE 0 END) / COUNT(*)"
        yield Made("share", question, f"SELECT {part} FROM {star.source()}")


def counts_by_year(star: Star, _: Random) -> Iterator[Made]:
    """How many rows of each category there are in each year."""
    for category in categories_of(star.schema, star.table):
        for dated in star.days():
            word = said(category.column)
            question = (
                f"How many {star.many} of each {word} were there in each year? Show year, {word} and count."
            )
            group = f"{dated.when.year}, {star.column(star.table.name, category.column)}"
            source = star.source(dated.table)
            yield Made("by_group", question, f"SELECT {group}, COUNT(*) FROM {source} GROUP BY {group}")


def counts_of_things(star: Star, rng: Random) -> Iterator[Made]:
    """How many rows each thing has, zero too; how many different things of another kind it has."""
    things = star.things()
    for thing in things:
        names, one = names_of(thing), singular(thing.name)
        key = star.q(thing.primary_key[0])
        own = star.columns(thing, thing.primary_key)
        counted = f"(SELECT COUNT(*) FROM {star.source(thing.name)} WHERE {own} = x.{key})"
        shown = ", ".join(f"x.{star.q(name)}" for name in names)
        question = f"For each {one}, show {listed(names)} and how many {star.many} it has, 0 without any."
        yield Made("by_thing", question, f"SELECT {shown}, {counted} FROM {star.q(thing.name)} AS x")
        others = [other for other in things if other is not thing]
        if others:
            yield _different(star, thing, rng.choice(others))


def _different(star: Star, thing: Table, other: Table) -> Made:
    names = names_of(thing)
    question = (
        f"How many different {plural(other.name)} did each {singular(thing.name)} have {star.many} with? "
        f"Show {listed(names)} and the number."
    )
    counted = f"COUNT(DISTINCT {star.columns(other, other.primary_key)})"
    source = f"FROM {star.source(thing.name, other.name)} GROUP BY {star.group(thing, names)}"
    return Made("same_name", question, f"SELECT {star.columns(thing, names)}, {counted} {source}")


def above_average(star: Star, _: Random) -> Iterator[Made]:
    """Rows above the average, of all or of their own group."""
    names = names_of(star.table)
    for amount in amounts_of(star.table)[:AMOUNTS] if names else ():
        own, average = star.column(star.table.name, amount), f"AVG(o.{star.q(amount)})"
        shown = f"SELECT {star.columns(star.table, names)}, {own} FROM {star.source()}"
        asked = f"Which {star.many} have {one_of(said(amount))} above the average"
        rows = f"{star.q(star.table.name)} AS o"
        yield Made(
            "above_average",
            f"{asked}? Show {listed(names)} and {said(amount)}.",
            f"{shown} WHERE {own} > (SELECT {average} FROM {rows})",
        )
        for column, words in _own_groups(star):
            same = f"o.{star.q(column)} = {star.column(star.table.name, column)}"
            yield Made(
                "above_average",
                f"{asked} of their own {words}? Show {listed(names)} and {said(amount)}.",
                f"{shown} WHERE {own} > (SELECT {average} FROM {rows} WHERE {same})",
            )


def _own_groups(star: Star) -> list[tuple[str, str]]:
    """Columns that put rows into groups, with words: a category, or a reference to a thing."""
    found = [(one.column, said(one.column)) for one in categories_of(star.schema, star.table)[:1]]
    keys = [key for key in star.table.foreign_keys if len(key.columns) == 1]
    return found + [(key.columns[0], singular(key.to_table)) for key in keys[:1]]


def extremes(star: Star, rng: Random) -> Iterator[Made]:
    """The row with the highest or lowest amount, or the first or last day; all of them where several are."""
    names = names_of(star.table)
    days = [(dated.when.day, "earliest", "latest") for dated in star.days() if dated.table == star.table.name]
    own = [*years_of(star.table), *amounts_of(star.table)[:AMOUNTS]]
    found = [(star.column(star.table.name, one), "lowest", "highest") for one in own]
    for expression, low, high in (*days, *found) if names else ():
        word, function = rng.choice(((low, "MIN"), (high, "MAX")))
        what = said(expression.rpartition(".")[2].strip('"`'))
        shows = f"Show {listed(names)} and {what}; list all if several have it."
        question = f"Which {star.one} has the {word} {what}? {shows}"
        shown = f"SELECT {star.columns(star.table, names)}, {expression} FROM {star.source()}"
        extreme = f"SELECT {function}({expression}) FROM {star.source()}"
        yield Made("first_last", question, f"{shown} WHERE {expression} = ({extreme})")


def days_between(star: Star, rng: Random) -> Iterator[Made]:
    """The average of days from one day of a row to the other."""
    own = [dated for dated in star.days() if dated.table == star.table.name]
    if len(own) > 1:
        first, second = sorted(rng.sample(own, 2), key=own.index)
        words = [said(one.when.day.rpartition(".")[2].strip('"`')) for one in (first, second)]
        question = f"How many days pass on average from {words[0]} to {words[1]} of {one_of(star.one)}?"
        passed: When = first.when
        yield Made("gap", question, f"SELECT AVG({passed.passed_until(second.when)}) FROM {star.source()}")
