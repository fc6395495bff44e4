"""Questions in the shapes that analysts use, with the query of each, made from what a database has.

Each maker yields a question in one of several wordings, drawn by the seed, and SQL for SQLite. Whether the
query runs and gives rows is looked at elsewhere (`everyday_data`).
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from critiql.tools.schema.quoting import quote_name
from critiql.training.data.facts import Facts, Link, plural, said


class Shaped(NamedTuple):
    """One question and its query."""

    shape: str
    question: str
    sql: str


Maker = Callable[[Facts, Random], Iterator[Shaped]]


def share_of_value(facts: Facts, rng: Random) -> Iterator[Shaped]:
    """What part of all rows has a value."""
    for table in facts.schema.tables:
        for column, values in facts.categories(table):
            value = rng.choice(values)
            what, of = said(column), plural(table.name)
            question = rng.choice(
                (
                    f"What percentage of {of} has the {what} {value}?",
                    f"What share of the {of} is of {what} {value}, in percent?",
                    f"How many percent of all {of} have {value} as their {what}?",
                )
            )
            test = f"{q(column)} = {text(value)}"
            counted = f"CAST(SUM(CASE WHEN {test} THEN 1 ELSE 0 END) AS REAL) * 100 / COUNT(*)"
            yield Shaped("share", question, f"SELECT {counted} FROM {q(table.name)}")


def share_of_each(facts: Facts, rng: Random) -> Iterator[Shaped]:
    """What part of all rows each category has."""
    for table in facts.schema.tables:
        for column, _ in facts.categories(table):
            what, of = said(column), plural(table.name)
            question = rng.choice(
                (
                    f"For each {what}, what percentage of all {of} has it? Show {what} and percentage.",
                    f"How are the {of} spread over the values of {what}, in percent? Show both.",
                )
            )
            total = f"(SELECT COUNT(*) FROM {q(table.name)})"
            sql = f"SELECT {q(column)}, COUNT(*) * 100.0 / {total} FROM {q(table.name)} GROUP BY {q(column)}"
            yield Shaped("share", question, sql)


def top_per_group(facts: Facts, rng: Random) -> Iterator[Shaped]:
    """The things with the most events, or the largest amount, within each category of the thing."""
    for link in facts.links():
        for column, _ in facts.categories(link.thing):
            if column == link.name:
                continue
            score, scored = _score(facts, link, rng)
            first = rng.choice((1, 1, 2, 3))
            things = link.things if first > 1 else link.one_thing
            most = f"{first} {things}" if first > 1 else things
            question = rng.choice(
                (
                    f"Which {most} of each {said(column)} had {scored}? "
                    f"Show {said(column)} and {link.called}.",
                    f"For each {said(column)}, name the {most} with {scored}. "
                    f"Show {said(column)} and {link.called}.",
                )
            )
            ranked = (
                f"SELECT t.{q(column)} AS grp, t.{q(link.name)} AS name, "
                f"RANK() OVER (PARTITION BY t.{q(column)} ORDER BY {score} DESC) AS place "
                f"FROM {_joined(link)} GROUP BY t.{q(link.key)}"
            )
            compare = "= 1" if first == 1 else f"<= {first}"
            yield Shaped("top_per_group", question, f"SELECT grp, name FROM ({ranked}) WHERE place {compare}")


def average_of_counts(facts: Facts, rng: Random) -> Iterator[Shaped]:
    """How many events a thing has on average, over things that have one."""
    for link in facts.links():
        events, thing = link.many, link.one_thing
        question = rng.choice(
            (
                f"How many {events} does a {thing} with any have on average?",
                f"What is the average number of {events} per {thing}? Count only those with at least one.",
            )
        )
        counted = f"SELECT COUNT(*) AS n FROM {q(link.events.name)} GROUP BY {q(link.refers)}"
        yield Shaped("average_of_sums", question, f"SELECT AVG(n) FROM ({counted})")


def average_of_totals(facts: Facts, rng: Random) -> Iterator[Shaped]:
    """The average of a total per thing, alone or by a category of the thing."""
    for link in facts.links():
        for amount in facts.amounts(link.events)[:2]:
            groups = [column for column, _ in facts.categories(link.thing) if column != link.name]
            thing, what = link.one_thing, said(amount)
            question = rng.choice(
                (
                    f"What total {what} does a {thing} come to on average?",
                    f"Add up the {what} for each {thing}: what is the average of these totals?",
                )
            )
            total = f"SUM(e.{q(amount)}) AS total"
            if groups and rng.random() < 0.5:
                group = rng.choice(groups)
                inner = f"SELECT t.{q(group)} AS grp, {total} FROM {_joined(link)} GROUP BY t.{q(link.key)}"
                asked = f"{question[:-1]}, by {said(group)}? Show {said(group)} and average."
                yield Shaped("average_of_sums", asked, f"SELECT grp, AVG(total) FROM ({inner}) GROUP BY grp")
            else:
                inner = f"SELECT {total} FROM {q(link.events.name)} AS e GROUP BY e.{q(link.refers)}"
                yield Shaped("average_of_sums", question, f"SELECT AVG(total) FROM ({inner})")


def never(facts: Facts, rng: Random) -> Iterator[Shaped]:
    """Things without an event."""
    for link in facts.links():
        events, things = link.many, link.things
        question = rng.choice(
            (
                f"Which {things} have never had any {events}? Show their {link.called}.",
                f"List the {link.called} of all {things} without {events}.",
            )
        )
        inner = f"SELECT {q(link.refers)} FROM {q(link.events.name)} WHERE {q(link.refers)} IS NOT NULL"
        outer = f"SELECT {q(link.name)} FROM {q(link.thing.name)}"
        yield Shaped("never", question, f"{outer} WHERE {q(link.key)} NOT IN ({inner})")


def not_since(facts: Facts, rng: Random) -> Iterator[Shaped]:
    """Things whose last event lies before a year."""
    for link, day, years in _dated(facts):
        year = rng.choice(years[1:])
        question = rng.choice(
            (
                f"Which {link.things} had {link.many} before but none since the "
                f"start of {year}? Show their {link.called}.",
                f"Name the {link.things} whose last {link.one_event} was before {year}.",
            )
        )
        grouped = f"SELECT t.{q(link.name)} FROM {_joined(link)} GROUP BY t.{q(link.key)}"
        yield Shaped("not_since", question, f"{grouped} HAVING MAX(e.{q(day)}) < '{year}-01-01'")


def first_last(facts: Facts, rng: Random) -> Iterator[Shaped]:
    """The first or the last day of each thing's events."""
    for link, day, _ in _dated(facts):
        word, function = rng.choice((("first", "MIN"), ("last", "MAX")))
        question = rng.choice(
            (
                f"When was the {word} {link.one_event} of each {link.one_thing}? Show {link.called} and day.",
                f"Show the {link.called} of each {link.one_thing} with its {word} {said(day)}.",
            )
        )
        shown = f"t.{q(link.name)}, {function}(e.{q(day)})"
        yield Shaped("first_last", question, f"SELECT {shown} FROM {_joined(link)} GROUP BY t.{q(link.key)}")


def compare_periods(facts: Facts, rng: Random) -> Iterator[Shaped]:
    """Two years side by side."""
    for table in facts.schema.tables:
        for day, years in facts.days(table):
            if len(years) < 2:
                continue
            place = rng.randrange(len(years) - 1)
            early, late = years[place], years[place + 1]
            what = plural(table.name)
            question = rng.choice(
                (
                    f"How many {what} were there in {late} and how many in {early}? One row, {late} first.",
                    f"Compare the number of {what} by {said(day)} in {late} with {early}, as two columns.",
                )
            )
            counts = ", ".join(
                f"SUM(CASE WHEN {q(day)} LIKE '{year}%' THEN 1 ELSE 0 END)" for year in (late, early)
            )
            yield Shaped("compare_periods", question, f"SELECT {counts} FROM {q(table.name)}")


def more_than_before(facts: Facts, rng: Random) -> Iterator[Shaped]:
    """Things with more events in one year than in the one before."""
    for link, day, years in _dated(facts):
        place = rng.randrange(len(years) - 1)
        early, late = years[place], years[place + 1]
        word, sign = rng.choice((("more", ">"), ("fewer", "<")))
        question = (
            f"Which {link.things} had {word} {link.many} in {late} than in {early}? Show their {link.called}."
        )
        sums = [f"SUM(CASE WHEN e.{q(day)} LIKE '{year}%' THEN 1 ELSE 0 END)" for year in (late, early)]
        grouped = f"SELECT t.{q(link.name)} FROM {_joined(link)} GROUP BY t.{q(link.key)}"
        yield Shaped("compare_periods", question, f"{grouped} HAVING {sums[0]} {sign} {sums[1]}")


def running_total(facts: Facts, rng: Random) -> Iterator[Shaped]:
    """Counts of each year with those so far."""
    for table in facts.schema.tables:
        for day, years in facts.days(table):
            if len(years) < 3:
                continue
            what = plural(table.name)
            question = rng.choice(
                (
                    f"How many {what} had there been by the end of each year of {said(day)}? Show year and "
                    "number so far, in order of time.",
                    f"Show each year of {said(day)} with the running total of {what}, in order of time.",
                )
            )
            year = f"SUBSTR({q(day)}, 1, 4)"
            inner = f"SELECT {year} AS y, COUNT(*) AS n FROM {q(table.name)} GROUP BY {year}"
            sql = f"SELECT y, SUM(n) OVER (ORDER BY y) FROM ({inner}) ORDER BY y"
            yield Shaped("running_total", question, sql)


def biggest(facts: Facts, rng: Random) -> Iterator[Shaped]:
    """The thing with the largest total, and the total."""
    for link in facts.links():
        for amount in facts.amounts(link.events)[:2]:
            first = rng.choice((1, 3, 5))
            things = link.things if first > 1 else link.one_thing
            most = f"{first} {things}" if first > 1 else things
            question = rng.choice(
                (
                    f"Which {most} had the largest total {said(amount)}? Show {link.called} and total, "
                    "largest first.",
                    f"Add up the {said(amount)} per {link.one_thing} and show the {most} with the most: "
                    f"{link.called} and total.",
                )
            )
            total = f"SUM(e.{q(amount)})"
            shown = f"SELECT t.{q(link.name)}, {total} FROM {_joined(link)} GROUP BY t.{q(link.key)}"
            yield Shaped("best", question, f"{shown} ORDER BY {total} DESC LIMIT {first}")


def above_own_average(facts: Facts, rng: Random) -> Iterator[Shaped]:
    """Rows above the average of their own category."""
    for table in facts.schema.tables:
        named = facts.name_of(table)
        groups = [column for column, _ in facts.categories(table) if column != named]
        amounts = facts.amounts(table)
        if named is None or not groups or not amounts:
            continue
        group, amount = rng.choice(groups), rng.choice(amounts)
        question = (
            f"Which {plural(table.name)} have a {said(amount)} above the average of their own {said(group)}? "
            f"Show {said(named)} and {said(amount)}."
        )
        own = f"SELECT AVG(o.{q(amount)}) FROM {q(table.name)} AS o WHERE o.{q(group)} = t.{q(group)}"
        shown = f"SELECT t.{q(named)}, t.{q(amount)} FROM {q(table.name)} AS t"
        yield Shaped("above_average", question, f"{shown} WHERE t.{q(amount)} > ({own})")


def both_values(facts: Facts, rng: Random) -> Iterator[Shaped]:
    """Things with events of two categories."""
    for link in facts.links():
        for column, values in facts.categories(link.events):
            first, second = rng.sample(list(values), 2)
            question = (
                f"Which {link.things} had {link.many} of {said(column)} {first} as "
                f"well as {second}? Show their {link.called}."
            )
            some = f"e.{q(column)} IN ({text(first)}, {text(second)})"
            grouped = f"FROM {_joined(link)} WHERE {some} GROUP BY t.{q(link.key)}"
            having = f"HAVING COUNT(DISTINCT e.{q(column)}) = 2"
            yield Shaped("several_conditions", question, f"SELECT t.{q(link.name)} {grouped} {having}")


MAKERS: tuple[Maker, ...] = (
    share_of_value,
    share_of_each,
    top_per_group,
    average_of_counts,
    average_of_totals,
    never,
    not_since,
    first_last,
    compare_periods,
    more_than_before,
    running_total,
    biggest,
    above_own_average,
    both_values,
)
"""Every shape that can be made."""


def q(name: str) -> str:
    """A name as SQL needs it."""
    return quote_name(name, "sqlite")


def text(value: str) -> str:
    """A text as SQL needs it."""
    return "'" + value.replace("'", "''") + "'"


def _joined(link: Link) -> str:
    on = f"e.{q(link.refers)} = t.{q(link.key)}"
    return f"{q(link.thing.name)} AS t JOIN {q(link.events.name)} AS e ON {on}"


def _dated(facts: Facts) -> Iterator[tuple[Link, str, list[str]]]:
    """Links whose events have days of more than one year."""
    for link in facts.links():
        for day, years in facts.days(link.events):
            if len(years) > 1:
                yield link, day, list(years)


def _score(facts: Facts, link: Link, rng: Random) -> tuple[str, str]:
    """An aggregate of the events, and how it is asked for."""
    amounts = facts.amounts(link.events)
    if amounts and rng.random() < 0.5:
        amount = rng.choice(amounts)
        return f"SUM(e.{q(amount)})", f"the highest total {said(amount)}"
    return "COUNT(*)", f"the most {link.many}"
