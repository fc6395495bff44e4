"""All makers, and everything that they make of a schema."""

from collections.abc import Iterator
from random import Random

from critiql.tools.schema.model import Schema
from critiql.tools.shapes.by_thing import (
    average_per_thing,
    best,
    best_bundle,
    most_common_of_each,
    share_of_each,
    top_of_each,
)
from critiql.tools.shapes.made import Made, Maker
from critiql.tools.shapes.over_time import (
    average_of_steps,
    best_period,
    more_than_before,
    running_totals,
    totals,
    two_years,
)
from critiql.tools.shapes.plain_rows import (
    above_average,
    counts_by_year,
    counts_of_things,
    days_between,
    extremes,
    share_of_value,
)
from critiql.tools.shapes.presence import (
    began_in_a_year,
    both_values,
    first_and_last,
    never,
    not_since,
    one_year_and_another,
    share_with,
)
from critiql.tools.shapes.star import stars_of

MAKERS: tuple[Maker, ...] = (
    totals,
    two_years,
    more_than_before,
    running_totals,
    average_of_steps,
    best_period,
    best,
    share_of_each,
    top_of_each,
    most_common_of_each,
    average_per_thing,
    best_bundle,
    never,
    not_since,
    first_and_last,
    began_in_a_year,
    one_year_and_another,
    share_with,
    both_values,
    share_of_value,
    counts_by_year,
    counts_of_things,
    above_average,
    extremes,
    days_between,
)


def made_of(schema: Schema, seed: int = 0) -> Iterator[Made]:
    """What every maker makes of every table, in an order that the schema gives.

    Args:
        schema: with sample rows: days, categories and their values are told from these.
        seed: names the draws and the wordings.
    """
    for star in stars_of(schema):
        for make in MAKERS:
            yield from make(star, Random(f"{seed} {star.table.name} {make.__name__}"))
