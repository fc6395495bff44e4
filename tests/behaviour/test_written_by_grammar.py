"""What the detector and the localiser let a real model write: nothing but tokens, nothing but places."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from critiql.agent.detect.grammar import token_grammar
from critiql.agent.detect.places import localiser_request, place_grammar, read_places
from critiql.agent.detect.semantic import keys_in
from critiql.tools.database.open import open_database
from critiql.tools.errors.query import Query
from critiql.tools.errors.rules import read
from critiql.tools.errors.types.catalogue import ERROR_TYPES, NULL_TOKEN
from critiql.tools.errors.types.error_type import Finding
from critiql.tools.models.factory import load_model
from critiql.tools.models.model import Prompt, Sampling

pytestmark = pytest.mark.model

SMALL = "qwen2.5-coder-0.5b-instruct"
PREFIX = "You are an expert in SQLite."


@pytest.fixture
def query(shop: Path) -> Query:
    with closing(open_database(shop)) as database:
        found = read("SELECT title FROM item WHERE price > 50", database.schema())
    assert isinstance(found, Query)
    return found


def test_error_tokens_and_nothing_else() -> None:
    sampling = Sampling(max_tokens=60, grammar=token_grammar(), temperature=1.0, seed=3)
    text = load_model(SMALL).generate(Prompt(PREFIX, "Name errors in any words."), sampling).text
    assert text == NULL_TOKEN or keys_in(text)


def test_every_error_gets_a_place_that_is_valid_json(query: Query) -> None:
    keys = [error.key for error in ERROR_TYPES][:5]
    sampling = Sampling(max_tokens=400, grammar=place_grammar(query, keys))
    request = localiser_request("Which items are cheap?", query, keys)
    text = load_model(SMALL).generate(Prompt(PREFIX, request), sampling).text
    assert list(json.loads(text)) == keys
    located = read_places(text, [Finding(key, "head", "") for key in keys], query)
    assert not any("not in the schema" in reason or "JSON" in reason for reason in located.refused)
