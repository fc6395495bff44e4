"""What the everyday databases are filled with: names that repeat, days, and amounts that seldom tie."""

import random
from collections.abc import Sequence
from datetime import date, timedelta

from critiql.tools.database.sample.build import FIRST, LAST

Rows = Sequence[tuple[object, ...]]
"""Rows of one table, in column order."""


def person(rng: random.Random) -> tuple[str, str]:
    """First and last name, from so few that two people share one."""
    return rng.choice(FIRST[:12]), rng.choice(LAST[:9])


def day(rng: random.Random, year: int, within: int) -> str:
    """A day at most so many days after New Year, as ISO text."""
    return (date(year, 1, 1) + timedelta(days=rng.randrange(within))).isoformat()


def money(rng: random.Random, low: int, high: int) -> float:
    """An amount with cents."""
    return rng.randint(low * 100, high * 100) / 100
