"""Two instances: one is killed, an interrupt goes on at the other, and they are restarted in turn.

One cluster serves all tests of this file, which follow each other.
"""

import os
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from langgraph_sdk import get_sync_client
from plain_cluster import PlainCluster, figure, plain_cluster
from scripted_endpoint import scripted_endpoint

pytestmark = [pytest.mark.slow, pytest.mark.server, pytest.mark.enable_socket]

T = TypeVar("T")
QUERY = "SELECT COUNT(*) AS artists FROM artists"
QUESTIONS = 24
LATENCY = 3.0
"""Seconds of one call of the scripted model: long enough to be killed in."""
WRITES_A_QUERY = ("actor", "refiner")
PATIENCE = 120.0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainCluster]:
    folder = tmp_path_factory.mktemp("cluster")
    with (
        scripted_endpoint(QUERY, folder / "model.log", LATENCY) as model,
        plain_cluster(folder, ["--model", model]) as running,
    ):
        yield running


@pytest.fixture
def clients(cluster: PlainCluster) -> Iterator[list[Any]]:
    first, second = (get_sync_client(url=url, timeout=60) for url in cluster["urls"])
    with first, second:
        yield [first, second]


def test_every_instance_is_ready_and_gives_figures(cluster: PlainCluster) -> None:
    for url in cluster["urls"]:
        for page in ("live", "ready", "health"):
            assert httpx.get(f"{url}/{page}").status_code == 200
        assert httpx.get(f"{url}/page/").status_code == 200
        assert figure(url, "process_resident_memory_bytes") > 0
        assert figure(url, 'aegra_reaper_recovered_runs_total{outcome="crashed_retried"}') == 0


def test_only_what_is_served_can_be_named(clients: list[Any]) -> None:
    given = {"question": "How many artists are there?", "database": "/etc/passwd"}
    thread = clients[0].threads.create()["thread_id"]
    run = clients[0].runs.create(thread, "single_shot", input=given)
    assert until(lambda: ended(clients[1], thread, run["run_id"]))["status"] == "error"


def test_an_interrupt_of_one_instance_goes_on_at_the_other(clients: list[Any]) -> None:
    first, second = clients
    thread = first.threads.create()["thread_id"]
    given = {"messages": [{"role": "user", "content": "How many artists are there?"}]}
    list(first.runs.stream(thread, "assistant", input=given, context={"approve": True}))
    waiting = until(lambda: second.threads.get_state(thread)["interrupts"])
    assert waiting[0]["value"]["action_requests"][0]["args"]["sql"] == QUERY
    decided = {"resume": {"decisions": [{"type": "approve"}]}}
    list(second.runs.stream(thread, "assistant", command=decided, context={"approve": True}))
    state = first.threads.get_state(thread)
    assert state["next"] == []
    assert state["values"]["answer"]["rows"] == [[60]]


def test_all_are_answered_once_where_an_instance_is_killed(cluster: PlainCluster, clients: list[Any]) -> None:
    survivor = clients[1]
    asked = [ask(clients[number % 2], number) for number in range(QUESTIONS)]
    until(lambda: sum("actor" in nodes_done(survivor, thread) for thread, _ in asked) >= QUESTIONS // 4)
    cluster.kill("instance-1")
    done = {thread: nodes_done(survivor, thread) for thread, _ in asked}
    runs = [until(lambda t=thread, r=run: ended(survivor, t, r)) for thread, run in asked]
    assert Counter(run["status"] for run in runs) == {"success": QUESTIONS}
    calls = calls_of(cluster["model"])
    for number, (thread, _) in enumerate(asked):
        assert survivor.threads.get_state(thread)["values"]["rows"] == [[60]]
        assert Counter(nodes_done(survivor, thread)) == {"ground": 1, "actor": 1, "refiner": 1, "answer": 1}
        for node in WRITES_A_QUERY:
            often = calls[name_of(number), node]
            assert often == 1 if node in done[thread] else often in (1, 2), "what was finished runs once"
    recovered = figure(cluster["urls"][1], 'aegra_reaper_recovered_runs_total{outcome="crashed_retried"}')
    assert recovered >= 1, "the kill met runs"
    assert calls.total() <= QUESTIONS * len(WRITES_A_QUERY) + recovered


def test_restarted_in_turn_while_questions_come(cluster: PlainCluster, clients: list[Any]) -> None:
    before = cluster["pids"]
    asked = [ask(clients[1], number) for number in range(100, 108)]
    cluster.process.send_signal(signal.SIGHUP)
    until(lambda: all(cluster["pids"][name] != before[name] for name in ("instance-1", "instance-2")))
    assert [until(lambda t=t, r=r: ended(clients[0], t, r))["status"] for t, r in asked] == ["success"] * 8
    assert {name: cluster["pids"][name] for name in ("postgres", "redis")} == {
        name: before[name] for name in ("postgres", "redis")
    }


def test_nothing_is_left_behind(cluster: PlainCluster) -> None:
    folder, processes = Path(cluster["folder"]), cluster["pids"].values()
    cluster.process.send_signal(signal.SIGINT)
    assert cluster.process.wait(PATIENCE) == 0
    assert not folder.exists()
    assert [pid for pid in processes if is_there(pid)] == []


def ask(client: Any, number: int) -> tuple[str, str]:
    """Put a question in the background; its thread and run."""
    thread = client.threads.create()["thread_id"]
    given = {"question": f"How many artists are there, {name_of(number)}?"}
    return thread, client.runs.create(thread, "self_correction", input=given)["run_id"]


def name_of(number: int) -> str:
    """What marks a question in what the model was asked."""
    return f"number {number:03d}"


def nodes_done(client: Any, thread: str) -> list[str]:
    """Nodes whose result is in the checkpoints, as often as they were finished."""
    history = client.threads.get_history(thread, limit=50)
    return [
        task["name"]
        for state in history
        for task in state["tasks"]
        if task.get("result") is not None or state is not history[0]
        if not task["name"].startswith("__")
    ]


def ended(client: Any, thread: str, run: str) -> Any:
    """The run, once it has ended; None before."""
    found = client.runs.get(thread, run)
    return found if found["status"] in ("success", "error", "interrupted", "timeout") else None


def calls_of(model: str) -> Counter[tuple[str, str]]:
    """How often the model was asked about each question, by the node that asked."""
    admin = model.partition("@")[2].removesuffix("/v1")
    asked = httpx.get(f"{admin}/_llmock/requests", timeout=30).raise_for_status().json()
    texts = [str(request["body"]) for request in (asked["requests"] if isinstance(asked, dict) else asked)]
    found = ((re.search(r"number \d{3}", text), text) for text in texts)
    return Counter(
        (marked[0], "refiner" if QUERY in text else "actor")
        for marked, text in found
        if marked and int(marked[0][-3:]) < QUESTIONS
    )


def until(look: Callable[[], T]) -> T:
    """What it sees, once that is something."""
    deadline = time.monotonic() + PATIENCE
    while not (seen := look()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.3)
    return seen


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
