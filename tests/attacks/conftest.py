"""The one loop of the attack suite: ask, look at the result, the folder, the memory and the clock, ask again.

An engine brings its target and its cases; the table of what was tried is printed after the run.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import watch
from running import Server
from targets import DIALECTS, attacked_server

from critiql.tools.database.engine import Database
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.open import open_database
from critiql.tools.database.result import Limits, Result
from critiql.tools.database.sandbox.pool import WorkerPool

SLACK_SECONDS = 0.3
"""What a statement may take beyond its time limit, being killed included."""
ATTACK_SECONDS = 0.4
"""The time limit of a statement under attack, unless --attack-seconds says otherwise."""
STRAY_SECONDS = 60.0
"""How long a server's work on a bomb is watched after the caller has its answer."""
POLICIES = {
    "": AccessPolicy(),
    "deny": AccessPolicy(deny_tables=frozenset({"Secrets"}), deny_columns=frozenset({"customers.card"})),
    "deny-virtual": AccessPolicy(
        deny_tables=frozenset({"secret_papers", "vaults", "places", "letters"}),
        deny_columns=frozenset({"notes.body"}),
    ),
    "allow-virtual": AccessPolicy(allow_tables=frozenset({"notes", "orders", "public_customers"})),
    "allow": AccessPolicy(allow_tables=frozenset({"public_customers", "orders", "measures"})),
}
"""By the name that a case gives."""
FILE_CANARY = "CANARY-file-51c"
MEGABYTE = 2**20
OUTCOMES = pytest.StashKey[list["Outcome"]]()
NOTES = pytest.StashKey[list[str]]()


@dataclass
class Target:
    """What is attacked: a database per policy name, and what must not change or leak."""

    engine: str
    databases: dict[str, Database]
    fingerprint: Callable[[], str]
    """A digest of everything an attack might write to."""
    canaries: Sequence[str] = (FILE_CANARY,)
    """Strings that must never come back, in any spelling below."""
    policy_canaries: Sequence[str] = ("CANARY-secret", "CANARY-card")
    """Strings that must not come back through a database with a policy."""
    sound_query: str = "SELECT count(*) FROM orders"
    """What must work after every attack, under every policy."""
    substitutions: dict[str, str] = field(default_factory=dict)
    seconds: float = ATTACK_SECONDS
    memory_bytes: int = 512 * MEGABYTE
    server: Server | None = None
    """Where the statements run, when not in the worker."""


@dataclass(frozen=True)
class Outcome:
    """One attack as it went."""

    engine: str
    case: dict[str, Any]
    kind: str
    seconds: float
    memory_bytes: int
    server_bytes: int = 0
    """The most the server's processes held, when a bomb ran on one."""
    stray_seconds: float = 0.0
    """How long the server worked on after the caller had its answer."""


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
def watched(*sizes: Callable[[], int]) -> Iterator[list[int]]:
    """The largest value of each, in bytes, looked at every few milliseconds."""
    peaks, done = [0] * len(sizes), threading.Event()

    def look() -> None:
        peaks[:] = [max(peak, size()) for peak, size in zip(peaks, sizes, strict=True)]

    def keep_looking() -> None:
        while not done.wait(0.005):
            look()

    watcher = threading.Thread(target=keep_looking)
    watcher.start()
    try:
        yield peaks
    finally:
        done.set()
        watcher.join()
        look()


def _worker_memory(database: Database) -> int:
    """The largest resident size that any worker ever had."""
    pool = getattr(database, "pool", None)
    return max([0, *map(_high_water, pool.pids() if isinstance(pool, WorkerPool) else [])])


def _high_water(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    lines = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(lines[0].split()[1]) * 1024 if lines else 0


Attack = Callable[[Target, dict[str, Any]], Result]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--attack-seconds` gives the statements under attack another time limit."""
    parser.addoption("--attack-seconds", type=float, default=ATTACK_SECONDS, help="Time limit of an attack.")


@pytest.fixture
def attack(request: pytest.FixtureRequest) -> Attack:
    """Run one case against a target and check everything that must hold afterwards."""
    outcomes = request.config.stash.setdefault(OUTCOMES, [])

    def run(target: Target, case: dict[str, Any]) -> Result:
        policy = case.get("policy", "")
        database = target.databases[policy]
        server = target.server if case["category"] == "bomb" else None
        sql = spelled(case["sql"], target.substitutions)
        before = target.fingerprint()
        assert database.run(target.sound_query).ok  # the worker is warm: its start is not the attack's time
        busy_before = watch.busy(server) if server else frozenset()
        sizes = [partial(_worker_memory, database), *([partial(watch.memory, server)] if server else [])]
        with watched(*sizes) as memory:
            started = time.monotonic()
            result = database.run(sql, Limits(seconds=target.seconds))
            seconds = time.monotonic() - started
        stray = watch.seconds_until_idle(server, STRAY_SECONDS, busy_before) if server else 0.0
        kind = "rows" if result.ok else result.kind
        outcomes.append(Outcome(target.engine, case, kind, seconds, memory[0], sum(memory[1:]), stray))
        assert kind in case["expect"], result
        assert target.fingerprint() == before, "something was written"
        assert not leaks(result, [*target.canaries, *(target.policy_canaries if policy else ())])
        assert seconds <= target.seconds + SLACK_SECONDS
        assert memory[0] <= target.memory_bytes
        assert database.run(target.sound_query).ok, "the next query does not work"
        return result

    return run


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Say a measured figure after the run."""
    return request.config.stash.setdefault(NOTES, []).append


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """The tables of docs/security/files.md: what was tried, refused, and the worst; what servers suffered."""
    outcomes = config.stash.get(OUTCOMES, [])
    groups = sorted({(one.engine, one.case["category"]) for one in outcomes})
    if groups:
        terminalreporter.section("attacks")
        columns = "| engine | category | tried | refused | capped | harmless rows | worst s | worst MB |"
        terminalreporter.write_line(columns)
        terminalreporter.write_line("|---|---|---|---|---|---|---|---|")
    for group in groups:
        found = [one for one in outcomes if (one.engine, one.case["category"]) == group]
        terminalreporter.write_line(_line(group, found))
    for engine in sorted({one.engine for one in outcomes if one.server_bytes}):
        on_server = [one for one in outcomes if one.engine == engine and one.server_bytes]
        terminalreporter.write_line(_suffered(engine, on_server))
    for line in config.stash.get(NOTES, []):
        terminalreporter.write_line(line)


def _line(group: tuple[str, str], found: list[Outcome]) -> str:
    rows = sum(one.kind == "rows" for one in found)
    capped = sum(one.kind in ("timeout", "memory", "too_large") for one in found)
    worst = max(one.seconds for one in found)
    memory = max(one.memory_bytes for one in found) / MEGABYTE
    counts = f"{len(found)} | {len(found) - rows - capped} | {capped} | {rows}"
    return f"| {group[0]} | {group[1]} | {counts} | {worst:.2f} | {memory:.0f} |"


def _suffered(engine: str, bombs: list[Outcome]) -> str:
    """The worst that bombs did to a server: memory, and work after the answer, of the three longest."""
    largest = max(bombs, key=lambda one: one.server_bytes)
    least = min(one.server_bytes for one in bombs) / MEGABYTE
    longest = sorted(bombs, key=lambda one: -one.stray_seconds)[:3]
    worked = ", ".join(f"{one.stray_seconds:.1f} s {one.case['name']}" for one in longest)
    most = f"{largest.server_bytes / MEGABYTE:.0f} MB ({largest.case['name']}; at least {least:.0f})"
    return f"{engine}: the server held {most}, and worked on after the answer: {worked}"


@pytest.fixture(scope="module")
def make_target(request: pytest.FixtureRequest) -> Iterator[Callable[..., Target]]:
    """A target whose files all lie in one folder; its databases are closed after the tests."""
    with ExitStack() as stack:

        def make(engine: str, url: str | Path, folder: Path, **more: Any) -> Target:
            (folder / "canary.txt").write_text(FILE_CANARY)
            databases = {name: open_database(url, policy) for name, policy in POLICIES.items()}
            for database in databases.values():
                stack.callback(database.close)
            return Target(
                engine,
                databases,
                partial(folder_digest, folder),
                substitutions={"folder": str(folder)},
                seconds=request.config.getoption("--attack-seconds", ATTACK_SECONDS),
                **more,
            )

        yield make


@pytest.fixture(scope="module")
def make_server_target(make_target: Callable[..., Target]) -> Callable[[str, str], Target]:
    """A target on a real server, with a folder that the server may write to.

    Arguments: the kind of server, and statements whose output shows all that an attack might change.
    """

    def make(kind: str, snapshot: str) -> Target:
        server = attacked_server(kind)
        open_folder = server.folder / "open"
        open_folder.mkdir()
        open_folder.chmod(0o777)
        canaries = (FILE_CANARY, "CANARY-vault-d10")
        url = server.url("attacked")
        target = make_target(DIALECTS[kind], url, open_folder, canaries=canaries, server=server)

        def fingerprint() -> str:
            content = server.sql(snapshot, "attacked")
            return hashlib.sha256(content.encode()).hexdigest() + folder_digest(open_folder)

        return replace(target, fingerprint=fingerprint)

    return make
