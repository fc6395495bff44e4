"""What columns are for, and the joins of a star: told from a schema with sample rows."""

from dataclasses import replace

import pytest

from critiql.tools.schema.model import Column, ForeignKey, Schema, Table
from critiql.tools.shapes.columns import amounts_of, categories_of, days_of, names_of, product_of
from critiql.tools.shapes.star import Star, stars_of

TRIP = Table(
    "trip",
    (
        Column("trip_id", "INTEGER", primary_key=True),
        Column("rider_id", "INTEGER"),
        Column("start_id", "INTEGER"),
        Column("end_id", "INTEGER"),
        Column("started_at", "TEXT"),
        Column("plan", "TEXT"),
        Column("km", "REAL"),
        Column("quantity", "INTEGER"),
        Column("unit price", "REAL"),
    ),
    (
        ForeignKey("trip", ("rider_id",), "rider", ("rider_id",)),
        ForeignKey("trip", ("start_id",), "place", ("place_id",)),
        ForeignKey("trip", ("end_id",), "place", ("place_id",)),
    ),
)
RIDER = Table(
    "rider",
    (
        Column("rider_id", "INTEGER", primary_key=True),
        Column("First_Name", "TEXT"),
        Column("Last_Name", "TEXT"),
        Column("town_id", "INTEGER"),
    ),
    (ForeignKey("rider", ("town_id",), "town", ("town_id",)),),
)
TOWN = Table("town", (Column("town_id", "INTEGER", primary_key=True), Column("town_name", "TEXT")))
PLACE = Table("place", (Column("place_id", "INTEGER", primary_key=True), Column("code", "TEXT")))
SAMPLES = {
    "trip": (
        (1, 1, 1, 2, "2024-05-06 10:00", "day", 3.5, 1, 2.0),
        (2, 1, 2, 1, "2023-01-02 11:30", "month", 1.25, 2, 2.5),
        (3, 2, 2, 1, None, "day", 4.0, 1, 2.0),
    ),
    "place": ((1, "A"), (2, "B")),
}


@pytest.fixture
def schema() -> Schema:
    return Schema((TRIP, RIDER, TOWN, PLACE), samples=dict(SAMPLES))


def star_of(schema: Schema, name: str) -> Star:
    return next(star for star in stars_of(schema) if star.table.name == name)


def test_columns_by_what_they_are_for(schema: Schema) -> None:
    assert [(day.column, day.years) for day in days_of(schema, TRIP)] == [("started_at", (2023, 2024))]
    assert [(one.column, one.values) for one in categories_of(schema, TRIP)] == [("plan", ("day", "month"))]
    assert amounts_of(TRIP) == ["km", "quantity", "unit price"]
    assert product_of(TRIP) is None
    assert names_of(RIDER) == ("First_Name", "Last_Name")
    assert (names_of(TOWN), names_of(PLACE)) == (("town_name",), ())


def test_a_product_of_how_many_and_the_price_of_one() -> None:
    priced = replace(TRIP, columns=(Column("Quantity", "INTEGER"), Column("unit_price", "REAL")))
    assert product_of(priced) == ("Quantity", "unit_price")


def test_without_sample_rows_there_are_no_days_and_no_categories(schema: Schema) -> None:
    bare = replace(schema, samples={})
    assert (days_of(bare, TRIP), categories_of(bare, TRIP)) == ([], [])


def test_a_table_that_two_keys_reach_is_left_out_and_the_way_goes_on(schema: Schema) -> None:
    star = star_of(schema, "trip")
    assert list(star.steps) == ["rider", "town"]
    assert star.source("town") == (
        "trip AS t JOIN rider AS r ON r.rider_id = t.rider_id JOIN town AS t2 ON t2.town_id = r.town_id"
    )
    assert star.source() == "trip AS t"
    assert [table.name for table in star.things()] == ["rider", "town"]


def test_duckdb_groups_by_every_shown_column(schema: Schema) -> None:
    assert star_of(schema, "trip").group(RIDER, names_of(RIDER)) == "r.rider_id"
    other = replace(schema, dialect="duckdb")
    assert star_of(other, "trip").group(RIDER, names_of(RIDER)) == "r.rider_id, r.First_Name, r.Last_Name"


def test_short_words_of_sql_are_no_alias() -> None:
    tables = tuple(
        Table(name, (Column("id", "INTEGER", primary_key=True),)) for name in ("as_of", "order_notes")
    )
    assert [star.source() for star in stars_of(Schema(tables))] == ["as_of AS ao", "order_notes AS t"]
