"""Spans of a question, kept in memory by the exporter of the SDK."""

import json
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import critiql
from critiql.agent.context import Context
from critiql.tools import telemetry
from critiql.tools.telemetry import CONTENT, TelemetryError

pytest.importorskip(telemetry.INSTRUMENTATION)

from langchain_core.language_models.fake_chat_models import FakeListChatModel
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

QUESTION = "Which chair is secretly-asked?"
SQL = "SELECT title FROM item WHERE title = 'chair'"
"""Neither may stand in a span by default."""


class NamedModel(FakeListChatModel):
    """The instrumentation passes over models without a name."""

    model: str = "named"


@pytest.fixture
def spans() -> Iterator[Callable[[], list[Any]]]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    telemetry.start(provider)
    yield lambda: list(exporter.get_finished_spans())
    telemetry.stop()


def ask(shop: Path, model: Any = None, **settings: Any) -> Any:
    given = {"models": {"model": model}} if model else {}
    context = Context(**({} if model else {"model": "scripted"}), **settings)
    return critiql.ask(QUESTION, shop, context=context, **given)


def names(found: list[Any]) -> list[str]:
    return [span.name for span in found]


def test_nodes_readings_and_queries_are_spans_below_the_run(
    scripted: Callable[..., Any], shop: Path, spans: Callable[[], list[Any]]
) -> None:
    scripted([SQL], [0.9])
    assert ask(shop, llm_critic="raw").status == "accepted"
    found = spans()
    by_name = {span.name: span for span in found}
    assert {"node ground", "node actor", "node llm_critic", "choose scripted"} <= set(by_name)
    root = by_name["invoke_workflow text_to_sql"]
    assert by_name["node actor"].parent.span_id == root.context.span_id
    assert by_name["choose scripted"].parent.span_id == by_name["node llm_critic"].context.span_id
    assert by_name["choose scripted"].attributes["critiql.p_true"] == pytest.approx(0.9, abs=0.01)
    assert by_name["node llm_critic"].attributes["critiql.verdict"] == "accepted"
    assert by_name["node answer"].attributes["critiql.stopped"] == "accepted"
    query = next(s for s in found if s.parent and s.parent.span_id == _id(by_name, "node execution_critic"))
    assert dict(query.attributes) == {
        "db.system.name": "sqlite",
        "db.query.summary": "SELECT item",
        "db.operation.name": "SELECT",
        "db.response.returned_rows": 1,
    }
    assert len({span.context.trace_id for span in found}) == 1


def _id(by_name: dict[str, Any], name: str) -> int:
    return int(by_name[name].context.span_id)


def test_no_content_is_told_by_default(shop: Path, spans: Callable[[], list[Any]]) -> None:
    ask(shop, NamedModel(responses=[SQL]), llm_critic="off")
    found = spans()
    assert any(name.startswith("chat") for name in names(found)), sorted(set(names(found)))
    told = json.dumps([dict(span.attributes) | {"events": str(span.events)} for span in found])
    assert "secretly-asked" not in told
    assert "chair" not in told


def test_the_text_of_a_query_is_told_where_content_is_asked_for(
    scripted: Callable[..., Any],
    shop: Path,
    spans: Callable[[], list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(CONTENT, "SPAN_ONLY")
    scripted([SQL], [0.9])
    ask(shop, llm_critic="off")
    assert SQL in [span.attributes.get("db.query.text") for span in spans()]


def test_a_query_that_fails_is_a_failed_span(
    scripted: Callable[..., Any], shop: Path, spans: Callable[[], list[Any]]
) -> None:
    scripted(["SELECT title FROM nowhere_at_all"], [0.9])
    ask(shop, llm_critic="off", z=1)
    failed = [span for span in spans() if "error.type" in span.attributes]
    assert failed
    assert {span.status.status_code.name for span in failed} == {"ERROR"}
    assert {span.attributes["error.type"] for span in failed} == {"no_such_table"}


def test_without_tracing_there_is_no_span(scripted: Callable[..., Any], shop: Path) -> None:
    scripted([SQL], [0.9])
    assert ask(shop, llm_critic="off").rows == [["chair"]]
    assert telemetry._tracer is None


def test_what_is_not_installed_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        if name.startswith("opentelemetry"):
            raise ModuleNotFoundError(name=name)
        return import_module(name)

    monkeypatch.setattr(telemetry, "import_module", missing)
    with pytest.raises(TelemetryError, match=r"pip install 'critiql\[otel\]'"):
        telemetry.start()
