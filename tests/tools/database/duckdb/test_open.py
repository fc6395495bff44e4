"""DuckDB behind the interface: what opens, what the schema says, what a result is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from targets import attacked_duckdb

from critiql.tools.database.engine import Database, DatabaseError
from critiql.tools.database.open import open_database
from critiql.tools.database.result import Limits, Rows
from critiql.tools.schema.ddl import ddl
from critiql.tools.schema.model import ForeignKey


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return attacked_duckdb(tmp_path_factory.mktemp("duckdb"))


@pytest.fixture(scope="module")
def database(path: Path) -> Iterator[Database]:
    opened = open_database(f"duckdb:///{path}")
    yield opened
    opened.close()


def test_the_schema_has_keys_comments_types_counts_and_rows(database: Database) -> None:
    schema = database.schema()
    customers, lines = schema.table("customers"), schema.table("Order Lines")
    assert customers is not None
    assert lines is not None
    assert (customers.comment, customers.row_count) == ("people who bought something", 2)
    assert customers.columns[2].comment == "where they live"
    assert lines.primary_key == ("order_id", "line")
    assert lines.foreign_keys == (ForeignKey("Order Lines", ("order_id",), "orders", ("id",)),)
    assert schema.table("vault") is None
    assert schema.samples["orders"][0] == (1, 1, 10.5, "2026-01-02")
    assert 'CREATE TABLE "Order Lines"' in ddl(schema, sample_rows=1)


def test_values_arrive_as_cells(database: Database) -> None:
    result = database.run(
        "SELECT sum(amount), max(placed), NULL, true, [1, 2], {'a': 1}, 'x'::BLOB, 2::HUGEINT FROM orders"
    )
    assert isinstance(result, Rows)
    assert result.rows == ((20.75, "2026-02-03", None, True, "[1, 2]", '{"a": 1}', b"x", 2),)
    cut = database.run("SELECT n, repeat('x', 5000) FROM numbers", Limits(rows=10, cell_bytes=7))
    assert isinstance(cut, Rows)
    assert (cut.truncated, len(cut.rows), cut.rows[0][1]) == (True, 10, "xxxxxxx")


@pytest.mark.parametrize(
    ("sql", "kind", "name"),
    [
        ("SELECT * FROM nope", "no_such_table", "nope"),
        ("SELECT nope FROM orders", "no_such_column", "nope"),
        ("SELECT id FROM orders, customers", "ambiguous_column", "id"),
        ("SELECT nope(1)", "no_such_function", "nope"),
        ("SELECT sum(amount), id FROM orders", "misuse", None),
        ("SELECT CAST('x' AS INTEGER)", "type", None),
        ("SELEC 1", "syntax", None),
        ("", "empty", None),
        ("SELECT 1; SELECT 2", "several_statements", None),
        ("DELETE FROM orders", "denied", None),
        ("SELECT * FROM read_text('/etc/hostname')", "denied", "read_text"),
    ],
)
def test_errors_have_kinds(database: Database, sql: str, kind: str, name: str | None) -> None:
    result = database.run(sql)
    assert not result.ok
    assert (result.kind, result.name) == (kind, name), result


def test_what_is_no_database_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "text.duckdb").write_text("not a database at all")
    for url, said in (
        (f"duckdb:///{tmp_path}/text.duckdb", "not a DuckDB database"),
        (f"duckdb:///{tmp_path}/none.duckdb", "no file"),
        (f"duckdb:///{tmp_path}", "is a folder"),
        ("duckdb:///:memory:", "in memory"),
    ):
        with pytest.raises(DatabaseError, match=said):
            open_database(url)
    assert not (tmp_path / "none.duckdb").exists()
