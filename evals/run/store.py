"""The store of an evaluation: every answer with its trace, in one SQLite file outside the work tree.

A run is one system on one data set with one set of settings, models, prompts and code; the digest of all
these is its name, so that starting the same command again goes on where it stopped. Each answer is one
transaction and (run, index) is its key: a kill at any point loses at most the question in flight, whose
model calls are in the call cache, and repeats none. A question on which the agent failed is asked again.
"""

import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlite_utils import Database

from critiql.evals.run.shared_sqlite import connect
from critiql.tools.hiding import hide_known_in


@dataclass(frozen=True)
class RunSpec:
    """What names a run. Two runs with equal fields are the same run."""

    system: str
    """Graph, with `@URL` where a deployed one was asked."""
    dataset: str
    model: str
    """Fingerprint of the model that writes."""
    critic: str
    """Fingerprint of the model that judges."""
    prompts: dict[str, str]
    """Digest per prompt file."""
    settings: dict[str, Any]
    """Settings that differ from their defaults, model names included."""
    code: str
    """Digest of the code that answers."""

    @property
    def digest(self) -> str:
        """The run's id: 12 hex digits."""
        text = json.dumps(asdict(self), sort_keys=True, default=str)
        return sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Run:
    """A run as the store holds it."""

    id: str
    spec: RunSpec
    commit: str
    machine: str
    started: str
    """UTC, ISO 8601."""
    task: str
    """Name and version of the task file, or how the questions were sampled."""


@dataclass(frozen=True)
class StoredAnswer:
    """One answer and what it cost. The benchmark's own text is not in it."""

    index: int
    """Position of the question in the official file."""
    db_id: str
    sql: str
    status: str
    """accepted, unverified, failed or abstained; `error` when the agent itself failed."""
    stopped: str
    correct: bool | None
    """Execution accuracy, clean mode; None where the gold query does not run."""
    suite_correct: bool | None
    """Test-suite accuracy; None where it was not asked for or not to be had."""
    difficulty: str | None
    confidence: float | None
    model_calls: int
    seconds: float
    """Wall clock of this run; replayed calls take almost none."""
    model_seconds: float
    """Seconds of the model calls when they were first made."""
    usage: dict[str, dict[str, float]]
    """Per role: calls, and tokens: prompt, of these cached, generated; seconds."""
    candidates: list[dict[str, Any]]
    """Every query seen, with its evidence; `correct` is added by the scorer."""
    decisions: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    """Keys of the call cache."""
    replayed: int = 0
    """How many of `calls` came from the cache."""
    error: str | None = None
    soft_f1: float | None = None
    """BIRD's Soft-F1, from 0 to 1; None where the data set has no such score."""
    reward: float | None = None
    """BIRD's R-VES reward, 0 to 1.25; None where it was not measured."""


PACKED = ("usage", "candidates", "decisions", "events", "calls")
"""Fields kept as compressed JSON."""


class Store:
    """The file with its two tables, `runs` and `answers`."""

    def __init__(self, path: Path | None) -> None:
        """Open or make it; None is a store in memory."""
        self._database = Database(connect(path))
        with self._writing():
            self._make_tables()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def begin(self, spec: RunSpec, commit: str, machine: str, task: str) -> Run:
        """Start a run, or take up the one of the same digest."""
        started = datetime.now(UTC).isoformat(timespec="seconds")
        return self.adopt(Run(spec.digest, spec, commit, machine, started, task))

    def add(self, run: Run, answer: StoredAnswer) -> None:
        """Keep one answer, in one transaction; sqlite3's IntegrityError when the question has one already."""
        row = asdict(answer) | {name: _pack(getattr(answer, name)) for name in PACKED}
        with self._writing():
            self._database.execute(
                "delete from answers where run = ? and [index] = ? and status = 'error'",
                [run.id, answer.index],
            )
            self._database.table("answers").insert({"run": run.id, **row}, pk=("run", "index"))

    def adopt(self, run: Run) -> Run:
        """Take over a run that another store began; one that is here already stays as it is."""
        with self._writing():
            self._database.table("runs").insert(_row(run), pk="id", ignore=True)
        return self.run(run.id)

    def done(self, run: Run) -> set[int]:
        """Indices that a run has answered; those on which the agent failed are not among them."""
        rows = self._database.query(
            "select [index] from answers where run = ? and status <> 'error'", [run.id]
        )
        return {row["index"] for row in rows}

    def runs(self) -> list[Run]:
        """Every run, oldest first."""
        return [_run(row) for row in self._database.query("select * from runs order by started, id")]

    def run(self, name: str, dataset: str | None = None) -> Run:
        """A run by id, or the newest one of a system.

        Raises:
            LookupError: there is none.
        """
        runs = [r for r in self.runs() if name in (r.id, r.spec.system) and dataset in (None, r.spec.dataset)]
        if not runs:
            known = ", ".join(f"{r.spec.system} ({r.id})" for r in self.runs()) or "none"
            raise LookupError(f"There is no run or system {name!r} in the store; it holds: {known}.")
        return runs[-1]

    def answers(self, run: Run) -> Iterator[StoredAnswer]:
        """Answers of a run by index."""
        query = "select * from answers where run = ? order by [index]"
        for row in self._database.query(query, [run.id]):
            row.pop("run")
            yield StoredAnswer(**_plain(row))

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction that waits for other writers from its start."""
        connection = self._database.conn
        connection.execute("begin immediate")
        with connection:
            yield

    def _make_tables(self) -> None:
        text = ("id", "system", "dataset", "model", "critic", "prompts", "settings", "code", "commit")
        columns: dict[str, Any] = dict.fromkeys((*text, "machine", "task", "started"), str)
        self._database.table("runs").create(columns, pk="id", if_not_exists=True)
        kinds: dict[str, type] = {"index": int, "correct": int, "suite_correct": int, "model_calls": int}
        kinds |= dict.fromkeys(("confidence", "seconds", "model_seconds", "soft_f1", "reward"), float)
        kinds["replayed"] = int
        kinds |= dict.fromkeys(PACKED, bytes)
        names = StoredAnswer.__dataclass_fields__
        answers = {"run": str} | {name: kinds.get(name, str) for name in names}
        table = self._database.table("answers")
        table.create(answers, pk=("run", "index"), if_not_exists=True)
        for name in sorted(answers.keys() - {column.name for column in table.columns}):
            table.add_column(name, answers[name])  # a store of an earlier version lacks it


def paired(
    first: Sequence[StoredAnswer], second: Sequence[StoredAnswer]
) -> list[tuple[StoredAnswer, StoredAnswer]]:
    """Answers of two runs to the same questions, where both could be scored."""
    others = {answer.index: answer for answer in second if answer.correct is not None}
    return [(a, others[a.index]) for a in first if a.index in others and a.correct is not None]


def _pack(value: Any) -> bytes:
    return zlib.compress(json.dumps(hide_known_in(value), default=str, separators=(",", ":")).encode())


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    unpacked = {name: json.loads(zlib.decompress(row[name])) for name in PACKED}
    verdicts = {name: None if row[name] is None else bool(row[name]) for name in ("correct", "suite_correct")}
    return row | unpacked | verdicts


def _row(run: Run) -> dict[str, Any]:
    plain = asdict(run.spec) | {
        "prompts": json.dumps(run.spec.prompts, sort_keys=True),
        "settings": json.dumps(run.spec.settings, sort_keys=True, default=str),
    }
    return plain | {name: getattr(run, name) for name in ("id", "commit", "machine", "started", "task")}


def _run(row: dict[str, Any]) -> Run:
    spec = RunSpec(
        row["system"],
        row["dataset"],
        row["model"],
        row["critic"],
        json.loads(row["prompts"]),
        json.loads(row["settings"]),
        row["code"],
    )
    return Run(row["id"], spec, row["commit"], row["machine"], row["started"], row["task"])
