"""Any system's queries as first candidates: one a question, from a file of that system.

Three forms are read: one query a line in the data set's order (Spider's official form); `.jsonl` with `index`
and `sql`; `.json`, an object from index to query (BIRD's form).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from critiql.evals.data.item import Item

BIRD_MARK = "\t----- bird -----\t"
"""What BIRD's form puts between a query and its database."""


@dataclass(frozen=True)
class Predictions:
    """The queries of one system."""

    label: str
    """Name of the file and the digest of its bytes."""
    queries: Mapping[int, str]
    """Per position in the official file; an empty one is no query."""


def read_predictions(file: Path) -> Predictions:
    """Read a file of predictions.

    Raises:
        ValueError: it cannot be read, or is of none of the three forms.
    """
    try:
        data = file.read_bytes()
        text = data.decode()
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} is not UTF-8 text (byte {error.start}). Convert it first.") from error
    readers = {".jsonl": _of_objects, ".json": _of_bird}
    try:
        queries = readers.get(file.suffix, _of_lines)(text)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{file} holds no predictions ({error}). Give one query a line, or .jsonl with index and sql, "
            "or .json from index to query."
        ) from error
    return Predictions(f"{file.name} {sha256(data).hexdigest()[:12]}", queries)


def with_drafts(items: Sequence[Item], predictions: Predictions) -> list[Item]:
    """The items with their predictions as drafts.

    Raises:
        ValueError: an item has none; a query is not guessed, and a run of fewer questions would not compare.
    """
    missing = [item.index for item in items if not predictions.queries.get(item.index, "").strip()]
    if missing:
        shown = ", ".join(map(str, missing[:5])) + (", ..." if len(missing) > 5 else "")
        raise ValueError(
            f"{predictions.label} has no query for {len(missing)} of {len(items)} questions (index {shown}). "
            "Line n, from 0, answers question n of the data set; check that it is of this data set."
        )
    return [replace(item, draft=predictions.queries[item.index].strip()) for item in items]


def _of_lines(text: str) -> dict[int, str]:
    return {index: line.split("\t")[0] for index, line in enumerate(text.split("\n"))}


def _of_objects(text: str) -> dict[int, str]:
    rows: list[dict[str, Any]] = [json.loads(line) for line in text.split("\n") if line.strip()]
    return {int(row["index"]): str(row["sql"]) for row in rows}


def _of_bird(text: str) -> dict[int, str]:
    rows: dict[str, str] = json.loads(text)
    return {int(index): str(sql).partition(BIRD_MARK)[0] for index, sql in rows.items()}
