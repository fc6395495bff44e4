"""The trace of a run: numbered, timed, one id a candidate, and always an end."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import validate
from typer.testing import CliRunner

import critiql
from critiql.agent.answer import Answer
from critiql.agent.context import Context
from critiql.agent.events import EVENT, Event, Proposed
from critiql.cli.main import app
from critiql.graphs.api import stream
from critiql.graphs.catalogue import GRAPHS, graph
from critiql.tools.models.model import ModelError

QUESTION = "Which items are there?"
RIGHT = "SELECT title FROM item"
REPEATING = [RIGHT, "SELECT titel FROM item", "SELECT id FROM item"]
"""The second is mended to what the first is."""


async def followed(shop: Path, **options: Any) -> tuple[list[Any], Exception | None]:
    """Everything that a run yields, and what it raised."""
    seen: list[Any] = []
    try:
        async for item in stream(QUESTION, shop, **options):
            seen += [item]
    except critiql.CritiqlError as error:
        return seen, error
    return seen, None


def context(**more: Any) -> Context:
    return Context(model="scripted", llm_critic="raw", z=4, **more)


@pytest.mark.parametrize("name", GRAPHS)
async def test_events_are_numbered_timed_and_end(name: str, shop: Path, scripted: Callable[..., Any]) -> None:
    scripted(REPEATING, [0.3])
    before = datetime.now(UTC) - timedelta(seconds=1)
    seen, error = await followed(shop, graph=name, context=context())
    *events, answer = seen
    assert error is None
    assert isinstance(answer, Answer)
    assert all(isinstance(event, Event) for event in events)
    assert [event.seq for event in events] == list(range(len(events)))
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert before < events[0].at <= events[-1].at < datetime.now(UTC) + timedelta(seconds=1)
    assert [event.type for event in events if event.type in ("answered", "error")] == ["answered"]
    assert events[-1].type == "answered"
    assert [EVENT.validate_python(told) for told in answer.events] == [
        event for event in events if event.type != "writing"
    ]


@pytest.mark.parametrize("name", GRAPHS)
async def test_candidates_have_ids_of_their_own(name: str, shop: Path, scripted: Callable[..., Any]) -> None:
    scripted(REPEATING, [0.3])
    seen, _ = await followed(shop, graph=name, context=context(refine=True))
    told = [event for event in seen if isinstance(event, Proposed)]
    kept = seen[-1].candidates
    assert [event.id for event in told] == list(range(len(told)))
    assert [(event.id, event.sql) for event in told] == [(one["id"], one["sql"]) for one in kept]


async def test_a_run_that_fails_ends_with_an_error(shop: Path, scripted: Callable[..., Any]) -> None:
    def fail(*_: Any) -> Any:
        raise ModelError("it refused the call")

    scripted([RIGHT]).generate = fail
    seen, error = await followed(shop, context=context())
    assert isinstance(error, ModelError)
    last = seen[-1]
    assert (last.type, last.kind, last.message, last.exit_code) == (
        "error",
        "ModelError",
        "it refused the call",
        4,
    )
    assert [event.seq for event in seen] == list(range(len(seen)))


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"graph": "nowhere"}, "UnknownGraphError"),
        ({"models": {"poet": "scripted"}}, "UnknownRoleError"),
        ({"context": context(database="/nowhere/at/all.sqlite")}, "DatabaseError"),
    ],
)
async def test_also_one_that_cannot_begin(options: dict[str, Any], kind: str, shop: Path) -> None:
    seen, error = await followed("" if kind == "DatabaseError" else shop, **options)  # type: ignore[arg-type]
    assert [(event.type, event.kind, event.exit_code) for event in seen] == [
        ("error", kind, error.exit_code if isinstance(error, critiql.CritiqlError) else 0)
    ]


async def test_an_answer_that_is_there_already_also_ends(
    shop: Path, tmp_path: Path, scripted: Callable[..., Any]
) -> None:
    scripted([RIGHT], [0.6])
    kept = {"checkpoint": tmp_path / "run.sqlite", "context": context()}
    first, _ = await followed(shop, **kept)
    again, _ = await followed(shop, **kept)
    *events, answer = again
    assert [(event.seq, event.type) for event in events] == [(0, "resumed"), (1, "answered")]
    assert (answer.sql, events[-1].sql) == (first[-1].sql, RIGHT)


async def test_langgraph_streams_json_numbered_by_run(shop: Path, scripted: Callable[..., Any]) -> None:
    scripted([RIGHT], [0.6])
    given: Any = {"question": QUESTION, "database": str(shop)}

    async def numbers() -> list[int]:
        told = graph("text_to_sql").astream(given, context=context(), stream_mode="custom")
        return [json.loads(json.dumps(event))["seq"] async for event in told]

    for found in await asyncio.gather(numbers(), numbers()):
        assert found == list(range(len(found)))


def test_an_event_of_an_earlier_version_can_be_read() -> None:
    old = EVENT.validate_python({"version": 1, "type": "budget", "limit": "z", "spent": 5})
    assert (old.seq, old.at) == (None, None)


async def test_the_schema_is_printed_and_holds(shop: Path, scripted: Callable[..., Any]) -> None:
    scripted(REPEATING, [0.3])
    seen, _ = await followed(shop, context=context())
    done = CliRunner().invoke(app, ["events", "--schema"])
    schema = json.loads(done.stdout)
    for event in seen[:-1]:
        validate(schema, event.model_dump(mode="json"))
    listed = CliRunner().invoke(app, ["events"]).stdout
    assert [name for name in schema["discriminator"]["mapping"] if name not in listed] == []
