"""The same attacks against guards that others use: `python tests/attacks/peer_guards.py GUARD ...`.

Guards: mode=ro, query_only, langchain, vanna (on SQLite), duckdb, langchain-postgres (starts a server). Vanna
is no dependency of this project: name it from another environment's Python, where `pip install vanna` ran.

What counts is what Critiql refuses or caps without an access policy. Each statement runs in a process of its
own, on SQLite and DuckDB on a fresh copy of the target, and is killed after 0.7 s. Takes minutes a guard.
"""

import asyncio
import hashlib
import importlib
import json
import multiprocessing
import resource
import shutil
import sqlite3
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

TESTS = Path(__file__).parents[1]
CASES = TESTS / "fixtures" / "attacks"
CAP_SECONDS, SLACK_SECONDS = 0.4, 0.3
CONNECT_SECONDS = 20.0
ADDRESS_BYTES = 4 * 2**30
FORK = multiprocessing.get_context("fork")
COLUMNS = ("tried", "refused", "ran", "leaked", "past time", "crashed", "wrote")
Runner = Callable[[str], object]


def mode_ro(path: str) -> Runner:
    """A read-only URI and nothing else."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    return lambda sql: connection.execute(sql).fetchall()


def query_only(path: str) -> Runner:
    """A read-only URI, `query_only`, and a progress handler as the time limit."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    connection.execute("PRAGMA query_only = 1")
    deadline = time.monotonic() + CAP_SECONDS
    connection.set_progress_handler(lambda: time.monotonic() > deadline, 1000)
    return lambda sql: connection.execute(sql).fetchmany(1000)


def langchain(where: str) -> Runner:
    """LangChain's SQLDatabase as it comes, on a file or a URL."""
    from langchain_community.utilities import SQLDatabase

    url = where if "://" in where else f"sqlite:///{where}"
    database = SQLDatabase.from_uri(url, lazy_table_reflection=True)
    database.run("SELECT 1")
    return database.run


def vanna(path: str) -> Runner:
    """Vanna 2's SqliteRunner as it comes."""
    from vanna.capabilities.sql_runner import RunSqlToolArgs
    from vanna.integrations.sqlite import SqliteRunner

    runner, context = SqliteRunner(path), None  # it does not look at the context
    return lambda sql: str(asyncio.run(runner.run_sql(RunSqlToolArgs(sql=sql), context)))


def duckdb_read_only(path: str) -> Runner:
    """DuckDB's own read-only mode."""
    import duckdb

    connection = duckdb.connect(path, read_only=True)
    return lambda sql: connection.execute(sql).fetchmany(1000)


class Guard(NamedTuple):
    """A guard and the engine whose statements it is tried on."""

    engine: str
    connect: Callable[[str], Runner]
    """From a path or URL; only what the runner does counts against the time limit."""
    module: str = "sqlite3"
    """Imported before the processes are forked, so that each need not."""
    canaries: tuple[str, ...] = ("CANARY-file",)


GUARDS = {
    "mode=ro": Guard("sqlite", mode_ro),
    "query_only": Guard("sqlite", query_only),
    "langchain": Guard("sqlite", langchain, "langchain_community.utilities.sql_database"),
    "vanna": Guard("sqlite", vanna, "vanna.integrations.sqlite"),
    "duckdb": Guard("duckdb", duckdb_read_only, "duckdb"),
    "langchain-postgres": Guard(
        "postgres",
        langchain,
        "langchain_community.utilities.sql_database",
        ("CANARY-file", "CANARY-vault"),
    ),
}


def spelled(sql: Any, folder: Path) -> str:
    """The statement of a case, as `conftest.py` spells it."""
    parts = [sql] if isinstance(sql, str) else sql
    pieces = [
        part if isinstance(part, str) else "".join(part[0].replace("{i}", str(i)) for i in range(part[1]))
        for part in parts
    ]
    return "".join(pieces).replace("{folder}", str(folder))


def digest(folder: Path) -> str:
    """Names and contents of the folder's files."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        found.update(str(path.relative_to(folder)).encode())
        found.update(path.read_bytes() if path.is_file() else b"")
    return found.hexdigest()


def _child(guard: Guard, where: str, sql: str, answer: Any) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_BYTES, ADDRESS_BYTES))
    run = guard.connect(where)
    answer.send("connected")
    try:
        shown, came = repr(run(sql)), "ran"
    except Exception as error:  # noqa: BLE001 - whatever a foreign guard raises counts as refused
        shown, came = str(error).replace(sql, ""), "refused"
    answer.send("leaked" if any(canary in shown for canary in guard.canaries) else came)


def attempt(guard: Guard, where: str, sql: str) -> str:
    """What one statement came to: one of the columns."""
    ours, theirs = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_child, args=(guard, where, sql, theirs))
    process.start()
    theirs.close()
    try:
        if not ours.poll(CONNECT_SECONDS) or ours.recv() != "connected":
            return "crashed"
        return str(ours.recv()) if ours.poll(CAP_SECONDS + SLACK_SECONDS) else "past time"
    except EOFError:
        return "crashed"
    finally:
        process.kill()
        process.join()


def cases(engine: str) -> list[dict[str, Any]]:
    """What Critiql refuses or caps without a policy."""
    lines = [
        line for path in sorted(CASES.glob(f"{engine}_*.jsonl")) for line in path.read_text().splitlines()
    ]
    harmless = (["rows"], ["empty"])
    found = [json.loads(line) for line in lines]
    return [case for case in found if "policy" not in case and case["expect"] not in harmless]


def _targets() -> Any:
    """The builders of targets, which need this project's environment; SQLite's does not."""
    sys.path.append(str(TESTS / "servers"))
    import targets

    return targets


def build(engine: str, folder: Path) -> str:
    """The target in the folder, or on a server; its path or URL."""
    (folder / "canary.txt").write_text("CANARY-file-51c")
    if engine == "postgres":
        return str(_targets().attacked_server("postgres").url("attacked"))
    if engine == "duckdb":
        (folder / "canary.csv").write_text("a\nCANARY-file-51c\n")
        return _targets().attacked_duckdb(folder).name
    with closing(sqlite3.connect(folder / "target.sqlite")) as connection:
        connection.executescript((CASES / "sqlite_target.sql").read_text())
    return "target.sqlite"


def survey(guard: Guard) -> dict[str, Counter[str]]:
    """Counts per category."""
    counts: dict[str, Counter[str]] = {}
    importlib.import_module(guard.module)
    with tempfile.TemporaryDirectory() as name:
        clean, folder = Path(name) / "clean", Path(name) / "used"
        clean.mkdir()
        where = build(guard.engine, clean)
        Path(name).chmod(0o755)
        for case in cases(guard.engine):
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(clean, folder)
            folder.chmod(0o777)
            before = digest(folder)
            came = attempt(
                guard, where if "://" in where else str(folder / where), spelled(case["sql"], folder)
            )
            wrote = ["wrote"] if digest(folder) != before else []
            for category in (case["category"], "all"):
                counts.setdefault(category, Counter()).update(["tried", came, *wrote])
    counts["all"] = counts.pop("all")
    return counts


def main() -> None:
    """Print one table a guard."""
    warnings.simplefilter("ignore")
    for name in sys.argv[1:] or [name for name in GUARDS if name != "vanna"]:
        sys.stdout.write(
            f"\n{name}\n\n| category | {' | '.join(COLUMNS)} |\n|{'---|' * (len(COLUMNS) + 1)}\n"
        )
        for category, counts in survey(GUARDS[name]).items():
            cells = " | ".join(str(counts[column]) for column in COLUMNS)
            sys.stdout.write(f"| {category} | {cells} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
