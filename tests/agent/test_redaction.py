"""A redacted trace tells no value: fixed queries, every kind of event, and values nobody thought of."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from critiql.agent import events
from critiql.agent.redaction import PLAIN, TEXT, redacted, redacted_sql

FIXTURES = Path(__file__).parents[1] / "fixtures/agent"
QUERIES = [json.loads(line) for line in (FIXTURES / "redacted_sql.jsonl").read_text().splitlines()]
CANARY = "CANARY"


@pytest.mark.parametrize("case", QUERIES, ids=lambda case: case["sql"][:40])
def test_a_query_keeps_its_names(case: dict[str, str]) -> None:
    assert redacted_sql(case["sql"], case["dialect"]) == case["shown"]


@pytest.mark.parametrize("dialect", ["sqlite", "postgres", "duckdb", "mysql"])
@given(text=st.text(max_size=30), number=st.integers(10**6, 10**9))
def test_no_literal_is_left(dialect: str, text: str, number: int) -> None:
    written = "'" + (CANARY + text).replace("\\", "").replace("'", "''") + "'"
    shown = redacted_sql(f"SELECT a FROM t WHERE b = {written} AND c < {number}", dialect)
    assert CANARY not in shown
    assert str(number) not in shown


@given(text=st.text(max_size=60))
def test_nothing_is_too_odd(text: str) -> None:
    shown = redacted_sql(f"{text} {CANARY!r} {text}", "sqlite")
    assert CANARY not in shown


def filled(model: type[BaseModel]) -> dict[str, Any]:
    """An event whose every text that is not Critiql's own is a canary."""
    texts: dict[str, Any] = {"sql": f"SELECT '{CANARY}'", "findings": [finding()]}
    texts |= {"trajectory": {"refused": CANARY, "sam": {"changes": [CANARY]}}}
    return {name: texts.get(name, name if name in PLAIN else CANARY) for name in model.model_fields}


def finding() -> dict[str, Any]:
    slots = {"current_value": CANARY, "candidates": CANARY, "reason": CANARY}
    return {
        "type": "value_error",
        "node": f"'{CANARY}'",
        "explanation": CANARY,
        "slots": slots,
        "span": [1, 2],
    }


KINDS = [kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, events.Event)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_event_tells_a_value(kind: type[events.Event]) -> None:
    shown = redacted(filled(kind), "sqlite")
    assert CANARY not in json.dumps(shown)
    assert set(shown) == set(kind.model_fields)
    assert all(shown[name] == name for name in PLAIN & set(shown))


def test_a_candidate_keeps_its_counts_and_tells_its_types() -> None:
    execution = {
        "ok": True,
        "message": None,
        "columns": [CANARY],
        "rows": [[CANARY, 4, 2.5, None, True]],
        "row_count": 7,
        "rows_fingerprint": CANARY,
        "seconds": 0.5,
    }
    candidate = {"id": 3, "sql": "SELECT 1", "note": CANARY, "execution": execution, "p_true": 0.25}
    shown = redacted(candidate, "sqlite")
    assert CANARY not in json.dumps(shown)
    assert (shown["id"], shown["sql"], shown["p_true"]) == (3, "SELECT <number>", 0.25)
    assert shown["execution"]["rows"] == [[TEXT, "<number>", "<number>", None, "<boolean>"]]
    assert (shown["execution"]["row_count"], shown["execution"]["seconds"]) == (7, 0.5)
