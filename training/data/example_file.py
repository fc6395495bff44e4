"""Training files: one JSON object a line, and beside it a card that says what is in it."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from statistics import median_low
from typing import Any

from critiql.evals.data.item import Dataset
from critiql.evals.run.provenance import commit
from critiql.training.data.order import rank

Row = dict[str, Any]


def balanced(rows: Sequence[Row], limit: int | None, seed: int) -> list[Row]:
    """Rows of every kind in equal numbers as far as there are any, drawn by the seed, in their old order.

    Kinds are the values of `kind`. None is kept more often than the median kind, and all together at most
    `limit` times; what a rare kind leaves of its share goes to the others.
    """
    by_kind: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        by_kind.setdefault(row["kind"], []).append(number)
    most = median_low(map(len, by_kind.values())) if by_kind else 0
    left = most * len(by_kind) if limit is None else limit
    kept: set[int] = set()
    for place, numbers in enumerate(sorted(by_kind.values(), key=len)):
        each = min(len(numbers), most, left // (len(by_kind) - place))
        kept |= set(sorted(numbers, key=lambda n: rank(seed, rows[n]["index"], rows[n]["kind"]))[:each])
        left -= each
    return [row for number, row in enumerate(rows) if number in kept]


def write_rows(rows: Iterable[Row], out: Path) -> None:
    """Write the examples; a file that is there is replaced only when all of them are written."""
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(out.name + ".part")
    with unfinished.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    unfinished.replace(out)


def read_rows(path: Path) -> list[Row]:
    """The examples of a file.

    Raises:
        ValueError: a line is no JSON object; the message names it.
    """
    rows: list[Row] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            row = None
        if not isinstance(row, dict):
            raise ValueError(
                f"{path}, line {number}, is no JSON object. Make the file with critiql train data."
            )
        rows.append(row)
    return rows


def card_path(out: Path) -> Path:
    """Where the card of a file lies: beside it."""
    return out.with_name(out.name + ".card.json")


def write_card(card: Row, out: Path) -> None:
    """Write the card of a file."""
    card_path(out).write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def data_card(task: str, rows: Sequence[Row], data: Dataset, out: Path, seed: int) -> Row:
    """What a data file holds, what it was made from and when."""
    return {
        "task": task,
        "examples": len(rows),
        "by_part": counts_by_part(rows),
        "seed": seed,
        "data": data.name,
        "sources": dict(data.sources),
        "dropped": dict(data.dropped),
        "sha256": sha256(out.read_bytes()).hexdigest(),
        "commit": commit(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def counts_by_part(rows: Sequence[Row]) -> Row:
    """Examples, databases, kinds and error types of each part."""
    return {part: _counts(rows, part) for part in ("train", "validation")}


def _counts(rows: Sequence[Row], part: str) -> Row:
    mine = [row for row in rows if row["part"] == part]
    return {
        "examples": len(mine),
        "databases": sorted({row["db_id"] for row in mine}),
        "kinds": dict(sorted(Counter(row["kind"] for row in mine).items())),
        "types": dict(sorted(Counter(name for row in mine for name in row.get("types", ())).items())),
    }
