"""The sample database on another engine holds the same rows."""

from contextlib import closing
from pathlib import Path

import pytest
from targets import sample_duckdb

from critiql.tools.database.open import open_database
from critiql.tools.database.result import Rows
from critiql.tools.database.sample.build import sample_database
from critiql.tools.database.sample.script import script


def test_the_rows_are_the_same_and_days_are_dates(tmp_path: Path) -> None:
    url = f"duckdb:///{sample_duckdb(tmp_path)}"
    with closing(open_database(url)) as other, closing(open_database(sample_database())) as sqlite:
        assert {table.name for table in other.schema().tables} == {
            table.name for table in sqlite.schema().tables
        }
        for table in sqlite.schema().tables:
            everything = f"SELECT * FROM {table.name}"
            one, two = other.run(everything), sqlite.run(everything)
            assert isinstance(one, Rows)
            assert isinstance(two, Rows)
            assert one.rows == two.rows
        orders = other.schema().table("orders")
        assert orders is not None
        assert orders.columns[2].type == "DATE"
        assert set(other.schema().foreign_keys) == set(sqlite.schema().foreign_keys)


def test_another_dialect_is_refused() -> None:
    with pytest.raises(ValueError, match="postgres, mysql, duckdb"):
        script("oracle")
