"""The same attacks against guards that people use elsewhere: what runs, what leaks, what outlasts the limit.

    python tests/attacks/peers.py duckdb                        DuckDB with read_only=True and nothing else
    python tests/attacks/peers.py langchain postgresql+psycopg://USER:PASSWORD@HOST:PORT/DATABASE

Each statement runs in a forked process that is killed after the time limit and a grace.
"""

import json
import multiprocessing
import resource
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SECONDS = 0.7
MEMORY_BYTES = 4 * 2**30
Runner = Callable[[str], object]
Connect = Callable[[], Runner]
"""Connects in the forked process; only the statement counts against the limit."""


def spelled(sql: Any, folder: str) -> str:
    """As in the attack suite."""
    parts = [sql] if isinstance(sql, str) else sql
    pieces = [
        p if isinstance(p, str) else "".join(p[0].replace("{i}", str(i)) for i in range(p[1])) for p in parts
    ]
    return "".join(pieces).replace("{folder}", folder)


def in_child(connect: Connect, sql: str, connected: Any, outcome: Any) -> None:
    """Run one statement and report whether it ran and whether a canary was in what came back."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    run = connect()
    connected.set()
    try:
        shown = repr(run(sql))
    except Exception as error:  # noqa: BLE001
        outcome.put("leaked" if "CANARY" in str(error).replace(sql, "") else "refused")
    else:
        outcome.put("leaked" if "CANARY" in shown else "ran")


def attempt(connect: Connect, sql: str) -> str:
    """What one attack came to."""
    context = multiprocessing.get_context("fork")
    outcome = context.SimpleQueue()
    connected = context.Event()
    child = context.Process(target=in_child, args=(connect, sql, connected, outcome))
    child.start()
    connected.wait(10)
    child.join(SECONDS)
    if child.is_alive():
        child.kill()
        child.join()
        return "outlasted"
    return outcome.get() if not outcome.empty() else "crashed"


def duckdb_peer(folder: Path) -> Connect:
    """DuckDB's own read-only mode."""
    import duckdb

    path = folder / "attacked.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute((HERE / "duckdb_target.sql").read_text())
    (folder / "canary.txt").write_text("CANARY-file-51c")
    (folder / "canary.csv").write_text("a\nCANARY-file-51c\n")

    def connect() -> Runner:
        connection = duckdb.connect(str(path), read_only=True)
        return lambda sql: connection.execute(sql).fetchmany(1000)

    return connect


def langchain_peer(url: str) -> Connect:
    """LangChain's SQLDatabase; a new connection in each forked process."""
    import warnings

    warnings.simplefilter("ignore")
    from langchain_community.utilities import SQLDatabase

    def connect() -> Runner:
        database = SQLDatabase.from_uri(url, lazy_table_reflection=True)
        database.run("SELECT 1")
        return database.run

    return connect


def main() -> None:
    """Print a table: category, tried, refused, ran, leaked a canary, outlasted the limit, files changed."""
    peer = sys.argv[1]
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    connect = duckdb_peer(folder) if peer == "duckdb" else langchain_peer(sys.argv[2])
    engine = "duckdb" if peer == "duckdb" else "postgres"
    cases = [json.loads(line) for line in (HERE / f"{engine}_statements.jsonl").read_text().splitlines()]
    counts: dict[str, Counter[str]] = {}
    for case in cases:
        before = {path.name: path.stat().st_mtime_ns for path in folder.rglob("*")}
        found = attempt(connect, spelled(case["sql"], str(folder)))
        count = counts.setdefault(case["category"], Counter())
        count.update([found])
        changed = {path.name: path.stat().st_mtime_ns for path in folder.rglob("*")} != before
        count.update(["changed"] if changed else [])
        if changed or (found in ("leaked", "outlasted", "crashed") and case["category"] != "bomb"):
            sys.stderr.write(f"{found}{' changed' if changed else ''}: {case['name']} {case['sql']}\n")
        for path in folder.rglob("*"):
            if path.is_file() and path.name not in before:
                path.unlink()
    columns = ("refused", "ran", "leaked", "outlasted", "crashed", "changed")
    sys.stdout.write(
        "| category | tried | " + " | ".join(columns) + " |\n|" + "---|" * (len(columns) + 2) + "\n"
    )
    for category, count in counts.items():
        tried = sum(count[name] for name in columns[:-1])
        sys.stdout.write(
            f"| {category} | {tried} | " + " | ".join(str(count[name]) for name in columns) + " |\n"
        )
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
