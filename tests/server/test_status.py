"""What the server tells of its model while a real one answers, and after."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from critiql.server.app import make_app
from critiql.tools.models.files.store import resolve
from critiql.tools.models.model import ModelError
from critiql.tools.served import Served
from critiql.tools.settings import settings

pytestmark = pytest.mark.model

MODEL = "qwen2.5-coder-0.5b-instruct"
PLAIN = {"z": 1, "llm_critic": "off", "max_tokens": 40, "answer_cache": False}


@pytest.fixture
def served(shop: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    try:
        resolve(MODEL)
    except ModelError as error:
        pytest.skip(str(error))
    offered = Served(databases={"shop": str(shop)}, models=(MODEL,))
    monkeypatch.setenv("CRITIQL_SERVED", offered.model_dump_json())
    settings.cache_clear()
    return offered


async def test_it_is_busy_while_it_answers_and_tells_its_speed_after(served: Served) -> None:
    transport = httpx.ASGITransport(make_app(served))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=None) as client:

        async def status() -> dict[str, Any]:
            return (await client.get("/api/status")).json()  # type: ignore[no-any-return]

        body = {"question": "How many items are there?", "settings": PLAIN}
        asking = asyncio.create_task(client.post("/api/ask", json=body))
        seen = []
        while not asking.done():
            seen.append(await status())
            await asyncio.sleep(0.02)
        assert "event: answer" in (await asking).text
        after = await status()
    assert any(one["busy"] for one in seen)
    assert after["model"] == MODEL
    assert after["loaded"] is True
    assert after["busy"] is False
    assert 0 < after["tokens_per_second"] < 100_000
