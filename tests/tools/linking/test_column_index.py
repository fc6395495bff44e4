"""What a question speaks of, by an index over names, comments and sampled rows."""

import gc
import json
from pathlib import Path

import pytest

from critiql.tools.linking import per_schema as kept
from critiql.tools.linking.column_index import ColumnIndex, column_index
from critiql.tools.linking.link import Link, QuestionSpan
from critiql.tools.schema.model import Column, ForeignKey, Schema, Table

CASES = json.loads((Path(__file__).parents[2] / "fixtures/linking/relevance.json").read_text("utf-8"))


def port() -> Schema:
    return Schema(
        (
            Table("vessel", (Column("vessel_no", "INT"), Column("tonnage", "INT"))),
            Table("harbour", (Column("town", "TEXT"), Column("depth", "REAL", comment="metres at low tide"))),
            Table(
                "call_log",
                (Column("vessel_no", "INT"), Column("arrivaldate", "TEXT"), Column("remark", "TEXT")),
                (ForeignKey("call_log", ("vessel_no",), "vessel", ("vessel_no",)),),
            ),
            Table("pilot", (Column("surname", "TEXT"),)),
        ),
        samples={"harbour": (("Gdynia", 9.5), ("Bergen", 12.0)), "pilot": (("Voss" * 40,),)},
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["question"]))
def test_the_best_place_of_a_question(case: dict[str, str]) -> None:
    relevance = ColumnIndex(port()).relevance(case["question"])
    assert max(relevance.tables, key=lambda name: relevance.tables[name]) == case["table"]
    if case["column"]:
        columns = {place: score for place, score in relevance.columns.items() if place[0] == case["table"]}
        assert max(columns, key=lambda place: columns[place])[1] == case["column"]


def test_a_neighbour_by_key_shares_what_is_asked() -> None:
    tables = ColumnIndex(port()).relevance("What is the tonnage?").tables
    assert tables["vessel"] > tables["call_log"] > 0
    assert "pilot" not in tables


def test_a_value_that_was_looked_up_counts_for_its_column() -> None:
    link = Link(QuestionSpan(0, 4, "Fram"), "value_exact", "call_log", "remark", "Fram", 100.0)
    index = ColumnIndex(port())
    assert not index.relevance("Fram?").columns
    assert set(index.relevance("Fram?", [link]).columns) == {("call_log", "remark")}


def test_words_of_long_cells_are_not_kept() -> None:
    assert not ColumnIndex(port()).relevance("Voss" * 40).tables


def test_an_index_lives_as_long_as_its_schema() -> None:
    schema = port()
    index = column_index(schema)
    assert column_index(schema) is index
    key = (id(schema), "columns")
    assert key in kept._KEPT
    del schema
    gc.collect()
    assert key not in kept._KEPT
