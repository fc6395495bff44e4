"""The one loop of the attack suite: ask, look at the result, the folder, the memory and the clock, ask again.

An engine brings its target and its cases; the table of what was tried is printed after the run.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from critiql.tools.database.engine import Database
from critiql.tools.database.result import Limits, Result
from critiql.tools.database.worker import WorkerPool

SLACK_SECONDS = 0.3
"""What a statement may take beyond its time limit, being killed included."""
MEGABYTE = 2**20
OUTCOMES = pytest.StashKey[list["Outcome"]]()


@dataclass
class Target:
    """What is attacked: a database per policy name, and what must not change or leak."""

    engine: str
    databases: dict[str, Database]
    fingerprint: Callable[[], str]
    """A digest of everything an attack might write to."""
    canaries: Sequence[str]
    """Strings that must never come back, in any spelling below."""
    policy_canaries: Sequence[str]
    """Strings that must not come back through a database with a policy."""
    sound_query: str = "SELECT count(*) FROM orders"
    """What must work after every attack, under every policy."""
    substitutions: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.4
    memory_bytes: int = 512 * MEGABYTE


@dataclass(frozen=True)
class Outcome:
    """One attack as it went."""

    engine: str
    category: str
    kind: str
    seconds: float
    memory_bytes: int


def spelled(sql: Any, substitutions: dict[str, str]) -> str:
    """The statement of a case: a text, or parts of which a pair is a text and how often it is repeated."""
    parts = [sql] if isinstance(sql, str) else sql
    text = "".join(
        part if isinstance(part, str) else "".join(part[0].replace("{i}", str(i)) for i in range(part[1]))
        for part in parts
    )
    for name, value in substitutions.items():
        text = text.replace("{" + name + "}", value)
    return text


def leaks(result: Result, canaries: Sequence[str]) -> list[str]:
    """Canaries that are in the result, as they are, in hex, or reversed."""
    shown = repr(result)
    forms = {canary: (canary, canary.encode().hex().upper(), canary[::-1]) for canary in canaries}
    return [canary for canary, spellings in forms.items() if any(form in shown for form in spellings)]


def folder_digest(folder: Path) -> str:
    """A digest of the names and contents of every file under the folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        digest.update(str(path.relative_to(folder)).encode())
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


@contextmanager
def watched_memory(database: Database) -> Iterator[list[int]]:
    """The largest resident size in bytes of any worker of the database, looked at every few milliseconds."""
    peak, done = [0], threading.Event()
    pool = getattr(database, "pool", None)

    def look() -> None:
        pids = pool.pids() if isinstance(pool, WorkerPool) else []
        peak[0] = max(peak[0], *map(_high_water, pids), 0)

    def watch() -> None:
        while not done.wait(0.005):
            look()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()
        look()


def _high_water(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    lines = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(lines[0].split()[1]) * 1024 if lines else 0


Attack = Callable[[Target, dict[str, Any]], Result]


@pytest.fixture
def attack(request: pytest.FixtureRequest) -> Attack:
    """Run one case against a target and check everything that must hold afterwards."""
    outcomes = request.config.stash.setdefault(OUTCOMES, [])

    def run(target: Target, case: dict[str, Any]) -> Result:
        policy = case.get("policy", "")
        database = target.databases[policy]
        sql = spelled(case["sql"], target.substitutions)
        before = target.fingerprint()
        assert database.run(target.sound_query).ok  # the worker is warm: its start is not the attack's time
        with watched_memory(database) as memory:
            started = time.monotonic()
            result = database.run(sql, Limits(seconds=target.seconds))
            seconds = time.monotonic() - started
        kind = "rows" if result.ok else result.kind
        outcomes.append(Outcome(target.engine, case["category"], kind, seconds, memory[0]))
        assert kind in case["expect"], result
        assert target.fingerprint() == before, "something was written"
        assert not leaks(result, [*target.canaries, *(target.policy_canaries if policy else ())])
        assert seconds <= target.seconds + SLACK_SECONDS
        assert memory[0] <= target.memory_bytes
        assert database.run(target.sound_query).ok, "the next query does not work"
        return result

    return run


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """The table of docs/SECURITY.md: per engine and category what was tried, refused, and the worst of it."""
    outcomes = config.stash.get(OUTCOMES, [])
    groups = sorted({(one.engine, one.category) for one in outcomes})
    if groups:
        terminalreporter.section("attacks")
        columns = "| engine | category | tried | refused | capped | harmless rows | worst s | worst MB |"
        terminalreporter.write_line(columns)
        terminalreporter.write_line("|---|---|---|---|---|---|---|---|")
    for group in groups:
        found = [one for one in outcomes if (one.engine, one.category) == group]
        terminalreporter.write_line(_line(group, found))


def _line(group: tuple[str, str], found: list[Outcome]) -> str:
    rows = sum(one.kind == "rows" for one in found)
    capped = sum(one.kind in ("timeout", "memory", "too_large") for one in found)
    worst = max(one.seconds for one in found)
    memory = max(one.memory_bytes for one in found) / MEGABYTE
    counts = f"{len(found)} | {len(found) - rows - capped} | {capped} | {rows}"
    return f"| {group[0]} | {group[1]} | {counts} | {worst:.2f} | {memory:.0f} |"


@pytest.fixture
def make_target() -> Callable[..., Target]:
    """A target whose files all lie in one folder."""

    def make(
        engine: str,
        databases: dict[str, Database],
        folder: Path,
        canaries: Sequence[str],
        policy_canaries: Sequence[str],
        **more: Any,
    ) -> Target:
        substitutions = {"folder": str(folder)}
        digest = partial(folder_digest, folder)
        return Target(
            engine, databases, digest, canaries, policy_canaries, substitutions=substitutions, **more
        )

    return make
