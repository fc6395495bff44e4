"""What is counted or added up, and conditions on it, in SQL and in words."""

import re
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from critiql.tools.shapes.columns import amounts_of, categories_of, product_of
from critiql.tools.shapes.star import Dated, Star
from critiql.tools.shapes.words import one_of, said, singular

MONEY = ("revenue", "amount of money", "total value", "sales value")
_IS_MONEY = re.compile(r"(^| )(total|amount|revenue|sales)$")
SUMS = 2
"""Columns of a table that are added up; the first ones stand for the others."""


class Measure(NamedTuple):
    """Something that rows have more or less of."""

    total: str
    """The aggregate."""
    of_row: str
    """What one row adds to it."""
    words: str
    """As in: show the number of orders."""
    most: str
    """As in: which had the most orders."""
    how_many: str
    """As in: how many orders."""
    noun: str
    """As in: had more orders."""

    @property
    def counts(self) -> bool:
        """Whether rows are counted."""
        return self.of_row == "1"


def measures_of(star: Star, rng: Random) -> list[Measure]:
    """The count of rows, then totals."""
    many = star.many
    found = [Measure("COUNT(*)", "1", f"number of {many}", f"the most {many}", f"how many {many}", many)]
    product = product_of(star.table)
    if product is not None:
        found.append(_money(star, product, rng))
    plain = [name for name in amounts_of(star.table) if name not in (product or ())]
    return found + [_sum(star, name, rng) for name in plain[:SUMS]]


def _money(star: Star, product: Sequence[str], rng: Random) -> Measure:
    row = " * ".join(star.column(star.table.name, name) for name in product)
    words = rng.choice(MONEY)
    most = rng.choice((f"the highest {words}", "the most money"))
    return Measure(
        f"SUM({row})", row, words, most, rng.choice((f"how much {words}", "how much money")), words
    )


def _sum(star: Star, name: str, rng: Random) -> Measure:
    row, called = star.column(star.table.name, name), said(name)
    words = called if called.startswith("total") else f"total {called}"
    if _IS_MONEY.search(called):
        words = rng.choice((words, *MONEY))
    return Measure(f"SUM({row})", row, words, f"the highest {words}", f"what {words}", words)


class Condition(NamedTuple):
    """What rows are left to: SQL for WHERE with the tables it needs, and words behind a noun."""

    tables: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    words: str = ""

    @property
    def where(self) -> str:
        """The WHERE clause, with a blank before it; empty where nothing is asked."""
        return f" WHERE {' AND '.join(self.tests)}" if self.tests else ""

    def also(self, other: "Condition") -> "Condition":
        """Both."""
        return Condition(self.tables + other.tables, self.tests + other.tests, self.words + other.words)


NOTHING = Condition()


def values_of(star: Star, rng: Random, tables: Sequence[str] = ()) -> list[Condition]:
    """A value of each category that rows lead to, or of those of some tables."""
    found: list[Condition] = []
    for name in tables or tuple(star.alias):
        for category in categories_of(star.schema, star.schema.by_name[name.casefold()]):
            value = rng.choice(category.values)
            test = f"{star.column(name, category.column)} = {text(value)}"
            own = name == star.table.name or bool(tables)
            word = said(category.column)
            words = (
                f" with {word} {value}"
                if own
                else rng.choice(
                    (
                        f" where the {word} of the {singular(name)} is {value}",
                        f" of {one_of(singular(name))} with {word} {value}",
                    )
                )
            )
            found.append(Condition((name,), (test,), words))
    return found


def a_day(star: Star, rng: Random) -> Dated | None:
    """One of the days of a row; None where it has none."""
    days = star.days()
    return rng.choice(days) if days else None


def some_condition(star: Star, rng: Random, dated: Dated | None, chance: float) -> Condition:
    """A value, a year, both or nothing.

    Args:
        star: what is asked about.
        rng: draws.
        dated: the day whose years may be asked for.
        chance: of each of the two.
    """
    found, values = NOTHING, values_of(star, rng)
    if values and rng.random() < chance:
        found = rng.choice(values)
    if dated is not None and rng.random() < chance:
        year = rng.choice(dated.years)
        found = found.also(Condition((dated.table,), (dated.when.is_in(year),), f" in {year}"))
    return found


def text(value: str) -> str:
    """A text as SQL needs it."""
    return "'" + value.replace("'", "''") + "'"
