"""What the tokens of a statement decide: one SELECT or not, and whether a policy lets it run."""

import json
from pathlib import Path
from typing import Any

import pytest

from critiql.tools.database.guard.access import Catalog, check_access
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.guard.single_select import Refusal, one_select

FIXTURES = Path(__file__).parents[3] / "fixtures" / "database"
CASES = [json.loads(line) for line in (FIXTURES / "one_select_access.jsonl").read_text().splitlines()]
POLICY = AccessPolicy(deny_tables=frozenset({"Secrets"}), deny_columns=frozenset({"Customers.Card"}))
CATALOG = Catalog(
    tables=frozenset({"customers", "orders", "secrets", "leaky", "nested"}),
    views={"leaky": "SELECT value FROM secrets", "nested": "SELECT value FROM leaky"},
    schemas=frozenset({"hidden"}),
    functions=frozenset({"tell"}),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["sql"][:50])
def test_verdict(case: dict[str, Any]) -> None:
    tokens = one_select(case["sql"])
    found = tokens if isinstance(tokens, Refusal) else check_access(tokens, POLICY, CATALOG)
    assert (found.kind if found else "runs") == case["verdict"], found
    if "name" in case:
        assert found is not None
        assert found.name == case["name"]


def test_an_allow_list_names_all_that_may_be_read() -> None:
    policy = AccessPolicy(allow_tables=frozenset({"orders", "leaky"}))

    def verdict(sql: str) -> Refusal | None:
        tokens = one_select(sql)
        assert not isinstance(tokens, Refusal)
        return check_access(tokens, policy, CATALOG)

    assert verdict("SELECT * FROM orders JOIN leaky ON true") is None
    assert verdict("SELECT id FROM customers") is not None
    assert verdict("SELECT id FROM orders, nested") is not None


def test_a_view_whose_text_is_not_known_is_denied() -> None:
    tokens = one_select("SELECT x FROM dark")
    assert not isinstance(tokens, Refusal)
    found = check_access(tokens, POLICY, Catalog(frozenset({"dark"}), {"dark": ""}))
    assert found is not None
    assert found.name == "dark"
