"""Two instances: one is killed, an interrupt goes on at the other, and they are restarted in turn.

One cluster serves all tests of this file, which follow each other.
"""

import os
import re
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, LiteralString, TypeVar

import httpx
import psycopg
import pytest
from gated_model import GatedModel, gated_model
from langgraph_sdk import get_sync_client
from plain_cluster import QUICK_LEASES, PlainCluster, figure, plain_cluster

pytestmark = [pytest.mark.slow, pytest.mark.server, pytest.mark.enable_socket]

T = TypeVar("T")
QUERY = "SELECT COUNT(*) AS artists FROM artists"
QUESTIONS = 24
INSTANCES = ("instance-1", "instance-2")
SLOTS = 4
"""Runs that an instance takes at a time. Both are full before a quarter of the questions is left."""
BEFORE_THE_GATE = ("actor", "ground")
"""Nodes that are finished where the model holds its second answer back, the newest first."""
PATIENCE = 120.0


@pytest.fixture(scope="module")
def model() -> Iterator[GatedModel]:
    with gated_model(QUERY) as running:
        yield running


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, model: GatedModel) -> Iterator[PlainCluster]:
    settings = {**QUICK_LEASES, "WORKER_COUNT": "1", "N_JOBS_PER_WORKER": str(SLOTS)}
    folder = tmp_path_factory.mktemp("cluster")
    with plain_cluster(folder, ["--model", model.name], settings) as running:
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


def test_all_are_answered_once_where_an_instance_is_killed(
    cluster: PlainCluster, clients: list[Any], model: GatedModel
) -> None:
    survivor = clients[1]
    with model.shut():
        asked = [ask(clients[number % 2], number) for number in range(QUESTIONS)]
        until(lambda: [len(runs_of(cluster, name)) for name in INSTANCES] == [SLOTS, SLOTS])
        until(lambda: sum(node == "refiner" for _, node in calls_of(model)) == SLOTS * len(INSTANCES))
        met = runs_of(cluster, "instance-1")
        assert {tuple(nodes_done(survivor, thread)) for thread, run in asked if run in met} == {
            BEFORE_THE_GATE
        }
        cluster.kill("instance-1")
    runs = [until(lambda t=thread, r=run: ended(survivor, t, r)) for thread, run in asked]
    assert Counter(run["status"] for run in runs) == {"success": QUESTIONS}
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{cluster['urls'][0]}/live")
    assert rows(cluster, "SELECT run_id FROM runs WHERE execution_params ->> '_retry_count' = '1'") == met
    assert figure(cluster["urls"][1], 'aegra_reaper_recovered_runs_total{outcome="crashed_retried"}') == SLOTS
    calls = calls_of(model)
    for number, (thread, run) in enumerate(asked):
        assert survivor.threads.get_state(thread)["values"]["rows"] == [[60]]
        assert Counter(nodes_done(survivor, thread)) == {"ground": 1, "actor": 1, "refiner": 1, "answer": 1}
        assert calls[name_of(number), "actor"] == 1, "what was finished runs once"
        assert calls[name_of(number), "refiner"] == (2 if run in met else 1), "what was not, runs again"


def test_restarted_in_turn_while_questions_come(
    cluster: PlainCluster, clients: list[Any], model: GatedModel
) -> None:
    before = cluster["pids"]
    with model.shut():
        asked = [ask(clients[1], number) for number in range(100, 100 + 2 * SLOTS)]
        until(lambda: len(runs_of(cluster, "instance-2")) == SLOTS)
        cluster.process.send_signal(signal.SIGHUP)
        # it takes no more connections, so it was told to end while it holds what it took
        until(lambda: not listens(cluster["urls"][1]))
        assert len(runs_of(cluster, "instance-2")) == SLOTS
    until(lambda: all(cluster["pids"][name] != before[name] for name in INSTANCES))
    runs = [until(lambda t=thread, r=run: ended(clients[0], t, r)) for thread, run in asked]
    assert Counter(run["status"] for run in runs) == {"success": 2 * SLOTS}
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


def rows(cluster: PlainCluster, query: LiteralString, *given: str) -> set[str]:
    """The first column of what PostgreSQL returns."""
    with psycopg.connect(cluster["database"]) as connection:
        return {row[0] for row in connection.execute(query, given)}


def runs_of(cluster: PlainCluster, instance: str) -> set[str]:
    """Runs on which an instance has a lease."""
    query = "SELECT run_id FROM runs WHERE status = 'running' AND claimed_by LIKE '%%-' || %s || '-worker-%%'"
    return rows(cluster, query, str(cluster["pids"][instance]))


def calls_of(model: GatedModel) -> Counter[tuple[str, str]]:
    """How often the model was asked about each question of the kill, by the node that asked."""
    found = ((re.search(r"number 0\d\d", body), body) for body in model.asked)
    return Counter((marked[0], "refiner" if QUERY in body else "actor") for marked, body in found if marked)


def listens(url: str) -> bool:
    """Whether an address takes connections."""
    address = httpx.URL(url)
    try:
        socket.create_connection((address.host, address.port), timeout=PATIENCE).close()
    except ConnectionRefusedError:
        return False
    return True


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
