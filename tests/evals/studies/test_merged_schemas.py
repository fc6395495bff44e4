"""Merging schemas, what a query needs of one, and what is counted as kept."""

from pathlib import Path

import pytest

from critiql.evals.data.item import Item
from critiql.evals.studies.merged_schemas import Kept, keep, merge, needs, summarise
from critiql.tools.schema.model import Column, ForeignKey, Schema, Table


def shop(extra: str) -> Schema:
    return Schema(
        (
            Table("item", (Column("item_no", "INT"), Column(extra, "TEXT"))),
            Table(
                "sale",
                (Column("sale_no", "INT"), Column("item_no", "INT")),
                (ForeignKey("sale", ("item_no",), "item", ("item_no",)),),
            ),
        ),
        samples={"item": ((1, extra),)},
    )


SCHEMAS = {"one": shop("colour"), "two": shop("weight"), "three": shop("length")}


def test_taken_names_get_a_number_and_keys_and_rows_follow() -> None:
    merged = merge(SCHEMAS, 3, 12)
    assert {table.name for table in merged.schema.tables} == {
        "item",
        "item_2",
        "item_3",
        "sale",
        "sale_2",
        "sale_3",
    }
    for names in merged.names.values():
        sale = merged.schema.table(names["sale"])
        assert sale is not None
        assert sale.foreign_keys[0].table == names["sale"]
        assert sale.foreign_keys[0].to_table == names["item"]
        assert merged.schema.samples[names["item"]]


def test_a_merge_ends_with_the_database_that_fills_it() -> None:
    assert len(merge(SCHEMAS, 3, 5).names) == 2
    assert merge(SCHEMAS, 3, 12) == merge(SCHEMAS, 3, 12)


@pytest.mark.parametrize(
    ("sql", "places"),
    [
        ("SELECT count(*) FROM sale", {("sale", None)}),
        (
            "SELECT colour FROM item WHERE item_no IN (SELECT item_no FROM sale)",
            {("item", None), ("sale", None), ("item", "colour"), ("item", "item_no"), ("sale", "item_no")},
        ),
        ("SELECT size FROM item", None),
        ("SELECT FROM", None),
    ],
)
def test_needs_are_what_a_query_reads(sql: str, places: set[tuple[str, str | None]] | None) -> None:
    assert needs(sql, SCHEMAS["one"]) == places


def test_kept_counts_columns_and_asks_for_tables_too() -> None:
    merged = merge(SCHEMAS, 3, 12)
    item = Item("d", 0, "two", Path("two.sqlite"), "Which weights?", "SELECT weight FROM item")
    needed = needs(item.gold, SCHEMAS["two"])
    assert needed is not None
    found = keep(item, needed, merged, lambda _: merged.schema, lambda part: len(part.tables))
    assert found[:4] == (1, 1, True, 6)
    nothing = keep(item, needed, merged, lambda _: Schema(()), lambda part: len(part.tables))
    assert nothing[:4] == (1, 0, False, 0)


def test_the_summary_is_of_columns_and_of_questions() -> None:
    told = summarise([Kept(3, 3, True, 900, 10.0), Kept(1, 0, False, 700, 30.0)])
    assert (told["recall"], told["whole"], told["most_tokens"], told["median_ms"]) == (0.75, 1, 900, 20.0)
