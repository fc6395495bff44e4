"""An endpoint that hangs: the time of the run, a cancelled run and Ctrl-C end the call within a second."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hanging import WAYS, Hanging, hanging

from critiql.agent.context import Context
from critiql.graphs.api import aask, ask
from critiql.graphs.catalogue import GRAPHS
from critiql.tools.models.cancel import CallCancelledError, OutOfTimeError, cancellable, time_limit
from critiql.tools.models.hosted import HostedModel
from critiql.tools.models.model import Generation, ModelError, Prompt, Sampling

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

PROMPT = Prompt("Schema", "Question?")
QUESTION = "How many items are there?"
LEAVING = 4.0
"""Seconds for the end of a command: ending Python takes its part, and most on a starved machine."""
SOON = 1.5
"""Seconds that the end may take: half a second on top of the promised one, for a starved machine."""


@pytest.fixture(params=WAYS)
def server(request: pytest.FixtureRequest) -> Iterator[Hanging]:
    with hanging(request.param) as found:
        yield found


def model(server: Hanging) -> HostedModel:
    return HostedModel.from_spec(f"openai:m@{server.url}")


def gone(server: Hanging) -> bool:
    """Whether the client left, too: an endpoint that goes on writing would be paid for it."""
    deadline = time.monotonic() + SOON
    while server.clients and time.monotonic() < deadline:
        time.sleep(0.02)
    return not server.clients


def test_a_deadline_ends_the_call(server: Hanging) -> None:
    started = time.monotonic()
    with time_limit(0.5):
        if server.how == "trickle":
            generation = model(server).generate(PROMPT, Sampling())
            assert isinstance(generation, Generation)
            assert generation.finish_reason == "cancelled"
        else:
            with pytest.raises(OutOfTimeError, match="time of the run was over"):
                model(server).generate(PROMPT, Sampling())
    assert 0.4 < time.monotonic() - started < 0.5 + SOON
    assert gone(server)


def test_a_deadline_ends_a_reading(server: Hanging) -> None:
    started = time.monotonic()
    with time_limit(0.5), pytest.raises(OutOfTimeError):
        model(server).choose(PROMPT, [["True"], ["False"]])
    assert time.monotonic() - started < 0.5 + SOON
    assert gone(server)


def test_an_event_ends_the_call(server: Hanging) -> None:
    with cancellable(threading.Event()) as event:
        threading.Timer(0.3, event.set).start()
        started = time.monotonic()
        with pytest.raises(CallCancelledError):
            model(server).choose(PROMPT, [["True"], ["False"]])
    assert time.monotonic() - started < 0.3 + SOON
    assert gone(server)


@pytest.mark.parametrize("name", GRAPHS)
def test_the_time_of_a_run_ends_it(name: str, shop: Path) -> None:
    with hanging("body") as server:
        started = time.monotonic()
        context = Context(model=f"openai:m@{server.url}", seconds=1)
        with pytest.raises(ModelError, match="seconds="):
            ask(QUESTION, shop, graph=name, context=context)
        assert time.monotonic() - started < 1 + SOON + 1
        assert gone(server)


async def test_a_cancelled_run_ends(server: Hanging, shop: Path) -> None:
    run = asyncio.create_task(aask(QUESTION, shop, context=Context(model=f"openai:m@{server.url}")))
    while not server.asked.is_set():
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.5)
    started = time.monotonic()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert time.monotonic() - started < SOON
    assert await asyncio.to_thread(gone, server)


def listen() -> None:
    """Let Ctrl-C reach a program whose shell runs it in the background, with the signal switched off."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def command(server: Hanging, shop: Path, *more: str) -> "subprocess.Popen[str]":
    program = Path(sys.executable).parent / "critiql"
    return subprocess.Popen(
        [program, "ask", QUESTION, "--db", shop, "--model", f"openai:m@{server.url}", "--fresh", *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        preexec_fn=listen,
    )


def test_ctrl_c_ends_the_command(server: Hanging, shop: Path) -> None:
    with command(server, shop) as process:
        assert server.asked.wait(60)
        time.sleep(0.3)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        took = time.monotonic() - started
    assert process.returncode == 130, said
    assert "Interrupted" in said
    assert "Traceback" not in said
    assert took < LEAVING
    assert gone(server)


def test_seconds_ends_the_command(shop: Path) -> None:
    with hanging("body") as server, command(server, shop, "--set", "seconds=15", "--quiet") as process:
        assert server.asked.wait(60)
        started = time.monotonic()
        _, said = process.communicate(timeout=60)
    assert process.returncode == 4, said
    assert "seconds=" in said
    assert "Traceback" not in said
    assert time.monotonic() - started < 15 + LEAVING
