"""Where the seconds of a question go, from the start of a process to its answer; also of a running server.

`python -m critiql.evals.benchmarks.seconds [--model NAME] [--repeats N]` prints one JSON object. Each repeat
begins with an empty cache: a process reads the schema cold and answers a second question from memory; the
next process takes the prefix from disk; then `critiql ask` asks the server that has the model loaded, which
`--no-doors` leaves out.
Wall-clock seconds are beside processor seconds, since a machine is rarely idle.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, NamedTuple

import httpx
import typer

from critiql.tools.models.files.registry import registry

QUESTIONS = ("How many customers are there?", "How many albums are there?", "How many genres are there?")
CHILD = "critiql.evals.benchmarks.question_child"
PATIENCE = 300
"""Seconds that a server may take to load its model."""
STAGES = {
    "schema and prompt": ("asked", "grounded"),
    "first token": ("grounded", "writing"),
    "rest of the SQL": ("writing", "candidate"),
    "run, check, decide, answer": ("candidate", "answer"),
}
"""Stage of a question -> the moments it lies between."""


class Took(NamedTuple):
    """What a stage took."""

    wall: float
    cpu: float


Stages = dict[str, Took]


def stages_of(moments: Sequence[dict[str, Any]]) -> Stages:
    """The stages of one question."""
    at = {moment["name"]: moment for moment in moments}
    return {name: _between(at[start], at[end]) for name, (start, end) in STAGES.items()}


def new_process(model: str, questions: Sequence[str], environment: dict[str, str]) -> list[Stages]:
    """Start a process and let it answer; the first item is its start, the others one question each."""
    started = time.time()
    command = [sys.executable, "-m", CHILD, model, *questions]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    told = json.loads(done.stdout.splitlines()[-1])
    born = {"at": started, "cpu": 0.0}
    first, imported, loaded = told["moments"]
    start = {
        "process start": _between(born, first),
        "import": _between(first, imported),
        "model load": _between(imported, loaded),
    }
    return [start, *map(stages_of, told["questions"])]


def shell(question: str, options: Sequence[str], environment: dict[str, str]) -> Took:
    """`critiql ask` as a person types it, from start to end; processor seconds are the shell's own."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.time()
    script = str(Path(sys.executable).parent / "critiql")
    command = [script, "ask", question, "--fresh", "--quiet", *options]
    subprocess.run(command, capture_output=True, check=True, env=environment)
    wall, after = time.time() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Took(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


@contextmanager
def server(model: str, port: int, environment: dict[str, str]) -> Iterator[None]:
    """A server that has the model loaded, until the block ends."""
    script = str(Path(sys.executable).parent / "critiql")
    running = subprocess.Popen(
        [script, "serve", "--model", model, "--port", str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port, running)
        yield
    finally:
        running.terminate()
        running.wait(30)


def doors(model: str, port: int, environment: dict[str, str]) -> dict[str, Stages]:
    """`critiql ask` with the prefix on disk, and by a server that has answered before."""
    local = {"all": shell(QUESTIONS[0], ["--local"], environment)}
    with server(model, port, environment):
        shell(QUESTIONS[0], [], environment)
        asked = {"all": shell(QUESTIONS[1], [], environment)}
    return {"critiql ask --local, prefix on disk": local, "critiql ask, server warm": asked}


def measure(model: str, repeats: int, port: int | None) -> dict[str, list[Stages]]:
    """All ways, `repeats` times; without a port no server is started and no `critiql ask`."""
    seen: dict[str, list[Stages]] = {}
    for _ in range(repeats):
        with TemporaryDirectory() as cache:
            environment = {**os.environ, "CRITIQL_CACHE": cache}
            start, cold, memory = new_process(model, QUESTIONS[:2], environment)
            _, disk = new_process(model, QUESTIONS[2:], environment)
            ways = {"start": start, "cold": cold, "from memory": memory, "from disk": disk}
            if port is not None:
                ways |= doors(model, port, environment)
        for way, stages in ways.items():
            seen.setdefault(way, []).append(stages)
    return seen


def report(model: str, seen: dict[str, list[Stages]]) -> dict[str, Any]:
    """Medians per way and stage."""
    repeats = len(next(iter(seen.values())))
    found = {
        way: {stage: _median([one[stage] for one in many]) for stage in many[0]} for way, many in seen.items()
    }
    return {
        "model": model,
        "repeats": repeats,
        "threads": os.environ.get("CRITIQL_THREADS", "default"),
        "load": [round(value, 1) for value in os.getloadavg()],
        **found,
    }


def main(
    model: Annotated[str, typer.Option(help="A registered name or a .gguf file.")] = "",
    repeats: Annotated[int, typer.Option(min=1, help="Times that all is measured.")] = 3,
    port: Annotated[int, typer.Option(help="Port of the server.")] = 8497,
    with_doors: Annotated[bool, typer.Option("--doors/--no-doors", help="Also `critiql ask`.")] = True,
) -> None:
    """Print the measurements as one JSON object."""
    spec = model or registry().default
    typer.echo(json.dumps(report(spec, measure(spec, repeats, port if with_doors else None)), indent=2))


def _between(start: dict[str, Any], end: dict[str, Any]) -> Took:
    return Took(end["at"] - start["at"], end["cpu"] - start["cpu"])


def _median(many: Sequence[Took]) -> dict[str, float]:
    return {
        "wall": round(statistics.median(one.wall for one in many), 3),
        "cpu": round(statistics.median(one.cpu for one in many), 3),
    }


def _wait(port: int, running: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if running.poll() is not None:
            raise RuntimeError(f"the server ended with code {running.returncode}")
        try:
            if httpx.get(f"http://127.0.0.1:{port}/ok").status_code < 500:
                return
        except httpx.HTTPError:
            time.sleep(0.5)
    raise RuntimeError("the server did not start in time")


if __name__ == "__main__":
    typer.run(main)
