"""The SQLite attacks against guards that others use: `python tests/attacks/peer_guards.py [GUARD ...]`.

Each statement runs in a process of its own on a fresh copy of the target; what is counted is what Critiql
refuses or caps and the guard lets through. Takes some minutes.
"""

import hashlib
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
from typing import Any

HERE = Path(__file__).parent
CAP_SECONDS, STOP_SECONDS = 0.4, 2.0
SLACK_SECONDS = 0.3
ADDRESS_BYTES = 4 * 2**30
FORK = multiprocessing.get_context("fork")
Guard = Callable[[Path, str], object]


def mode_ro(path: Path, sql: str) -> object:
    """A read-only URI and nothing else."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as connection:
        return connection.execute(sql).fetchall()


def query_only(path: Path, sql: str) -> object:
    """A read-only URI, `query_only`, and a progress handler as the time limit."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as connection:
        connection.execute("PRAGMA query_only = 1")
        deadline = time.monotonic() + CAP_SECONDS
        connection.set_progress_handler(lambda: time.monotonic() > deadline, 1000)
        return connection.execute(sql).fetchmany(1000)


def langchain(path: Path, sql: str) -> object:
    """LangChain's SQLDatabase as it comes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from langchain_community.utilities import SQLDatabase

        return SQLDatabase.from_uri(f"sqlite:///{path}").run(sql)


GUARDS: dict[str, Guard] = {
    "mode=ro": mode_ro,
    "mode=ro, query_only, progress handler": query_only,
    "LangChain SQLDatabase": langchain,
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


def _child(guard: Guard, path: Path, sql: str, answer: Any) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_BYTES, ADDRESS_BYTES))
    try:
        guard(path, sql)
        answer.send(True)
    except Exception:  # noqa: BLE001 - whatever a foreign guard raises counts as refused
        answer.send(False)


def attempt(guard: Guard, case: dict[str, Any], folder: Path) -> set[str]:
    """What one statement achieved: ran, wrote, overran its time."""
    path = folder / "target.sqlite"
    before = digest(folder)
    ours, theirs = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_child, args=(guard, path, spelled(case["sql"], folder), theirs))
    started = time.monotonic()
    process.start()
    ran = ours.poll(STOP_SECONDS) and ours.recv()
    seconds = time.monotonic() - started
    process.kill()
    process.join()
    found = {"ran": ran, "wrote": digest(folder) != before, "overran": seconds > CAP_SECONDS + SLACK_SECONDS}
    return {name for name, is_so in found.items() if is_so}


def cases() -> list[dict[str, Any]]:
    """What Critiql refuses or caps without a policy."""
    files = ("sqlite_statements.jsonl", "sqlite_bombs.jsonl")
    found = [json.loads(line) for name in files for line in (HERE / name).read_text().splitlines()]
    harmless = (["rows"], ["empty"])
    return [case for case in found if "policy" not in case and case["expect"] not in harmless]


def build(folder: Path) -> None:
    """The target and its canary file."""
    with closing(sqlite3.connect(folder / "target.sqlite")) as connection:
        connection.executescript((HERE / "sqlite_target.sql").read_text())
    (folder / "canary.txt").write_text("CANARY-file-51c")


def survey(guard: Guard) -> dict[str, Counter[str]]:
    """Counts per category: tried, ran, wrote, overran."""
    counts: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as name:
        clean, folder = Path(name) / "clean", Path(name) / "used"
        clean.mkdir()
        build(clean)
        guard(clean / "target.sqlite", "SELECT 1")  # what it imports is not the statements' time
        for case in cases():
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(clean, folder)
            counts.setdefault(case["category"], Counter()).update(["tried", *attempt(guard, case, folder)])
    return counts


def main() -> None:
    """Print one table a guard."""
    for name in sys.argv[1:] or GUARDS:
        sys.stdout.write(
            f"\n{name}\n\n| category | tried | ran | wrote files | past time |\n|---|---|---|---|---|\n"
        )
        for category, counts in sorted(survey(GUARDS[name]).items()):
            cells = " | ".join(str(counts[key]) for key in ("tried", "ran", "wrote", "overran"))
            sys.stdout.write(f"| {category} | {cells} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
