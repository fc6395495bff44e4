"""Leaving out the plan where nothing guarded is named lets nothing more run than asking for it always."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from targets import attacked_duckdb

from critiql.tools.database.duckdb.catalog import read_catalog
from critiql.tools.database.duckdb.session import CONFIG
from critiql.tools.database.duckdb.wall import NoTreeError, Wall
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.guard.single_select import Refusal

FIXTURES = Path(__file__).parents[3] / "fixtures"
FILES = (
    FIXTURES / "attacks/duckdb_statements.jsonl",
    FIXTURES / "database/duckdb_everyday.jsonl",
)
POLICIES = (
    AccessPolicy(deny_tables=frozenset({"secrets"}), deny_columns=frozenset({"customers.card"})),
    AccessPolicy(allow_tables=frozenset({"public_customers", "orders", "measures"})),
)


class AlwaysPlanned(Wall):
    """The wall that asks for the plan of every statement."""

    def _is_plain(self, path: tuple[str, ...]) -> bool:
        assert path
        return False


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Any]:
    with duckdb.connect(str(attacked_duckdb(tmp_path)), read_only=True, config=CONFIG) as found:
        yield found


def _statements() -> Iterator[str]:
    for path in FILES:
        for line in path.read_text().splitlines():
            case = json.loads(line)
            if isinstance(case["sql"], str) and case.get("category") != "bomb":
                yield case["sql"]


def _verdict(wall: Wall, sql: str) -> Refusal | str | None:
    try:
        return wall.refusal(sql)
    except (NoTreeError, duckdb.Error) as error:
        return type(error).__name__


@pytest.mark.slow
@pytest.mark.parametrize("policy", POLICIES, ids=("deny", "allow"))
def test_the_plan_is_left_out_only_where_it_changes_nothing(connection: Any, policy: AccessPolicy) -> None:
    catalog = read_catalog(connection)
    quick, planned = (kind(connection, policy, catalog) for kind in (Wall, AlwaysPlanned))
    verdicts = [(sql, _verdict(quick, sql), _verdict(planned, sql)) for sql in _statements()]
    assert [each for each in verdicts if each[1] is None and each[2] is not None] == []
    assert sum(each[1] is None for each in verdicts) > 50
