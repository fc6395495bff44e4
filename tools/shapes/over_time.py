"""Shapes over time: totals of a year, years side by side, running totals, the best month."""

from collections.abc import Iterator
from random import Random

from critiql.tools.shapes.columns import names_of
from critiql.tools.shapes.made import Made
from critiql.tools.shapes.measures import NOTHING, Condition, Measure, a_day, measures_of, some_condition
from critiql.tools.shapes.star import Dated, Star
from critiql.tools.shapes.words import listed, plural, upper_first


def totals(star: Star, rng: Random) -> Iterator[Made]:
    """How much, under a condition; how many is asked everywhere and needs no example."""
    for measure in measures_of(star, rng)[1:]:
        asked = some_condition(star, rng, a_day(star, rng), 0.7)
        if asked.tests:
            sql = f"SELECT {measure.total} FROM {star.source(*asked.tables)}{asked.where}"
            yield Made("total", f"{upper_first(measure.how_many)} is there{asked.words}?", sql)


def two_years(star: Star, rng: Random) -> Iterator[Made]:
    """A year and the one before: side by side, the change, the growth in percent."""
    for measure in measures_of(star, rng):
        for dated in star.days():
            early, late = rng.choice(dated.pairs)
            asked = some_condition(star, rng, None, 0.4)
            new, old = (in_year(measure, dated, year) for year in (late, early))
            source = star.source(dated.table, *asked.tables)
            for shown, question in _comparisons(measure, asked.words, late, new, old):
                yield Made("compare_periods", question, f"SELECT {shown} FROM {source}{asked.where}")


def _comparisons(measure: Measure, under: str, late: int, new: str, old: str) -> list[tuple[str, str]]:
    """What is shown, and the question."""
    early, words, many = late - 1, measure.words, measure.how_many
    return [
        (
            f"{new}, {old}",
            f"{upper_first(many)} in {late} and {many} in {early}{under}? One row, {late} first.",
        ),
        (f"{new}, {old}", f"Compare the {words}{under} in {late} with {early}, side by side."),
        (f"{new}, {old}", f"What was the {words}{under} in {late} and in {early}? Put both in one row."),
        (f"{new} - {old}", f"By how much did the {words}{under} change from {early} to {late}?"),
        (f"{new} - {old}", f"How much more was the {words}{under} in {late} than in {early}?"),
        (
            f"100.0 * ({new} - {old}) / {old}",
            f"By how many percent did the {words}{under} grow from {early} to {late}?",
        ),
        (
            f"100.0 * ({new} - {old}) / {old}",
            f"By what percentage did the {words}{under} go up or down from {early} to {late}?",
        ),
    ]


def in_year(measure: Measure, dated: Dated, year: int) -> str:
    """The total of a year among rows of several."""
    return f"SUM(CASE WHEN {dated.when.is_in(year)} THEN {measure.of_row} ELSE 0 END)"


def more_than_before(star: Star, rng: Random) -> Iterator[Made]:
    """Things with more, or less, in one year than in the one before."""
    for measure in measures_of(star, rng):
        for dated in star.days():
            for thing in star.things():
                early, late = rng.choice(dated.pairs)
                fewer = "fewer" if measure.counts else "less"
                word, sign = rng.choice((("more", ">"), (fewer, "<")))
                names = names_of(thing)
                new, old = (in_year(measure, dated, year) for year in (late, early))
                before = rng.choice((f"in {early}", f"in {early}", "the year before"))
                question = (
                    f"Which {plural(thing.name)} had {word} {measure.noun} in {late} than {before}? "
                    f"Show {listed(names)}."
                )
                grouped = f"FROM {star.source(dated.table, thing.name)} GROUP BY {star.group(thing, names)}"
                sql = f"SELECT {star.columns(thing, names)} {grouped} HAVING {new} {sign} {old}"
                yield Made("compare_periods", question, sql)


def running_totals(star: Star, rng: Random) -> Iterator[Made]:
    """Each month or year with the total so far."""
    for measure in measures_of(star, rng):
        for dated in star.days():
            for step in ("month", "year"):
                yield _running_total(star, measure, dated, step, rng)


def _running_total(star: Star, measure: Measure, dated: Dated, step: str, rng: Random) -> Made:
    asked = _of_a_year(dated, rng) if step == "month" else NOTHING
    expression = dated.when.step(step)
    inner = (
        f"SELECT {expression} AS {step}, {measure.total} AS n "
        f"FROM {star.source(dated.table)}{asked.where} GROUP BY {expression}"
    )
    each, question = rng.choice(_so_far(measure, step, asked.words))
    shown = f"{step}, n, " if each else f"{step}, "
    sql = f"SELECT {shown}SUM(n) OVER (ORDER BY {step}) FROM ({inner}) AS steps ORDER BY {step}"
    return Made("running_total", question, sql)


def average_of_steps(star: Star, rng: Random) -> Iterator[Made]:
    """What a month or a year adds on average."""
    for measure in measures_of(star, rng):
        for dated in star.days():
            for step in ("month", "year"):
                question = f"What is the average {measure.words} per {step}?"
                totals_of = f"SELECT {measure.total} AS total FROM {star.source(dated.table)}"
                inner = f"{totals_of} GROUP BY {dated.when.step(step)}"
                yield Made("average_of_sums", question, f"SELECT AVG(total) FROM ({inner}) AS totals")


def _of_a_year(dated: Dated, rng: Random) -> Condition:
    year = rng.choice(dated.years)
    return Condition(tests=(dated.when.is_in(year),), words=f" of {year}")


def _so_far(measure: Measure, step: str, of: str) -> list[tuple[bool, str]]:
    """Whether each step's own total is shown, and the question."""
    words, many = measure.words, upper_first(measure.how_many)
    return [
        (True, f"Show for each {step}{of} the {words} and the running total so far, in order of time."),
        (True, f"For every {step}{of}: {step}, {words}, and the sum up to then, in order of time."),
        (False, f"{many} had there been by the end of each {step}{of}? Show {step} and the total so far."),
    ]


def best_period(star: Star, rng: Random) -> Iterator[Made]:
    """The month and the year with the most, and the best month of each year."""
    for measure in measures_of(star, rng):
        for dated in star.days():
            for step in ("month", "year"):
                expression = dated.when.step(step)
                sql = (
                    f"SELECT {expression}, {measure.total} FROM {star.source(dated.table)} "
                    f"GROUP BY {expression} ORDER BY {measure.total} DESC LIMIT 1"
                )
                question = f"Which {step} had {measure.most}? Show the {step} and the {measure.words}."
                yield Made("best", question, sql)
            yield Made(
                "top_per_group",
                f"For each year, which month had {measure.most}? Show the year and the month as YYYY-MM.",
                _best_of_each_year(measure, dated, star.source(dated.table)),
            )


def _best_of_each_year(measure: Measure, dated: Dated, source: str) -> str:
    year, month = dated.when.year, dated.when.month
    ranked = (
        f"SELECT {year} AS year, {month} AS month, "
        f"RANK() OVER (PARTITION BY {year} ORDER BY {measure.total} DESC) AS place "
        f"FROM {source} GROUP BY {year}, {month}"
    )
    return f"SELECT year, month FROM ({ranked}) AS ranked WHERE place = 1"
