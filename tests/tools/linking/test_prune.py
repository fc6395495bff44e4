"""What is kept of a schema that does not fit."""

import json
from pathlib import Path

import pytest

from critiql.tools.database.engine import Database
from critiql.tools.linking.link import link
from critiql.tools.linking.prune import fits, linked_part, prune
from critiql.tools.linking.value_index import open_value_index
from critiql.tools.schema.ddl import ddl
from critiql.tools.schema.model import Column, ForeignKey, Schema, Table

QUESTION = "Which authors from Europe wrote books with more than 200 pages?"
CASES = json.loads((Path(__file__).parents[2] / "fixtures/linking/pruning.json").read_text("utf-8"))


def characters(text: str) -> int:
    return len(text)


def with_rows(schema: Schema) -> str:
    return ddl(schema, sample_rows=3)


def warehouse() -> Schema:
    """Ninety tables of no matter, and the few that the cases speak of."""
    fillers = [
        Table(f"stage_{n}", tuple(Column(f"field_{n}_{m}", "TEXT") for m in range(20))) for n in range(90)
    ]
    told = [
        Table(
            each["name"],
            tuple(
                Column(name, "TEXT", primary_key=name == each["columns"][0], comment=comment)
                for name, comment in zip(each["columns"], each["comments"], strict=True)
            ),
            tuple(ForeignKey(each["name"], (one,), to, (other,)) for one, to, other in each["keys"]),
        )
        for each in CASES["tables"]
    ]
    samples = {each["name"]: tuple(map(tuple, each["rows"])) for each in CASES["tables"]}
    return Schema((*fillers[:45], *told, *fillers[45:]), samples=samples)


@pytest.mark.parametrize("case", CASES["questions"], ids=lambda case: case["question"])
def test_what_a_question_needs_is_kept(case: dict[str, list[str]]) -> None:
    part = prune(warehouse(), str(case["question"]), 900, characters)
    assert len(ddl(part)) <= 900
    kept = {f"{table.name}.{column.name}" for table in part.tables for column in table.columns}
    assert kept >= set(case["needs"])


def test_rows_take_what_columns_leave() -> None:
    schema = warehouse()
    question = "What is the tonnage of each vessel?"
    some = prune(schema, question, 900, characters, with_rows)
    none = prune(schema, question, 130, characters, with_rows)
    assert some.samples["vessel"] == schema.samples["vessel"]
    assert len(with_rows(some)) <= 900
    assert not any(none.samples.values())


def test_a_wide_table_gives_its_best_columns_first() -> None:
    wide = Table("reading", tuple(Column(f"sensor_{n}", "REAL") for n in range(300)))
    other = Table("station", (Column("altitude", "REAL"),))
    part = prune(Schema((wide, other)), "What is the highest sensor 271?", 400, characters)
    table = part.table("reading")
    assert table is not None
    assert table.column("sensor_271")
    assert len(ddl(part)) <= 400


def test_a_question_that_names_nothing_gets_what_fits() -> None:
    part = prune(warehouse(), "Why?", 900, characters)
    assert part.tables
    assert len(ddl(part)) <= 900


@pytest.mark.parametrize("budget", [10, 3000, 10**6])
def test_a_schema_fits_as_its_text_does(budget: int) -> None:
    schema = warehouse()
    assert fits(schema, budget, characters) == (len(ddl(schema)) <= budget)


def test_a_large_schema_is_not_counted_whole() -> None:
    counted: list[int] = []

    def count(text: str) -> int:
        counted.append(len(text))
        return len(text)

    assert not fits(warehouse(), 500, count)
    assert sum(counted) < len(ddl(warehouse())) / 2


@pytest.mark.parametrize("share", [0.75, 0.5, 0.35])
def test_keys_and_the_order_stay(share: float, library: Database, tmp_path: Path) -> None:
    schema = library.schema()
    budget = int(len(ddl(schema)) * share)
    with open_value_index(library, tmp_path / "v") as index:
        links = link(QUESTION, schema, index)
    part = prune(schema, QUESTION, budget, characters, links=links)
    kept = [table.name for table in part.tables]
    assert len(ddl(part)) <= budget
    assert {"author", "book"} <= set(kept)
    assert [table.name for table in schema.tables if table.name in kept] == kept
    check_keys(schema, part)
    for table in part.tables:
        assert all(len(row) == len(table.columns) for row in part.samples.get(table.name, ()))


def check_keys(schema: Schema, part: Schema) -> None:
    """Primary keys, and the foreign keys between kept tables with both their ends, are all there."""
    kept = {table.name for table in part.tables}
    for table in part.tables:
        whole = schema.table(table.name)
        assert whole is not None
        assert table.primary_key == whole.primary_key
    between = [key for key in schema.foreign_keys if {key.table, key.to_table} <= kept]
    assert list(part.foreign_keys) == between
    for key in between:
        for name, columns in ((key.table, key.columns), (key.to_table, key.to_columns)):
            found = part.table(name)
            assert found is not None
            assert all(found.column(column) for column in columns)


def test_tables_on_the_way_between_linked_ones_stay(library: Database) -> None:
    schema = library.schema()
    links = link("the remark and the district", schema)
    part = linked_part(schema, links)
    assert {"review", "branch"} <= {table.name for table in part.tables}
    check_keys(schema, part)


def test_something_is_left_of_an_impossible_budget(library: Database) -> None:
    assert len(prune(library.schema(), QUESTION, 1, characters).tables) == 1
    assert len(prune(library.schema(), "", 1, characters).tables) == 1
