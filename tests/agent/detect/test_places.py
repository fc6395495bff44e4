"""What a localiser is asked, and what of its answer counts."""

import json
from pathlib import Path
from typing import Any

import pytest

from critiql.agent.detect.places import (
    localiser_request,
    located_findings,
    open_slots,
    place_grammar,
    read_places,
)
from critiql.tools.database.open import get_database
from critiql.tools.errors.query import Query
from critiql.tools.errors.rules import read
from critiql.tools.errors.types.catalogue import BY_KEY
from critiql.tools.errors.types.error_type import Finding

SQL = "SELECT title FROM item WHERE price > 50 AND maker_id = 1"
CASES = json.loads((Path(__file__).parents[2] / "fixtures/agent/places.json").read_text("utf-8"))


@pytest.fixture
def query(shop: Path) -> Query:
    found = read(SQL, get_database(shop).schema())
    assert isinstance(found, Query)
    return found


def said(*keys: str) -> list[Finding]:
    return [Finding(key, "head", "d", probability=0.9) for key in keys]


def test_the_request_has_numbered_lines_and_open_slots(query: Query) -> None:
    text = localiser_request("Which?", query, ["condition_error", "value_error"])
    assert "7    gt\n8     price" in text
    assert "condition_error: " in text
    assert "Fill: right_condition" in text
    assert "Fill: question_value, format_issue" in text


def test_no_open_slot_follows_from_the_place() -> None:
    assert open_slots(BY_KEY["condition_error"]) == ("right_condition",)
    assert open_slots(BY_KEY["table_mismatch"]) == ("right_table",)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_of_an_answer_counts(query: Query, case: dict[str, Any]) -> None:
    located = read_places(case["answer"], said(*case["errors"]), query)
    assert [
        [one.type, list(one.lines), one.node.sql() if one.node else None, dict(one.slots)]
        for one in located.findings
    ] == case["located"]
    assert located.refused == case["refused"]
    for one in located.findings:
        if one.span and one.node and one.node is not query.tree:
            assert SQL[one.span.start : one.span.end] == one.node.sql()


def test_a_place_survives_the_way_through_a_candidate(query: Query) -> None:
    answer = '{"condition_error": {"lines": [7], "right_condition": "price < 50"}}'
    (found,) = read_places(answer, said("condition_error"), query).findings
    (again,) = located_findings([json.loads(json.dumps(found.as_dict()))], query)
    assert (again.node, again.span, again.slots, again.lines) == (
        found.node,
        found.span,
        found.slots,
        found.lines,
    )


def test_the_grammar_names_every_error_once_and_only_names_of_the_schema(query: Query) -> None:
    grammar = place_grammar(query, ["table_mismatch", "condition_error"])
    assert grammar.startswith('root ::= "{" e0 ", " e1 "}"\n')
    assert 'name ::= "maker" | "maker.id"' in grammar
    assert '"\\"right_table\\": " names' in grammar
    assert '"\\"right_condition\\": " text' in grammar
