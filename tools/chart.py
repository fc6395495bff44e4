"""A chart of rows, by rule from what the columns hold: a Vega-Lite specification as data, never code.

A model writes no part of it, and nothing in it is an expression; what a cell holds stays a value
(a model that writes chart code runs code: CVE-2024-5565).
"""

import re
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

Kind = Literal["bar", "line", "point", "arc"]
Measure = Literal["quantitative", "temporal", "nominal"]

MOST_POINTS = 500
"""Rows that a chart draws; more is no picture of anything."""
MOST_SLICES = 8
"""Parts that an eye can tell apart in a circle."""
_DATE = re.compile(r"\d{4}-\d{2}(-\d{2}([T ]\d{2}:\d{2}(:\d{2})?)?)?\Z")
_YEAR = range(1900, 2101)
_NUMBERED = re.compile(r"(^|_)(id|key|code|zip|phone)$", re.IGNORECASE)
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"


class Field(NamedTuple):
    """One column as a chart sees it."""

    place: int
    name: str
    measure: Measure


class Chart(NamedTuple):
    """A chart, or why there is none."""

    spec: dict[str, Any] | None
    kind: Kind | None
    kinds: tuple[Kind, ...]
    """Kinds that fit these columns, the best first."""
    x: str
    y: str
    reason: str


def chart_of(columns: Sequence[str], rows: Sequence[Sequence[Any]], kind: str = "") -> Chart:
    """The chart that fits these rows; of another kind where that is asked for and fits."""
    if len(rows) < 2:
        return _none("One value is no chart." if rows else "There are no rows to draw.")
    if len(rows) > MOST_POINTS:
        return _none(f"There are more than {MOST_POINTS} rows.")
    fields = fields_of(columns, rows)
    numbers = [field for field in fields if field.measure == "quantitative"]
    others = [field for field in fields if field.measure != "quantitative"]
    if not numbers:
        return _none("No column holds numbers to draw.")
    if not others and len(numbers) < 2:
        return _none("There is one column of numbers and nothing to draw it over.")
    x = _over(others) if others else numbers[0]
    y = numbers[-1]
    kinds = kinds_for(x, [row[y.place] for row in rows])
    chosen = kinds[list(kinds).index(kind)] if kind in kinds else kinds[0]
    told = "" if kind in ("", chosen) else f" Another kind, {kind}, does not fit these columns."
    reason = f"{y.name} over {x.name}, as {'an' if chosen == 'arc' else 'a'} {chosen} chart.{told}"
    return Chart(_spec(chosen, x, y, rows), chosen, kinds, x.name, y.name, reason)


def fields_of(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[Field]:
    """What each column holds."""
    return [
        Field(place, name, _measure(name, [row[place] for row in rows])) for place, name in enumerate(columns)
    ]


def kinds_for(x: Field, values: Sequence[Any]) -> tuple[Kind, ...]:
    """The kinds of chart that tell the truth about such columns, the best first."""
    if x.measure == "temporal":
        return ("line", "bar", "point")
    if x.measure == "quantitative":
        return ("point",)
    present = [value for value in values if value is not None]
    parts = len(values) <= MOST_SLICES and len(present) == len(values) and all(v >= 0 for v in present)
    return ("bar", "arc", "point") if parts else ("bar", "point")


def _over(others: Sequence[Field]) -> Field:
    return next((field for field in others if field.measure == "temporal"), others[0])


def _measure(name: str, values: Sequence[Any]) -> Measure:
    present = [value for value in values if value is not None]
    numeric = bool(present) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in present)
    if numeric:
        is_year = "year" in name.lower() and all(v in _YEAR for v in present)
        return "temporal" if is_year else "nominal" if _NUMBERED.search(name) else "quantitative"
    if present and all(isinstance(v, str) and _DATE.match(v) for v in present):
        return "temporal"
    return "nominal"


def _spec(kind: Kind, x: Field, y: Field, rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Fields are called x and y in the data: a name with a dot or a bracket would be read as a path."""
    data = [{"x": _value(row[x.place], x), "y": row[y.place]} for row in rows]
    head: dict[str, Any] = {"$schema": SCHEMA, "data": {"values": data}}
    number = {"field": "y", "type": "quantitative", "title": y.name}
    over = {"field": "x", "type": x.measure, "title": x.name}
    tooltip = [over, number]
    if kind == "arc":
        encoding: dict[str, Any] = {"theta": number, "color": {**over, "type": "nominal"}, "tooltip": tooltip}
        return {**head, "mark": {"type": "arc"}, "encoding": encoding}
    horizontal = kind == "bar" and x.measure == "nominal"
    order = {"sort": None} if horizontal else {}
    axes = {"y": {**over, **order}, "x": number} if horizontal else {"x": over, "y": number}
    mark: dict[str, Any] = {"type": kind, **({"point": True} if kind == "line" else {})}
    return {**head, "mark": mark, "encoding": {**axes, "tooltip": tooltip}}


def _value(value: Any, field: Field) -> Any:
    """A year as text, which Vega-Lite reads as a date; a number would be milliseconds."""
    return str(value) if field.measure == "temporal" and value is not None else value


def _none(reason: str) -> Chart:
    return Chart(None, None, (), "", "", reason)
