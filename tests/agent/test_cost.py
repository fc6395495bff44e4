import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from critiql.agent.cost import cost_of, in_words
from critiql.agent.evidence import CallRecord
from critiql.cli.main import app
from critiql.evals.metrics.cost import QuestionCost, Spent, cost
from critiql.evals.report.money import money_cells
from critiql.tools.models.factory import use_model
from critiql.tools.models.prices import PriceTable, price_table
from critiql.tools.settings import SettingsError, settings

TABLE = PriceTable.model_validate(
    {
        "models": {
            "openai:a": {"input": 2.0, "cached": 0.5, "output": 8.0},
            "openai:b": {"input": 1.0, "output": 4.0},
        }
    }
)


@pytest.fixture(autouse=True)
def machine() -> Iterator[None]:
    settings.cache_clear()
    yield
    settings.cache_clear()


def call(role: str, model: str, prompt: int = 1_000_000, cached: int = 0, generated: int = 0) -> CallRecord:
    return CallRecord(
        role=role,
        model=model,
        operation="generate",
        prompt_tokens=prompt,
        cached_tokens=cached,
        generated_tokens=generated,
        seconds=3.0,
    )


@pytest.mark.parametrize(
    ("calls", "hosted", "local_seconds", "unknown"),
    [
        ([], 0.0, 0.0, []),
        ([call("actor", "openai:a")], 2.0, 0.0, []),
        ([call("actor", "openai:a", cached=500_000, generated=1_000_000)], 1.0 + 0.25 + 8.0, 0.0, []),
        ([call("actor", "openai:b", cached=500_000)], 1.0, 0.0, []),
        ([call("actor", "qwen"), call("llm_critic", "openai:b")], 1.0, 3.0, []),
        ([call("actor", "openai:a"), call("refiner", "openai:new")], None, 0.0, ["openai:new"]),
        ([call("actor", "openai:a", prompt=0)], None, 0.0, ["openai:a"]),
        ([call("actor", "langchain:actor:ChatX:12345678")], None, 0.0, ["langchain:actor:ChatX:12345678"]),
    ],
)
def test_money_is_for_hosted_models_and_told_tokens_alone(
    calls: list[CallRecord], hosted: float | None, local_seconds: float, unknown: list[str]
) -> None:
    found = cost_of(calls, TABLE)
    assert found.hosted == (pytest.approx(hosted) if hosted is not None else None)
    assert (found.local_seconds, found.local, found.unknown) == (local_seconds, None, unknown)


def test_an_hour_of_this_machine_has_a_price_where_the_user_says_one() -> None:
    found = cost_of([call("actor", "qwen")], TABLE.model_copy(update={"local_hour": 12.0}))
    assert found.local == pytest.approx(0.01)
    assert in_words(found) == ""


def test_a_line_tells_the_roles_and_what_is_unknown() -> None:
    calls = [call("actor", "openai:a"), call("refiner", "openai:new"), call("llm_critic", "qwen")]
    assert in_words(cost_of(calls, TABLE)) == (
        "hosted models cost: unknown (actor 2.0000, refiner unknown; "
        "no price, or no tokens told, for openai:new)"
    )
    assert in_words(cost_of(calls[:1], TABLE)) == "hosted models cost: 2.0000 USD (actor 2.0000)"


def test_the_users_prices_lie_over_those_that_come_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert price_table().models["openai:gpt-4o"].output == 10.0
    own = tmp_path / "prices.json"
    own.write_text(json.dumps({"models": {"openai:gpt-4o": {"input": 1, "output": 2}}, "local_hour": 1}))
    monkeypatch.setenv("CRITIQL_PRICES", str(own))
    settings.cache_clear()
    table = price_table()
    assert (table.models["openai:gpt-4o"].output, table.local_hour) == (2.0, 1.0)
    assert "openai:gpt-4.1" in table.models
    monkeypatch.setenv("CRITIQL_OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    settings.cache_clear()
    assert list(price_table().models) == ["openai:gpt-4o"]


@pytest.mark.parametrize("text", ["", "[]", '{"models": {"openai:x": {"input": -1, "output": 1}}}'])
def test_prices_that_cannot_be_read_are_said(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "prices.json"
    own.write_text(text)
    monkeypatch.setenv("CRITIQL_PRICES", str(own))
    settings.cache_clear()
    with pytest.raises(SettingsError, match=r"prices\.json"):
        price_table()


def test_the_terminal_and_json_tell_the_cost(
    scripted: Callable[..., Any], shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "prices.json"
    own.write_text(json.dumps({"models": {"openai:priced": {"input": 100, "cached": 50, "output": 1000}}}))
    monkeypatch.setenv("CRITIQL_PRICES", str(own))
    settings.cache_clear()
    model = scripted(["SELECT COUNT(*) FROM item"], [0.9])
    model.name = "openai:priced"
    options = ["How many items?", "--db", str(shop), "--model", "openai:priced", "--local", "--fresh"]
    options += ["--set", "llm_critic=off"]
    with use_model("openai:priced", model):
        shown = CliRunner().invoke(app, ["ask", *options]).output
        document = json.loads(CliRunner().invoke(app, ["ask", *options, "--json"]).output)
    # the scripted model tells 100 prompt tokens, 80 of them cached, and 10 generated
    assert "hosted models cost: 0.0160 USD (actor 0.0160)" in " ".join(shown.split())
    assert document["cost"]["hosted"] == pytest.approx(0.016)
    assert document["cost"]["roles"]["actor"]["hosted_calls"] == 1


def test_a_report_counts_a_thousand_questions_by_the_models_of_a_run() -> None:
    spent = cost([QuestionCost(1.0, {"actor": Spent(1, 1000, 100), "llm_critic": Spent(1, 1000, 0)})])
    local = money_cells({}, spent, TABLE)
    assert local == {"actor": "", "llm_critic": "", "all": ""}
    mixed = money_cells({"actor_model": "openai:a"}, spent, TABLE)
    assert mixed == {"actor": "2.80 USD", "llm_critic": "", "all": "2.80 USD"}
    unknown = money_cells({"model": "openai:new", "actor_model": "openai:a"}, spent, TABLE)
    assert unknown == {"actor": "2.80 USD", "llm_critic": "unknown", "all": "unknown"}
    panel = money_cells({"model": "openai:a", "panel": ["openai:b"]}, spent, TABLE)
    assert panel["llm_critic"] == "unknown"
