"""What name repair does with stored queries: what counts as which outcome."""

from pathlib import Path

import pytest

from critiql.evals.data.item import Item
from critiql.evals.studies.name_repairs import outcome

GOLD = "SELECT item.title FROM item JOIN maker ON item.maker_id = maker.id WHERE maker.name = 'Birch'"


@pytest.mark.parametrize(
    ("sql", "became"),
    [
        ("SELECT title FROM item WHERE name = 'Birch'", "right"),
        ("SELECT name FROM item", "wrong"),
        ("SELECT colour FROM item", "none"),
        ("SELECT title FROM item", None),
        ("SELECT FROM WHERE", None),
    ],
)
def test_what_becomes_of_a_query(sql: str, became: str | None, shop: Path) -> None:
    item = Item("tiny", 0, "shop", shop, "What did Birch make?", GOLD)
    assert outcome(item, sql) == became
