"""A run that is killed goes on where it was, asks no model twice, and ends as one that was not killed."""

import asyncio
import json
import os
import pickle
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from running import running
from typer.testing import CliRunner

from critiql.agent import node
from critiql.agent.answer import Answer
from critiql.agent.context import Context
from critiql.agent.decide import budget
from critiql.cli.main import app
from critiql.graphs.api import aask, ask
from critiql.graphs.catalogue import GRAPHS
from critiql.graphs.checkpoints import resume
from critiql.graphs.checkpoints.saver import CheckpointError, Checkpoints, open_checkpoints
from critiql.tools.database.open import close_databases
from critiql.tools.models.factory import use_model
from critiql.tools.models.model import (
    ChoiceReading,
    Generation,
    ModelError,
    Prompt,
    Sampling,
    Usage,
)

pytestmark = pytest.mark.process

QUESTION = "How many items are there?"
CONTEXT = Context(
    model="oracle", second_model="other", llm_critic="raw", z=4, regeneration="model", refine=True
)
TEXTS = (
    "SELECT weight FROM item",
    "SELECT COUNT(*) FROM items",
    "SELECT titel FROM itm",
    "SELECT pric FROM item",
)


class KilledError(Exception):
    """Stands for SIGKILL."""


class Oracle:
    """Says the same to the same call in every process, and notes what it was asked."""

    fingerprint = "oracle"

    def __init__(self, name: str = "oracle") -> None:
        self.name = name
        self.asked: list[str] = []

    def generate(self, prompt: Prompt, sampling: Sampling, on_text: Any = None) -> Generation:
        mark = self._note("generate", prompt, sampling)
        return Generation(TEXTS[mark % len(TEXTS)], "stop", -mark / 100, Usage(100, 80, 10, 0.01))

    def choose(self, prompt: Prompt, choices: Sequence[Sequence[str]]) -> ChoiceReading:
        mark = self._note("choose", prompt, choices)
        others = (-1.0,) * (len(choices) - 1)
        return ChoiceReading((-mark / 50, *others), Usage(100, 90, 0, 0.01))

    def count_tokens(self, text: str) -> int:
        return len(text) // 4

    def _note(self, *call: object) -> int:
        self.asked.append(repr(call))
        return sha256(repr(call).encode()).digest()[0]


@pytest.fixture
def oracle() -> Iterator[Oracle]:
    model = Oracle()
    with use_model("oracle", model), use_model("other", model):
        yield model


def after_each_node(monkeypatch: pytest.MonkeyPatch) -> None:
    """Die when a second node begins."""
    begun: list[None] = []
    original = node.get_runtime

    def begin(*given: Any) -> Any:
        begun.append(None)
        if len(begun) > 1:
            raise KilledError
        return original(*given)

    monkeypatch.setattr(node, "get_runtime", begin)


def after_each(method: str) -> Callable[[pytest.MonkeyPatch], None]:
    """Die when something was kept."""

    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        original = getattr(Checkpoints, method)

        def keep(self: Checkpoints, *given: Any) -> None:
            original(self, *given)
            raise KilledError

        async def put(self: Checkpoints, *given: Any) -> None:
            await original(self, *given)
            raise KilledError

        monkeypatch.setattr(Checkpoints, method, keep if method == "keep" else put)

    return patch


def plain(answer: Answer) -> Any:
    """An answer without what two runs may differ in: times, and the trace."""
    text = json.dumps(answer.model_dump(mode="json", exclude={"seconds", "events"}))
    return json.loads(text, object_hook=lambda part: {k: v for k, v in part.items() if k != "seconds"})


def killed_again_and_again(kill: Callable[[pytest.MonkeyPatch], None], **asked: Any) -> tuple[Answer, int]:
    """Ask until no process is killed any more; with the number of kills."""
    for kills in range(200):
        with pytest.MonkeyPatch.context() as monkeypatch:
            kill(monkeypatch)
            try:
                return ask(QUESTION, **asked), kills
            except KilledError:
                pass
    raise AssertionError("it does not come further")


KILLS = {
    "node": after_each_node,
    "answer of a model": after_each("keep"),
    "write of a node": after_each("aput_writes"),
    "checkpoint": after_each("aput"),
}
TRIED = [
    (name, kill)
    for name in GRAPHS
    for kill in KILLS
    if name in ("text_to_sql", "share", "self_consistency") or kill in ("node", "answer of a model")
]


@pytest.mark.parametrize(("name", "kill"), TRIED)
def test_killed_after_every(name: str, kill: str, oracle: Oracle, shop: Path, tmp_path: Path) -> None:
    asked = {"database": shop, "graph": name, "context": CONTEXT}
    expected = ask(QUESTION, **asked)
    calls, oracle.asked = oracle.asked, []
    found, kills = killed_again_and_again(KILLS[kill], **asked, checkpoint=tmp_path / "run")
    assert kills >= 1
    assert plain(found) == plain(expected)
    assert oracle.asked == calls
    assert found.events[0]["type"] == "resumed"


def test_a_finished_thread_answers_from_the_checkpoint(oracle: Oracle, shop: Path, tmp_path: Path) -> None:
    asked = {"database": shop, "context": CONTEXT, "checkpoint": tmp_path / "run"}
    first = ask(QUESTION, **asked)
    oracle.asked = []
    again = ask(QUESTION, **asked)
    assert plain(again) == plain(first)
    assert oracle.asked == []
    assert [event["type"] for event in again.events] == ["resumed", "answered"]
    assert again.events[0]["next"] == []


@pytest.mark.parametrize(
    "other",
    [
        {"question": "Who made the lamp?"},
        {"context": CONTEXT.model_copy(update={"seed": 3})},
        {"graph": "single_shot"},
        {"evidence": "items are things"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_question_begins_anew_and_forgets(
    other: dict[str, Any], oracle: Oracle, shop: Path, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {"question": QUESTION, "database": shop, "context": CONTEXT}
    place = tmp_path / "run"
    ask(**asked, evidence="a lamp is a secret thing", checkpoint=place)
    assert b"a secret thing" in place.read_bytes()
    oracle.asked = []
    found = ask(**{**asked, **other}, checkpoint=place)
    assert found.events[0]["type"] == "grounded"
    assert oracle.asked
    assert b"a secret thing" not in place.read_bytes()


def test_threads_do_not_touch_each_other(oracle: Oracle, shop: Path, tmp_path: Path) -> None:
    for thread in ("one", "two"):
        ask(f"{QUESTION} {thread}", shop, context=CONTEXT, checkpoint=tmp_path / "run", thread=thread)
    oracle.asked = []
    ask(f"{QUESTION} one", shop, context=CONTEXT, checkpoint=tmp_path / "run", thread="one")
    assert oracle.asked == []


@pytest.mark.parametrize("name", ["text_to_sql", "single_shot"])
def test_after_a_model_that_failed_the_run_goes_on_at_its_node(
    name: str, oracle: Oracle, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"database": shop, "graph": name, "context": CONTEXT, "checkpoint": tmp_path / "run"}

    def refuse(*given: Any) -> Any:
        raise ModelError("it refused the call")

    with monkeypatch.context() as refusing:
        refusing.setattr(oracle, "generate", refuse)
        with pytest.raises(ModelError, match="refused"):
            ask(QUESTION, **asked)
    found = ask(QUESTION, **asked)
    assert found.sql
    assert found.events[0]["next"] == ["actor"]


def test_the_pause_is_not_charged(
    oracle: Oracle, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"database": shop, "context": CONTEXT}
    expected = ask(QUESTION, **asked)
    monkeypatch.setattr(resume, "_since", lambda moment: 10_000.0)
    clock = time.time
    passed: list[float] = []

    def later(monkeypatch: pytest.MonkeyPatch) -> None:
        after_each_node(monkeypatch)
        passed.append(10_000.0)
        monkeypatch.setattr(budget.time, "time", lambda: clock() + sum(passed[1:]))

    found, kills = killed_again_and_again(later, **asked, checkpoint=tmp_path / "run")
    assert kills > 2
    assert plain(found) == plain(expected)


def test_two_runs_on_one_thread(oracle: Oracle, shop: Path, tmp_path: Path) -> None:
    async def meanwhile() -> Answer:
        async with open_checkpoints(tmp_path / "run", "taken"):
            with pytest.raises(CheckpointError, match="Another run is using thread 'taken'"):
                await aask(QUESTION, shop, context=CONTEXT, checkpoint=tmp_path / "run", thread="taken")
            return await aask(QUESTION, shop, context=CONTEXT, checkpoint=tmp_path / "run", thread="free")

    assert asyncio.run(meanwhile()).sql
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_only_the_owner_reads_the_file(oracle: Oracle, shop: Path, tmp_path: Path) -> None:
    async def modes() -> set[int]:
        async with open_checkpoints(tmp_path / "run") as checkpoints:
            await checkpoints.aget_tuple(checkpoints.start)
            return {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("*run*")}

    assert asyncio.run(modes()) == {0o600}


def refused(place: Path, shop: Path, *options: str) -> Any:
    return CliRunner().invoke(
        app, ["ask", QUESTION, "--db", str(shop), "--model", "oracle", "--checkpoint", str(place), *options]
    )


def damaged(place: Path) -> None:
    with closing(sqlite3.connect(place)) as connection, connection:
        connection.execute("UPDATE checkpoints SET checkpoint = substr(checkpoint, 1, 40)")


def of_another_version(place: Path) -> None:
    with closing(sqlite3.connect(place)) as connection, connection:
        connection.execute("PRAGMA user_version = 7")


def with_another_state(place: Path) -> None:
    with closing(sqlite3.connect(place)) as connection, connection:
        connection.execute("UPDATE checkpoints SET metadata = json_set(metadata, '$.critiql.format', 2)")


def pickled(place: Path) -> None:
    with closing(sqlite3.connect(place)) as connection, connection:
        connection.execute("UPDATE checkpoints SET type = 'pickle', checkpoint = ?", (pickle.dumps({}),))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (damaged, "cannot be read (a checksum"),
        (of_another_version, "another version"),
        (with_another_state, "another version"),
        (pickled, "cannot be read"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_spoilt_checkpoint_is_refused_in_a_sentence(
    spoil: Callable[[Path], None], says: str, oracle: Oracle, shop: Path, tmp_path: Path
) -> None:
    place = tmp_path / "run"
    assert refused(place, shop).exit_code == 0
    spoil(place)
    done = refused(place, shop)
    assert done.exit_code == 5
    assert says in done.stderr
    assert "Traceback" not in done.output


def test_what_is_no_checkpoint_is_left_alone(oracle: Oracle, shop: Path, tmp_path: Path) -> None:
    before = shop.read_bytes()
    done = refused(shop, shop)
    assert (done.exit_code, "none that holds checkpoints" in done.stderr) == (5, True)
    assert shop.read_bytes() == before
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_full_disk_ends_the_run_in_a_sentence(
    oracle: Oracle, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*given: Any, **named: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(AsyncSqliteSaver, "aput_writes", full)
    done = refused(tmp_path / "run", shop)
    assert (done.exit_code, "disk is full" in done.stderr) == (5, True)


def test_a_missing_extra_says_how_to_install_it(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "critiql.graphs.checkpoints.sqlite", None)
    done = refused(tmp_path / "run", shop)
    assert (done.exit_code, "critiql[checkpoints]" in done.stderr) == (5, True)


@pytest.mark.model
def test_killed_for_real(shop: Path, tmp_path: Path) -> None:
    """SIGKILL after the first draft; while it runs a second process is refused, after it one goes on."""
    options = ["--db", shop, "--model", "smollm2-135m-instruct", "--set", "max_tokens=40", "--z", "3"]
    command = [Path(sys.executable).parent / "critiql", "ask", QUESTION, *options]
    kept = [*command, "--checkpoint", tmp_path / "run"]
    elsewhere = {**os.environ, **dict.fromkeys(("XDG_CACHE_HOME", "XDG_STATE_HOME"), str(tmp_path / "home"))}
    expected = subprocess.run([*command, "--json"], capture_output=True, check=False, env=elsewhere)
    process = subprocess.Popen(kept, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    while "query 1 " not in (line := process.stderr.readline()):
        assert line
    process.send_signal(signal.SIGSTOP)
    refused = subprocess.run(kept, capture_output=True, text=True, check=False)
    process.kill()
    process.communicate()
    done = subprocess.run([*kept, "--json"], capture_output=True, check=False)
    assert (refused.returncode, "Another run" in refused.stderr) == (5, True)
    assert process.returncode == -signal.SIGKILL
    found, first = json.loads(done.stdout), json.loads(expected.stdout)
    assert found["trace"][0]["type"] == "resumed"
    assert found["trace"][0]["next"] != ["ground"]
    for same in ("sql", "rows", "status", "stopped", "generations", "model_calls"):
        assert found[same] == first[same]


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    server = running("postgres")
    server.sql("CREATE ROLE keeper LOGIN PASSWORD 'keeper-pass'", "postgres")
    server.sql("CREATE DATABASE kept OWNER keeper", "postgres")
    server.sql(
        "CREATE TABLE item (id int PRIMARY KEY, title text); INSERT INTO item VALUES (1, 'lamp')", "kept"
    )
    server.sql("GRANT SELECT ON item TO keeper", "kept")
    yield f"postgresql://keeper:keeper-pass@127.0.0.1:{server.port}/kept"
    close_databases()


@pytest.mark.server
@pytest.mark.enable_socket
class TestPostgres:
    @pytest.mark.parametrize("kill", KILLS)
    def test_killed_after_every(self, kill: str, oracle: Oracle, shop: Path, postgres: str) -> None:
        asked = {"database": shop, "context": CONTEXT}
        expected = ask(QUESTION, **asked)
        calls, oracle.asked = oracle.asked, []
        found, kills = killed_again_and_again(KILLS[kill], **asked, checkpoint=postgres, thread=kill)
        assert kills >= 1
        assert plain(found) == plain(expected)
        assert oracle.asked == calls

    def test_two_runs_on_one_thread(self, oracle: Oracle, shop: Path, postgres: str) -> None:
        async def meanwhile() -> None:
            async with open_checkpoints(postgres, "taken"):
                with pytest.raises(CheckpointError, match="Another run is using thread 'taken'"):
                    await aask(QUESTION, shop, context=CONTEXT, checkpoint=postgres, thread="taken")

        asyncio.run(meanwhile())

    def test_text_that_json_of_postgres_has_no_place_for(
        self, oracle: Oracle, shop: Path, postgres: str
    ) -> None:
        asked: dict[str, Any] = {"evidence": "a \x00 and a \ud800", "checkpoint": postgres, "thread": "odd"}
        first = ask(QUESTION, shop, context=CONTEXT, **asked)
        oracle.asked = []
        assert plain(ask(QUESTION, shop, context=CONTEXT, **asked)) == plain(first)
        assert oracle.asked == []

    def test_another_version(self, oracle: Oracle, shop: Path, postgres: str) -> None:
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute("INSERT INTO checkpoint_migrations VALUES (999)")
            try:
                done = refused(Path("unused"), shop, "--checkpoint", postgres)
            finally:
                connection.execute("DELETE FROM checkpoint_migrations WHERE v = 999")
        assert (done.exit_code, "another version" in done.stderr) == (5, True)

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            (("keeper-pass", "wrong-pass"), "cannot be reached"),
            (("127.0.0.1:", "127.0.0.1:1"), "cannot be"),
            (("/kept", "/kept?nonsense=1"), "cannot be read"),
        ],
    )
    def test_a_url_that_does_not_work(
        self, change: tuple[str, str], says: str, oracle: Oracle, shop: Path, postgres: str
    ) -> None:
        done = refused(Path("unused"), shop, "--checkpoint", postgres.replace(*change))
        assert (done.exit_code, says in done.stderr) == (5, True)
        assert "-pass" not in done.stderr

    def test_a_server_is_asked_with_its_password_and_kept_without(
        self, oracle: Oracle, tmp_path: Path, postgres: str
    ) -> None:
        place = tmp_path / "run"
        asked = {"database": postgres, "context": CONTEXT, "checkpoint": place}
        found, kills = killed_again_and_again(after_each_node, **asked)
        assert kills > 2
        assert found.database == postgres.replace(":keeper-pass", "")
        assert {candidate["execution"]["kind"] for candidate in found.candidates} <= {
            None,
            "no_such_column",
            "no_such_table",
        }
        assert b"keeper-pass" not in place.read_bytes()
