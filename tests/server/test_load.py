"""Two hundred questions by eight clients over /v1: none is lost, memory stays flat. Prints a table (-s)."""

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from scripted_endpoint import free_port, script, scripted_endpoint
from served import COUNT, QUESTION, Served, environment_of, make_shop, running

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.enable_socket]

REQUESTS, CLIENTS = 200, 8
WARM = 24
"""Requests before memory is read the first time."""
GROWTH = 25_000_000
"""Bytes that the server may grow over the 200."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("load")
    database, port = folder / "shop.sqlite", free_port()
    make_shop(database)
    environment = environment_of(folder)
    with scripted_endpoint(COUNT, folder / "llmock.log") as model:
        serve = ["serve", "--db", f"shop={database}", "--port", str(port), "--model", model]
        with running([script("critiql"), *serve], folder, port, environment):
            yield Served(f"http://127.0.0.1:{port}", port, model, database, environment)


async def ask(client: httpx.AsyncClient, number: int) -> tuple[float, str]:
    """One question, a new one each time; half of them in a stream. Gives the seconds and what was said."""
    started = time.perf_counter()
    message = {"role": "user", "content": f"{QUESTION} (asked for the {number}th time)"}
    body: dict[str, Any] = {"model": "critiql/shop", "messages": [message], "stream": number % 2 == 0}
    answered = await client.post("/v1/chat/completions", json=body)
    assert answered.status_code == 200, answered.text
    return time.perf_counter() - started, answered.text


async def load(url: str, requests: int) -> list[tuple[float, str]]:
    """That many questions, eight at a time."""
    numbers = iter(range(requests))
    done: list[tuple[float, str]] = []

    async def work() -> None:
        async with httpx.AsyncClient(base_url=url, timeout=120) as client:
            while (number := next(numbers, None)) is not None:
                done.append(await ask(client, number))

    await asyncio.gather(*(work() for _ in range(CLIENTS)))
    return done


def memory(url: str) -> int:
    """Bytes of the server's process."""
    return int(httpx.get(f"{url}/api/status").json()["memory_bytes"])


async def test_none_is_lost_and_memory_is_flat(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    await load(served.url, WARM)
    before, began = await asyncio.to_thread(memory, served.url), time.perf_counter()
    done = await load(served.url, REQUESTS)
    seconds, after = time.perf_counter() - began, await asyncio.to_thread(memory, served.url)
    assert len(done) == REQUESTS
    assert all(COUNT in text and ("[DONE]" in text or '"usage"' in text) for _, text in done)
    waited = sorted(one for one, _ in done)
    with capsys.disabled():
        print("\n| requests | clients | seconds | median | p99 | memory before | after |")  # noqa: T201 - as below
        print(  # noqa: T201 - the table is what the test is run for
            f"| {REQUESTS} | {CLIENTS} | {seconds:.1f} | {waited[REQUESTS // 2]:.2f} s "
            f"| {waited[int(REQUESTS * 0.99)]:.2f} s | {before / 1e6:.0f} MB | {after / 1e6:.0f} MB |"
        )
    assert after - before < GROWTH
    with sqlite3.connect(Path(served.database)) as unharmed:
        assert unharmed.execute(COUNT).fetchone() == (3,)
    unharmed.close()
