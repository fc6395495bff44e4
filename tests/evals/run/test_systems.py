from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from critiql.agent.context import Context
from critiql.agent.memory.confirm import confirm
from critiql.evals.data.item import Item
from critiql.evals.run import systems
from critiql.evals.run.systems import context_of, local, remote, settings_of
from critiql.tools.database.engine import DEFAULT_LIMITS
from critiql.tools.database.open import get_database


def test_settings_are_read_as_json_or_text_and_named_without_folders() -> None:
    context = context_of("/models/tiny.gguf", None, ["z=3", "llm_critic=off", "temperatures=[0, 0.5]"])
    assert (context.z, context.llm_critic, context.temperatures) == (3, "off", (0.0, 0.5))
    assert settings_of(context) == {
        "model": "tiny.gguf",
        "seconds": 3600.0,
        "z": 3,
        "llm_critic": "off",
        "temperatures": [0.0, 0.5],
    }


@pytest.mark.parametrize("setting", ["z", "z=99", "unheard_of=1"])
def test_wrong_settings_are_refused(setting: str) -> None:
    with pytest.raises(ValueError, match=r"key=value|z|unheard_of"):
        context_of(None, None, [setting])


ITEM = Item("tiny", 0, "db", Path("db.sqlite"), "how many", "select 1", evidence="a hint")


def test_a_local_graph_gets_question_database_and_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(systems, "ask", lambda *given, **options: asked.update(options, given=given))
    context = context_of(None, None, [])
    local("single_shot", context)(ITEM)
    assert asked == {
        "given": ("how many", Path("db.sqlite")),
        "graph": "single_shot",
        "context": context.model_copy(update={"memory": False}),
        "evidence": "a hint",
        "draft": "",
    }


class Deployed:
    """What a LangGraph server streams back."""

    def __init__(self, name: str, *, url: str) -> None:
        self.made = (name, url)

    def stream(self, given: Any, config: Any, *, context: Any, stream_mode: Any, version: str) -> Any:
        assert (given["question"], given["evidence"], context["z"]) == ("how many", "a hint", 2)
        assert version == "v2"
        yield {"type": "custom", "data": {"type": "writing", "text": "sel"}}
        yield {"type": "custom", "data": {"type": "answered", "sql": "select 1"}}
        state = {"question": "how many", "database": "db", "sql": "select 1"}
        yield {"type": "values", "data": state | {"status": "unverified", "stopped": "unchecked"}}


def test_a_deployed_graph_answers_with_its_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systems, "RemoteGraph", Deployed)
    answer = remote("text_to_sql", "http://127.0.0.1:1", context_of(None, None, ["z=2"]))(ITEM)
    assert (answer.sql, answer.status) == ("select 1", "unverified")
    assert [event["type"] for event in answer.events] == ["answered"]


class Breaking(Deployed):
    """A server that is gone for a while."""

    left = 0

    def stream(self, given: Any, config: Any, **more: Any) -> Any:
        if Breaking.left:
            Breaking.left -= 1
            raise httpx.ConnectError("refused")
        yield from super().stream(given, config, **more)


@pytest.mark.parametrize(("breaks", "answered"), [(3, True), (4, False)])
def test_a_question_is_asked_again_where_its_connection_breaks(
    monkeypatch: pytest.MonkeyPatch, breaks: int, answered: bool
) -> None:
    monkeypatch.setattr(systems, "RemoteGraph", Breaking)
    monkeypatch.setattr(systems, "PAUSES", (0.0, 0.0, 0.0))
    monkeypatch.setattr(Breaking, "left", breaks)
    ask = remote("text_to_sql", "http://127.0.0.1:1", context_of(None, None, ["z=2"]))
    if answered:
        assert ask(ITEM).sql == "select 1"
    else:
        with pytest.raises(httpx.ConnectError):
            ask(ITEM)


def test_what_somebody_verified_here_changes_no_result(scripted: Callable[..., Any], shop: Path) -> None:
    query = "SELECT COUNT(*) FROM maker"
    confirm("How many makers?", query, get_database(shop), "Ines", limits=DEFAULT_LIMITS)
    model = scripted([query])
    local("single_shot", Context(model="scripted"))(
        Item("own", 0, "shop", shop, "How many makers are there?", query)
    )
    assert "verified" not in model.asked[0][1].request
