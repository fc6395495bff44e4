"""What the database refuses is said in its own words, by code, and then runs."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from critiql.tools.database.engine import Database
from critiql.tools.database.result import Failure, Rows
from critiql.tools.errors.query import Query
from critiql.tools.errors.rules import detect
from critiql.tools.errors.types.function_error import refused_function
from critiql.tools.sql.canonical import canonical

FILE = Path(__file__).parents[3] / "fixtures" / "errors" / "refused.jsonl"
CASES = [json.loads(line) for line in FILE.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("case", CASES, ids=[case["sql"] for case in CASES])
def test_a_refused_query_is_mended_where_code_can_and_gives_the_rows(
    case: dict[str, Any], reading: Callable[..., Query], library: Database
) -> None:
    refused = library.run(case["sql"])
    assert isinstance(refused, Failure)
    mended = [
        found.mended
        for found in detect(replace(reading(case["sql"]), execution=refused), (refused_function,))
        if found.mended
    ]
    assert [canonical(tree) for tree in mended] == ([case["mended"]] if case["mended"] else [])
    for tree in mended:
        result = library.run(canonical(tree))
        assert isinstance(result, Rows), result
        assert [list(row) for row in result.rows] == case["rows"]
