"""What a worker says is rows or a failure, whatever it says; nested values are text."""

import json
from pathlib import Path
from typing import Any

import pytest

from critiql.tools.database.open import open_database
from critiql.tools.database.result import Failure, Limits, Rows
from critiql.tools.database.sandbox.statement import ask_rows

FIXTURES = Path(__file__).parents[3] / "fixtures" / "database"


def read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FIXTURES / name).read_text("utf-8").splitlines()]


class Saying:
    """A pool whose workers all say the same."""

    def __init__(self, reply: dict[str, Any]) -> None:
        self.reply = reply

    def ask(self, request: dict[str, Any], seconds: float, largest: int) -> dict[str, Any]:
        return self.reply


@pytest.mark.parametrize("case", read("worker_replies.jsonl"), ids=lambda case: json.dumps(case["reply"]))
def test_reply(case: dict[str, Any]) -> None:
    found = ask_rows(Saying(case["reply"]), "SELECT 1", Limits())  # type: ignore[arg-type]
    assert (found.kind if isinstance(found, Failure) else None) == case["kind"]
    if isinstance(found, Rows):
        assert (found.columns, found.types, found.rows) == (("a",), ("",), ((1,),))


@pytest.mark.parametrize("case", read("duckdb_cells.jsonl"), ids=lambda case: case["sql"])
def test_nested_values_of_duckdb(case: dict[str, str], tmp_path: Path) -> None:
    import duckdb

    with duckdb.connect(tmp_path / "some.duckdb") as connection:
        connection.execute("CREATE TABLE t (a INT)")
    database = open_database(f"duckdb:{tmp_path / 'some.duckdb'}")
    found = database.run(case["sql"])
    database.close()
    assert isinstance(found, Rows), found
    assert found.rows == ((case["cell"],),)
