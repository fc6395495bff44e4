"""Names of a schema in words."""

import pytest

from critiql.tools.shapes.words import listed, one_of, plural, singular


@pytest.mark.parametrize(
    ("name", "one", "many"),
    [
        ("order_items", "order item", "order items"),
        ("Company", "company", "companies"),
        ("companies", "company", "companies"),
        ("address", "address", "address"),
        ("bonus", "bonus", "bonus"),
    ],
)
def test_one_and_many(name: str, one: str, many: str) -> None:
    assert (singular(name), plural(name)) == (one, many)


def test_in_a_sentence() -> None:
    assert listed(("first_name", "last_name")) == "first name and last name"
    assert [one_of(word) for word in ("order", "review")] == ["an order", "a review"]
