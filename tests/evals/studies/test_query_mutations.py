from random import Random

import pytest

from critiql.evals.studies.query_mutations import kinds, mutated

RICH = [
    "SELECT DISTINCT maker.name, count(item.title) FROM maker JOIN item ON maker.id = item.maker_id "
    "WHERE item.price >= 16 AND maker.name != 'Alder' GROUP BY maker.name HAVING count(item.title) > 1 "
    "ORDER BY 2 LIMIT 4",
    "SELECT title, price FROM item",
]


@pytest.mark.parametrize("kind", list(kinds()))
def test_every_kind_changes_some_query_and_repeats_itself(kind):
    found = [mutated(sql, kind, Random(4)) for sql in RICH]
    assert any(new not in {None, sql} for sql, new in zip(RICH, found, strict=True))
    assert found == [mutated(sql, kind, Random(4)) for sql in RICH]


def test_what_does_not_apply_gives_nothing():
    assert mutated("SELECT 1", "order dropped", Random(0)) is None
    assert mutated("SELECT 1 UNION SELECT 2", "limit", Random(0)) is None
    assert mutated("SELECT (", "limit", Random(0)) is None
