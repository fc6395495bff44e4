"""A cluster of plain processes on loopback: PostgreSQL, Redis, instances of the server, one model server.

    python deploy/cluster.py --db shop=shop.sqlite --model qwen2.5-coder-1.5b-instruct

Ctrl-C ends all of it, and nothing is left behind. SIGHUP restarts the instances one after another.
Exit codes: 0 ended, 1 it could not be started, 77 a program that it needs is not installed.
"""

import argparse
import importlib.util
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

ABSENT = 77


def main() -> int:
    """Run until told to end."""
    options = arguments()
    missing = what_is_missing()
    if missing:
        print(missing, file=sys.stderr)
        return ABSENT
    from parts import ClusterError

    told = Told()
    try:
        with Cluster.running(options) as cluster:
            cluster.describe(options.describe)
            cluster.watch(told)
    except ClusterError as error:
        print(error, file=sys.stderr)
        return 1
    except EndedError:
        print("Ended before all was up.", file=sys.stderr)
    return 0


def arguments() -> argparse.Namespace:
    """What was asked for."""
    given = argparse.ArgumentParser(description="A cluster of plain processes on loopback.")
    given.add_argument("--instances", type=int, default=2)
    given.add_argument("--db", action="append", default=[], help="NAME=PLACE, or a place; none: the sample.")
    given.add_argument("--model", default="qwen2.5-coder-1.5b-instruct", help="Pulled, or openai:NAME@URL.")
    given.add_argument("--threads", type=int, default=1, help="Threads of the model server.")
    given.add_argument("--slots", type=int, default=2, help="Calls that the model server takes at a time.")
    given.add_argument("--port", type=int, default=8601, help="Of the first instance; 0: free ones.")
    given.add_argument("--describe", type=Path, help="File that says where everything is, once it is up.")
    return given.parse_args()


def what_is_missing() -> str:
    """Which program or package is not here, and how to get it; empty: all are."""
    if sys.version_info < (3, 12):
        return "The cluster needs Python 3.12. Run: make cluster CLUSTER_PYTHON=/path/to/python3.12"
    if importlib.util.find_spec("aegra_api") is None:
        return "Aegra is not installed in this environment. Run: make cluster"
    if shutil.which("redis-server") is None:
        return "There is no Redis here. Run: apt-get install redis-server"
    if not (list(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or shutil.which("initdb")):
        return "There is no PostgreSQL server here. Run: apt-get install postgresql"
    return ""


class EndedError(Exception):
    """Somebody ended the program while it was still starting."""


class Told:
    """What signals asked for."""

    def __init__(self) -> None:
        self.end = False
        self.restart = False
        self.started = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._end)
        signal.signal(signal.SIGHUP, self._restart)

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self.end = True
        if not self.started:
            self.started = True
            raise EndedError

    def _restart(self, _number: int, _frame: FrameType | None) -> None:
        self.restart = True


class Cluster:
    """The parts, in the order in which they are started."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        from parts import ClusterError, Part, free_port

        self.folder = folder
        self.options = options
        first = options.port
        self.ports = [first + n if first else free_port() for n in range(options.instances)]
        self.others: list[Part] = []
        self.instances: list[Part] = []
        self.model = ""
        self.database = ""
        if options.instances < 1:
            raise ClusterError("A cluster has at least one instance.")

    @classmethod
    @contextmanager
    def running(cls, options: argparse.Namespace) -> Iterator["Cluster"]:
        """All of it, while the block runs."""
        from parts import own

        folder = Path(tempfile.mkdtemp(prefix="critiql-cluster-"))
        own(folder)
        cluster = cls(options, folder)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()
            shutil.rmtree(folder, ignore_errors=True)

    def start(self) -> None:
        """Start what keeps the state, then the model, then the instances."""
        from parts import instance, postgres, redis

        database_part, self.database = postgres(self.folder)
        queue_part, queue = redis(self.folder)
        for part in (database_part, queue_part):
            self.others.append(part)
            part.launch()
        self.model = self._start_model()
        for part in self.others:
            part.wait()
        environment = self._environment(self.database, queue)
        self.instances = [
            instance(number, port, self.folder, environment) for number, port in enumerate(self.ports, 1)
        ]
        # the first makes the tables and the graphs' entries; two at a time would both try, and one would fail
        for some in (self.instances[:1], self.instances[1:]):
            for part in some:
                part.launch()
            for part in some:
                part.wait()

    def _start_model(self) -> str:
        """The model under which the instances ask, its server started where it is a local one."""
        from parts import ClusterError, free_port, model_server

        from critiql.tools.models.files.store import resolve
        from critiql.tools.models.model import ModelError

        options = self.options
        if options.model.startswith("openai:"):
            return str(options.model)
        port = options.port + 99 if options.port else free_port()
        try:
            gguf = resolve(options.model)
        except ModelError as error:
            raise ClusterError(str(error)) from error
        part = model_server(
            gguf, options.model, port, self.folder, threads=options.threads, slots=options.slots
        )
        self.others.append(part)
        part.launch()
        return f"openai:{options.model}@http://127.0.0.1:{port}/v1"

    def _environment(self, database: str, queue: str) -> dict[str, str]:
        """What every instance is told: the same for all, or they would answer differently."""
        return {
            "AEGRA_CONFIG": str(Path(__file__).with_name("aegra.json").resolve()),
            "DATABASE_URL": database,
            "REDIS_URL": queue,
            "REDIS_BROKER_ENABLED": "true",
            "ENABLE_PROMETHEUS_METRICS": "true",
            "ENV_MODE": "PRODUCTION",
            "AUTH_TYPE": "noop",
            "LOG_LEVEL": "WARNING",
            "LANGSMITH_TRACING": "false",
            "CRITIQL_SERVED": served(self.options.db, self.model),
        } | {name: value for name, value in os.environ.items() if name in TUNED}

    def stop(self) -> None:
        """End all parts, those that use others first."""
        for part in self.instances:
            if part.runs and part.process is not None:
                part.process.send_signal(part.farewell)
        for part in [*self.instances, *reversed(self.others)]:
            part.stop()

    def watch(self, told: Told) -> None:
        """Wait until told to end; restart instances when told so, and say when a part is gone."""
        told.started = True
        gone: set[str] = set()
        while not told.end:
            if told.restart:
                told.restart = False
                self.roll()
                gone.clear()
            for part in (*self.others, *self.instances):
                if not part.runs and part.name not in gone:
                    gone.add(part.name)
                    code = part.process.returncode if part.process else None
                    print(f"{part.name} has ended (code {code}).", file=sys.stderr, flush=True)
            time.sleep(0.2)

    def roll(self) -> None:
        """Restart the instances one after another; each is up again before the next one is ended."""
        for part in self.instances:
            part.stop()
            part.launch()
            part.wait()
            print(f"{part.name} was restarted.", file=sys.stderr, flush=True)
        self.describe(self.options.describe)

    def describe(self, file: Path | None) -> None:
        """Say where everything is, for people and, where a file is named, for programs."""
        urls = [f"http://127.0.0.1:{port}" for port in self.ports]
        for number, url in enumerate(urls, 1):
            print(f"instance {number}  {url}   page {url}/page/   figures {url}/metrics")
        print(f"model       {self.model}\nlogs        {self.folder}\nEnd it with Ctrl-C.", flush=True)
        if file is None:
            return
        processes = {part.name: part.process.pid for part in (*self.others, *self.instances) if part.process}
        known = {"urls": urls, "pids": processes, "model": self.model, "folder": str(self.folder)}
        known["database"] = self.database
        partial = file.with_suffix(".partial")
        partial.touch(0o600)  # the database's password is in it
        partial.write_text(json.dumps(known))
        partial.replace(file)


TUNED = (
    "WORKER_COUNT",
    "N_JOBS_PER_WORKER",
    "LEASE_DURATION_SECONDS",
    "HEARTBEAT_INTERVAL_SECONDS",
    "REAPER_INTERVAL_SECONDS",
    "LOG_LEVEL",
)
"""Settings of Aegra that the caller's environment may change."""


def served(databases: Sequence[str], model: str) -> str:
    """What the instances offer, as `CRITIQL_SERVED` takes it."""
    from parts import ClusterError

    from critiql.server.serve import Options, prepare
    from critiql.tools.exceptions import CritiqlError

    try:
        offered = prepare(Options(databases=databases, port=0, models=[model]))
    except CritiqlError as error:
        raise ClusterError(str(error)) from error
    return offered.model_dump_json()


if __name__ == "__main__":
    sys.exit(main())
