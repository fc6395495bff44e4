"""Loaders of the benchmarks: each reads an official layout below one folder and counts what it leaves out."""

import csv
import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from critiql.evals.data.everyday.questions import EVERYDAY, everyday
from critiql.evals.data.item import Dataset, Item, Metric
from critiql.evals.metrics.hardness import hardness
from critiql.tools.settings import settings

Row = Mapping[str, Any]
Found = tuple[list[Item], Counter[str]]
"""Items, and those left out by reason."""


def load(name: str, root: Path | None = None) -> Dataset:
    """Load a data set by name, or a user's own `.csv` or `.jsonl` file of (database, question, sql).

    Args:
        name: one of `DATASETS` or `EVERYDAY`, or the path of a file.
        root: folder of the benchmarks; without it `CRITIQL_DATA` says where they are.

    Returns:
        The data set. Where files are missing its `not_run` names them; that is no error.

    Raises:
        ValueError: the name is neither a data set nor a file.
    """
    if Path(name).suffix in {".csv", ".jsonl"}:
        return _own_file(Path(name))
    if name in EVERYDAY:
        return everyday(name)
    if name not in DATASETS:
        known = ", ".join((*DATASETS, *EVERYDAY))
        raise ValueError(f"There is no data set {name!r}. Known: {known}; or give a .csv or .jsonl file.")
    folder = root or settings().data
    if folder is None:
        return Dataset(
            name, (), not_run="CRITIQL_DATA is not set; it names the folder with the benchmark data"
        )
    return DATASETS[name](name, folder)


def _spider_dev(name: str, root: Path) -> Dataset:
    return _load(name, root / "spider/database", [(root / "spider/dev.json", _spider_item)], graded=True)


def _spider_train(name: str, root: Path) -> Dataset:
    files = [
        (root / "spider/train_spider.json", _spider_item),
        (root / "spider/train_others.json", _spider_item),
    ]
    return _load(name, root / "spider/database", files, graded=True)


def _spider_syn(name: str, root: Path) -> Dataset:
    return _load(name, root / "spider/database", [(root / "spider_syn/dev.json", _syn_item)], graded=True)


def _spider_syn_train(name: str, root: Path) -> Dataset:
    file = root / "spider_syn_train/train_spider.json"
    return _load(name, root / "spider/database", [(file, _syn_item)], graded=True)


def _spider_dk(name: str, root: Path) -> Dataset:
    file = root / "spider_dk/Spider-DK.json"
    return _load(name, root / "spider_dk/database", [(file, _spider_item)], graded=True)


def _spider_realistic(name: str, root: Path) -> Dataset:
    file = root / "spider_realistic/spider-realistic.json"
    return _load(name, root / "spider/database", [(file, _spider_item)], graded=True)


def _bird_dev(name: str, root: Path) -> Dataset:
    file = _first(root / "bird/dev.json", root / "bird/dev_20230504.json")
    return _load(name, root / "bird/dev_databases", [(file, _bird_item)], metric="bird")


def _bird_mini_dev(name: str, root: Path) -> Dataset:
    file = root / "bird/mini_dev_sqlite.json"
    return _load(name, root / "bird/dev_databases", [(file, _bird_item)], metric="bird")


def _nl2sql_bugs(name: str, root: Path) -> Dataset:
    names = ("NL2SQL-Bugs-with-evidence.json", "development.json")
    file = _first(*(root / "nl2sql_bugs" / file for file in names))
    return _with_references(_load(name, root / "bird/dev_databases", [(file, _bugs_item)], metric="bird"))


DATASETS: dict[str, Callable[[str, Path], Dataset]] = {
    "spider-dev": _spider_dev,
    "spider-train": _spider_train,
    "spider-syn": _spider_syn,
    "spider-syn-train": _spider_syn_train,
    "spider-dk": _spider_dk,
    "spider-realistic": _spider_realistic,
    "bird-dev": _bird_dev,
    "bird-mini-dev": _bird_mini_dev,
    "nl2sql-bugs": _nl2sql_bugs,
}
"""The data sets by name."""


def _load(
    name: str,
    databases: Path,
    files: Sequence[tuple[Path, Callable[[Row], dict[str, Any]]]],
    *,
    graded: bool = False,
    metric: Metric = "spider",
) -> Dataset:
    missing = [str(file) for file, _ in files if not file.is_file()]
    if missing:
        return Dataset(name, (), not_run=f"missing: {', '.join(missing)}", metric=metric)
    rows = [(row, fields) for file, fields in files for row in json.loads(file.read_text("utf-8"))]
    items, dropped = _items(name, databases, rows, graded=graded)
    not_run = None if databases.is_dir() else f"missing: the databases, {databases}"
    if not_run is None:
        items, absent = _with_rows(items)
        dropped += absent
    digests = {file.name: _digest(file) for file, _ in files}
    return Dataset(name, tuple(items), dict(dropped), not_run, metric, digests)


def _items(
    name: str,
    databases: Path,
    rows: Iterable[tuple[Row, Callable[[Row], dict[str, Any]]]],
    *,
    graded: bool,
) -> Found:
    items: list[Item] = []
    dropped: Counter[str] = Counter()
    for index, (row, fields) in enumerate(rows):
        try:
            item = Item(dataset=name, index=index, **_paths(fields(row), databases))
        except (KeyError, TypeError, AttributeError):
            dropped["corrupt item"] += 1
            continue
        if not (item.question.strip() and item.db_id):
            dropped["corrupt item"] += 1
        elif graded and not item.gold.strip():
            dropped["no gold SQL"] += 1
        else:
            items.append(item)
    return items, dropped


def _paths(fields: dict[str, Any], databases: Path) -> dict[str, Any]:
    if not all(isinstance(fields[key], str) for key in ("db_id", "question", "gold")):
        raise TypeError("db_id, question and SQL must be text")
    db_id = fields["db_id"]
    return {"database": databases / db_id / f"{db_id}.sqlite", **fields}


def _with_rows(items: list[Item]) -> Found:
    """Keep what can be asked: items whose database exists and holds a row."""
    kept: list[Item] = []
    dropped: Counter[str] = Counter()
    for item in items:
        trouble = _trouble(item.database)
        if trouble:
            dropped[f"{trouble}: {item.db_id}"] += 1
        else:
            kept.append(item)
    return kept, dropped


@cache
def _trouble(database: Path) -> str | None:
    """Why a database file cannot be asked, or None."""
    if not database.is_file():
        return "database missing"
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            quoted = (name.replace('"', '""') for (name,) in names if not name.startswith("sqlite_"))
            filled = any(connection.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone() for name in quoted)
    except sqlite3.Error as error:
        return f"database unreadable ({error})"
    return None if filled else "database without rows"


def _spider_item(row: Row) -> dict[str, Any]:
    fields = {"db_id": row["db_id"], "question": row["question"], "gold": row["query"]}
    return fields | {"difficulty": hardness(row["query"])}


def _syn_item(row: Row) -> dict[str, Any]:
    plain = {**row, "question": row["SpiderSynQuestion"]}
    return _spider_item(plain) | {"extra": {"original_question": row["SpiderQuestion"]}}


def _bird_item(row: Row) -> dict[str, Any]:
    fields = {"db_id": row["db_id"], "question": row["question"], "gold": row["SQL"]}
    known = {"evidence": row.get("evidence") or "", "difficulty": row.get("difficulty")}
    return fields | known | {"extra": {"question_id": row["question_id"]}}


def _bugs_item(row: Row) -> dict[str, Any]:
    """The SQL to be judged is `extra["candidate"]`; the gold is that SQL if it is right, else empty."""
    label = row["label"]
    extra = {
        "candidate": row["sql"],
        "label": label,
        "error_types": tuple(e["sub_error_type"] for e in row["error_types"]),
        "categories": tuple(dict.fromkeys(e.get("error_type", "") for e in row["error_types"])),
        "id": row["id"],
    }
    gold = row["sql"] if label else ""
    return {
        "db_id": row["db_id"],
        "question": row["question"],
        "gold": gold,
        "evidence": row.get("evidence") or "",
        "extra": extra,
    }


def _with_references(data: Dataset) -> Dataset:
    """Give a wrong row the SQL of a right row of the same question as gold, where there is one."""
    right = {_key(i): i.gold for i in reversed(data.items) if i.gold}
    items = (item if item.gold else replace(item, gold=right.get(_key(item), "")) for item in data.items)
    return replace(data, items=tuple(items))


def _key(item: Item) -> tuple[str, str]:
    return item.db_id, item.question


def _own_file(file: Path) -> Dataset:
    """A user's questions; a relative database path is taken from the folder of the file."""
    if not file.is_file():
        return Dataset(file.stem, (), not_run=f"missing: {file}")
    if file.suffix == ".csv":
        with file.open(newline="", encoding="utf-8") as lines:
            rows: list[Row] = list(csv.DictReader(lines))
    else:
        rows = [_json_object(line) for line in file.read_text("utf-8").splitlines() if line.strip()]

    def fields(row: Row) -> dict[str, Any]:
        database = file.parent / row["database"]
        known = {"evidence": row.get("evidence") or "", "difficulty": row.get("difficulty") or None}
        gold = row["sql"] if "sql" in row else row["SQL"]
        named = {"db_id": database.stem, "database": database, "question": row["question"], "gold": gold}
        return named | known

    items, dropped = _items(file.stem, file.parent, [(row, fields) for row in rows], graded=False)
    kept, absent = _with_rows(items)
    not_run = None if kept else "no row names a database that can be read"
    digests = {file.name: _digest(file)}
    return Dataset(file.stem, tuple(kept), dict(dropped + absent), not_run, sources=digests)


def _json_object(line: str) -> Row:
    """The object of a line; an empty one, which is counted as corrupt, when it does not parse."""
    try:
        value = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _first(*files: Path) -> Path:
    """The first file that exists, else the first."""
    return next((file for file in files if file.is_file()), files[0])


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
