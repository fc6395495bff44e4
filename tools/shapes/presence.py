"""Shapes of presence: never, not since, first and last, in one year but not in another, both values."""

from collections.abc import Iterator
from random import Random

from critiql.tools.schema.model import Table
from critiql.tools.shapes.columns import categories_of, name_values, names_of
from critiql.tools.shapes.made import Made
from critiql.tools.shapes.measures import NOTHING, text, values_of
from critiql.tools.shapes.star import Star
from critiql.tools.shapes.words import listed, plural, said, singular

MONTHS = ((1, "January"), (4, "April"), (7, "July"), (10, "October"))


def _keys(star: Star, thing: Table, *tables: str, where: str = "") -> str:
    """A query for the keys of the things that have measured rows."""
    return f"SELECT {star.columns(thing, thing.primary_key)} FROM {star.source(thing.name, *tables)}{where}"


def never(star: Star, rng: Random) -> Iterator[Made]:
    """Things without a measured row: which, and how many."""
    for thing in star.things():
        names, things = names_of(thing), plural(thing.name)
        key = star.q(thing.primary_key[0])
        test = f"FROM {star.q(thing.name)} WHERE {key} NOT IN ({_keys(star, thing)})"
        question = rng.choice(
            (
                f"Which {things} have never had any {star.many}? Show {listed(names)}.",
                f"List the {listed(names)} of {things} without {star.many}.",
            )
        )
        yield Made("never", question, f"SELECT {', '.join(map(star.q, names))} {test}")
        yield Made("never", f"How many {things} have no {star.many}?", f"SELECT COUNT(*) {test}")


def not_since(star: Star, rng: Random) -> Iterator[Made]:
    """Things whose last row lies before a day, and how many have none from that day on."""
    for thing in star.things():
        names, things = names_of(thing), plural(thing.name)
        for dated in star.days():
            number, month = rng.choice(MONTHS)
            year = rng.choice(dated.years)
            day, said_day = f"'{year}-{number:02d}-01'", f"1 {month} {year}"
            question = rng.choice(
                (
                    f"Which {things} had {star.many} before but none since {said_day}? Show {listed(names)}.",
                    f"Which {things} had their last {star.one} before {said_day}? Show {listed(names)}.",
                    f"Which {things} have not had any {star.many} since {said_day}? Show {listed(names)}.",
                )
            )
            grouped = f"FROM {star.source(thing.name, dated.table)} GROUP BY {star.group(thing, names)}"
            shown = f"SELECT {star.columns(thing, names)} {grouped} HAVING MAX({dated.when.day}) < {day}"
            yield Made("not_since", question, shown)
            recent = _keys(star, thing, dated.table, where=f" WHERE {dated.when.day} >= {day}")
            outside = f"WHERE {star.q(thing.primary_key[0])} NOT IN ({recent})"
            counted = f"How many {things} had no {star.many} since {said_day}? Count those without any too."
            yield Made("not_since", counted, f"SELECT COUNT(*) FROM {star.q(thing.name)} {outside}")


def first_and_last(star: Star, rng: Random) -> Iterator[Made]:
    """The first or last day of each thing, and how many things began in a year."""
    for thing in star.things():
        names = names_of(thing)
        for dated in star.days():
            word, function = rng.choice((("first", "MIN"), ("last", "MAX")))
            own = values_of(star, rng, (thing.name,))
            asked = rng.choice(own) if own and rng.random() < 0.6 else NOTHING
            question = (
                f"When was the {word} {star.one} of each {singular(thing.name)}{asked.words}? "
                f"Show {listed(names)} and the day; leave out those without any."
            )
            source = star.source(thing.name, dated.table)
            day = f"{function}({dated.when.day})"
            grouped = f"FROM {source}{asked.where} GROUP BY {star.group(thing, names)}"
            yield Made("first_last", question, f"SELECT {star.columns(thing, names)}, {day} {grouped}")


def began_in_a_year(star: Star, rng: Random) -> Iterator[Made]:
    """How many things had their first, or their last, row in a year."""
    for thing in star.things():
        for dated in star.days():
            word, function = rng.choice((("first", "MIN"), ("last", "MAX")))
            year, day = rng.choice(dated.years), f"{function}({dated.when.day})"
            found = dated.when.of(day).is_in(year)
            question = f"How many {plural(thing.name)} had their {word} {star.one} in {year}?"
            keys = f"{_keys(star, thing, dated.table)} GROUP BY {star.group(thing)} HAVING {found}"
            yield Made("first_last", question, f"SELECT COUNT(*) FROM ({keys}) AS began")


def one_year_and_another(star: Star, rng: Random) -> Iterator[Made]:
    """Things with rows in one year, and again, or not, in the next: how many, and which."""
    for thing in star.things():
        for dated in star.days():
            early, late = rng.choice(dated.pairs)
            again = rng.random() < 0.5
            what = f"and again in {late}" if again else f"but none in {late}"
            question = f"How many {plural(thing.name)} had {star.many} in {early} {what}?"
            key = star.q(thing.primary_key[0])
            old, new = (
                _keys(star, thing, dated.table, where=f" WHERE {dated.when.is_in(year)}")
                for year in (early, late)
            )
            test = f"{key} IN ({old}) AND {key} {'' if again else 'NOT '}IN ({new})"
            yield Made("gap", question, f"SELECT COUNT(*) FROM {star.q(thing.name)} WHERE {test}")
            names = names_of(thing)
            listing = f"Which {plural(thing.name)} had {star.many} in {early} {what}? Show {listed(names)}."
            shown = ", ".join(map(star.q, names))
            yield Made("gap", listing, f"SELECT {shown} FROM {star.q(thing.name)} WHERE {test}")


def share_with(star: Star, rng: Random) -> Iterator[Made]:
    """What part of all things had a row in a year."""
    for thing in star.things():
        for dated in star.days():
            year, things = rng.choice(dated.years), plural(thing.name)
            question = rng.choice(
                (
                    f"What percentage of {things} had any {star.many} in {year}?",
                    f"What share of all {things} has had {star.many} in {year}, in percent?",
                )
            )
            counted = f"COUNT(DISTINCT {star.columns(thing, thing.primary_key)})"
            part = f"100.0 * {counted} / (SELECT COUNT(*) FROM {star.q(thing.name)})"
            source = star.source(thing.name, dated.table)
            yield Made("share", question, f"SELECT {part} FROM {source} WHERE {dated.when.is_in(year)}")


def both_values(star: Star, rng: Random) -> Iterator[Made]:
    """Things with rows of two values of one category."""
    for thing in star.things():
        for name in (name for name in star.alias if name != thing.name):
            table = star.schema.by_name[name.casefold()]
            for column, values in _pairs(star, table):
                first, second = rng.sample(values, 2)
                expression, names = star.column(name, column), names_of(thing)
                what = said(column) if column not in names_of(table) else singular(name)
                question = (
                    f"Which {plural(thing.name)} had {star.many} of both the {what} {first} and the "
                    f"{what} {second}? Show {listed(names)}."
                )
                sql = (
                    f"SELECT {star.columns(thing, names)} FROM {star.source(thing.name, name)} "
                    f"WHERE {expression} IN ({text(first)}, {text(second)}) "
                    f"GROUP BY {star.group(thing, names)} HAVING COUNT(DISTINCT {expression}) = 2"
                )
                yield Made("several_conditions", question, sql)


def _pairs(star: Star, table: Table) -> list[tuple[str, list[str]]]:
    """The first column that two texts are known of: a category, or else the name of a small table."""
    own = [*categories_of(star.schema, table), *name_values(star.schema, table)]
    return [(one.column, list(one.values)) for one in own if len(one.values) > 1][:1]
