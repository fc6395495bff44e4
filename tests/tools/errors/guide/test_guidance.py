"""What the refiner is told: guidelines filled by code, in the order of repair, with the schema concerned."""

from collections.abc import Callable

import pytest

from critiql.tools.errors.guide.guidance import fill, guidance, localise, sub_schema
from critiql.tools.errors.guide.parts import GUIDES
from critiql.tools.errors.guide.repair_examples import examples_for
from critiql.tools.errors.query import Query
from critiql.tools.errors.rules import detect
from critiql.tools.errors.types.catalogue import BY_KEY
from critiql.tools.errors.types.error_type import Finding

WRONG = "SELECT titel FROM book WHERE country = 'norway' AND genre = 'Crime'"


def test_errors_come_in_the_order_of_repair_with_their_slots(reading: Callable[..., Query]) -> None:
    query = reading(WRONG, "Which crime books are from Norway?")
    located = localise(detect(query), query)
    assert [item.error.key for item in located] == ["table_missing", "attribute_mismatch", "value_error"]
    missing, _, value = located
    assert "Missing table: author" in missing.guideline
    assert "Join it on: book.author_id = author.id" in missing.guideline
    assert missing.tables == ("author", "book")
    assert "Current value: 'Crime'" in value.guideline
    assert "Column data type: TEXT" in value.guideline
    assert "Values the column holds: 'crime'" in value.guideline
    assert value.subtree == "WHERE country = 'norway' AND genre = 'Crime'"
    assert value.open_slots == ("question_value", "format_issue")


def test_all_errors_stand_in_one_text(reading: Callable[..., Query]) -> None:
    query = reading(WRONG, "Which crime books are from Norway?")
    text = guidance(detect(query), query)
    assert text.index("Error 1, Table Missing") < text.index("Error 3, Value Error")
    assert "book.author_id = author.id" in text.partition("Schema concerned:")[2]
    assert "member(" not in text
    assert "Right: " not in text


@pytest.mark.parametrize(
    ("left_out", "told"),
    [("places", ""), ("guidelines", "Missing table: author"), ("schema", "Schema concerned")],
)
def test_a_part_of_the_guidance_can_be_left_out(
    left_out: str, told: str, reading: Callable[..., Query]
) -> None:
    query = reading(WRONG, "Which crime books are from Norway?")
    rest = tuple(guide for guide in GUIDES if guide != left_out)
    told = told or detect(query)[0].explanation
    assert told in guidance(detect(query), query)
    assert told not in guidance(detect(query), query, rest)
    assert "Error 1, " in guidance(detect(query), query, rest)


def test_without_priority_errors_stand_as_they_were_found(reading: Callable[..., Query]) -> None:
    query = reading(WRONG, "Which crime books are from Norway?")
    found = list(reversed(localise(detect(query), query)))
    text = guidance([item.finding for item in found], query, ())
    assert [text.index(item.error.name) for item in found] == sorted(
        text.index(item.error.name) for item in found
    )
    assert found[0].error.key == "value_error"


def test_nothing_found_says_nothing(reading: Callable[..., Query]) -> None:
    assert guidance([], reading("SELECT title FROM book")) == ""


def test_a_finding_of_the_head_has_no_place_and_still_a_text(reading: Callable[..., Query]) -> None:
    finding = Finding("clause_error", "head", "GROUP BY may be missing.", probability=0.8)
    query = reading("SELECT genre FROM book")
    (item,) = localise([finding], query)
    assert item.guideline == ""
    assert item.open_slots == BY_KEY["clause_error"].slots
    assert item.tables == ("book",)
    assert "Error 1, Clause Error: GROUP BY may be missing." in guidance([finding], query)


def test_a_line_of_a_guideline_needs_all_its_slots() -> None:
    assert fill("Is: $a\nWas: $b\nBoth: $a $b", {"a": "x", "b": ""}) == "Is: x"


def test_the_sub_schema_keeps_the_keys_between_its_tables(reading: Callable[..., Query]) -> None:
    text = sub_schema(reading("SELECT title FROM book"), ["BOOK", "author"])
    assert text.splitlines() == [
        "author(id, name, country, born)",
        "book(id, title, genre, year, pages, price, author_id, branch_id)",
        "book.author_id = author.id",
    ]


def test_examples_are_of_the_types_asked_for_and_likest_first() -> None:
    (one,) = examples_for(["attribute_mismatch"], "Which ship is the longest boat?")
    assert "Which boat is the longest?" in one
    assert len(examples_for(["attribute_mismatch"], each=2)) == 2
    assert len(examples_for(["table_missing", "attribute_mismatch", "unreadable"])) == 2
    assert examples_for([]) == []
