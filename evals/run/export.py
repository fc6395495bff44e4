"""The compact export of a store, small enough to commit: what was answered, without the benchmark's text.

One JSON object a line, gzipped when the name ends in `.gz`: a header, then runs, answers and model calls.
An answer names its question by data set and index, and holds candidate SQL, verdicts, log-probabilities
and the keys of its calls; rows, error sentences, questions and gold queries stay out. So does the query of
another system that came first, with what a rule or a refiner made of it. With the calls the call cache is
filled again, so that a run starts anew without a model where it was known before.
"""

import gzip
import io
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from critiql.agent.share import PARTS
from critiql.evals.run.call_cache import CallCache
from critiql.evals.run.store import Run, RunSpec, Store, StoredAnswer
from critiql.tools.errors.types.error_type import SEMANTIC
from critiql.tools.hiding import hide_known_in

VERSION = 1

CANDIDATE = (
    *("id", "sql", "origin", "round", "repeats", "mends"),
    *("p_true", "verdict", "logprob", "tokens", "correct"),
)
"""Fields of a candidate that are exported."""

EXECUTION = ("ok", "kind", "row_count", "truncated", "rows_fingerprint", "null_columns")
"""Fields of a candidate's execution that are exported; columns, rows and messages are the benchmark's."""

ASSISTED = ("proposals", "valid", "changes")
"""Fields of what a part of the action assistant did that are exported."""

LEFT_OUT = ("events", "decisions", "candidates", "error")

Line = dict[str, Any]


def export(store: Store, runs: Sequence[Run], path: Path, cache: CallCache | None = None) -> int:
    """Write runs, and with a cache their model calls; the file appears whole or not at all.

    Returns:
        Number of answers.
    """
    lines = list(_lines(store, runs, cache))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(_encoded(lines, packed=path.suffix == ".gz"))
    partial.replace(path)
    return sum(line["kind"] == "answer" for line in lines)


def read(path: Path) -> Iterator[Line]:
    """The lines of an export.

    Raises:
        ValueError: this is no export, or one of another version.
    """
    data = path.read_bytes()
    text = gzip.decompress(data) if path.suffix == ".gz" else data
    lines = (json.loads(line) for line in text.decode().splitlines())
    header: Line = next(lines, {})
    if header.get("kind") != "header" or header.get("version") != VERSION:
        raise ValueError(f"{path} is no evaluation export of version {VERSION}.")
    yield from lines


def fill_cache(path: Path, cache: CallCache) -> int:
    """Put the calls of an export into a call cache; returns how many were new."""
    rows = [(x["key"], x["model"], x["operation"], x["result"]) for x in read(path) if x["kind"] == "call"]
    return cache.put_many(rows)


def fill_store(path: Path, store: Store) -> int:
    """Put the runs and answers of an export into a store; returns how many answers were new."""
    runs: dict[str, Run] = {}
    done: dict[str, set[int]] = {}
    added = 0
    for line in read(path):
        if line["kind"] == "run":
            run = store.adopt(_run(line))
            runs[run.id], done[run.id] = run, store.done(run)
        elif line["kind"] == "answer" and line["index"] not in done[line["run"]]:
            store.add(runs[line["run"]], _answer(line))
            added += 1
    return added


def open_results(path: Path) -> Store:
    """A store, or an export read into a store in memory.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is neither.
    """
    if not path.is_file():
        raise FileNotFoundError(f"There is no store or export {path}.")
    if not path.name.endswith((".jsonl", ".jsonl.gz")):
        return Store(path)
    store = Store(None)
    fill_store(path, store)
    return store


def _lines(store: Store, runs: Sequence[Run], cache: CallCache | None) -> Iterator[Line]:
    yield {"kind": "header", "version": VERSION}
    keys: dict[str, None] = {}
    for run in runs:
        yield {"kind": "run", **asdict(run)}
        theirs = "predictions" in run.spec.settings
        for answer in store.answers(run):
            if answer.status == "error":
                continue
            line = _compact(answer)
            if theirs:
                line = _own(line)
            keys |= dict.fromkeys(line["calls"])
            yield {"kind": "answer", "run": run.id, **line}
    for key, model, operation, result in cache.rows(list(keys)) if cache else ():
        yield {"kind": "call", "key": key, "model": model, "operation": operation, "result": result}


def _compact(answer: StoredAnswer) -> Line:
    fields = {name: value for name, value in asdict(answer).items() if name not in LEFT_OUT}
    assisted = [_assisted(event) for event in answer.events if event["type"] == "assisted"]
    candidates = [_candidate(c) for c in answer.candidates]
    return fields | {"candidates": candidates} | ({"events": assisted} if assisted else {})


def _own(line: Line) -> Line:
    """An answer to another system's query with only what the actor wrote, and no call that saw the query."""
    own = {candidate["sql"] for candidate in line["candidates"] if candidate.get("origin") == "actor"}
    candidates = [c if c.get("origin") == "actor" else {**c, "sql": ""} for c in line["candidates"]]
    calls = line["calls"] if set(line["usage"]) <= {"actor"} else []
    return {
        **line,
        "sql": line["sql"] if line["sql"] in own else "",
        "candidates": candidates,
        "calls": calls,
    }


def _assisted(event: dict[str, Any]) -> Line:
    """What SAM and LOM proposed; reasons of refusal quote rows of prompts and stay away."""
    told = event["trajectory"]
    parts = {part: _picked(told[part], ASSISTED) for part in PARTS if told.get(part)}
    return {"type": "assisted", "trajectory": parts}


def _candidate(candidate: dict[str, Any]) -> Line:
    execution = candidate.get("execution")
    compact = _picked(candidate, CANDIDATE)
    if execution:
        compact["execution"] = _picked(execution, EXECUTION)
    compact["findings"] = [_finding(finding) for finding in candidate.get("findings") or []]
    return compact


def _finding(finding: dict[str, Any]) -> Line:
    """The type; of what a model said also the source and the probability, since that is no proof."""
    said = finding.get("source") in SEMANTIC
    return {"type": finding.get("type"), **(_picked(finding, ("source", "probability")) if said else {})}


def _picked(record: dict[str, Any], names: Collection[str]) -> Line:
    return {name: record[name] for name in names if record.get(name) is not None}


def _encoded(lines: Iterable[Line], *, packed: bool) -> bytes:
    text = "".join(json.dumps(hide_known_in(line), separators=(",", ":")) + "\n" for line in lines).encode()
    if not packed:
        return text
    buffer = io.BytesIO()
    # no time in the header: the same answers give the same bytes
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as file:
        file.write(text)
    return buffer.getvalue()


def _run(line: Line) -> Run:
    names = ("id", "commit", "machine", "started", "task")
    return Run(spec=RunSpec(**line["spec"]), **{name: line[name] for name in names})


def _answer(line: Line) -> StoredAnswer:
    fields = {name: line[name] for name in StoredAnswer.__dataclass_fields__ if name in line}
    return StoredAnswer(**fields)
