"""A corpus of repairs: the actor's own wrong queries on training questions, each with the right one.

One JSON object a line: `type` (key of an error type), `question`, `wrong`, `right`, `database`, and perhaps
`reason`. It holds text of a benchmark, so it is a file that the user makes, and none is shipped.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from critiql.tools.errors.types.catalogue import BY_KEY
from critiql.tools.errors.types.error_type import RepairExample
from critiql.tools.exceptions import USAGE, CritiqlError

Corpus = Mapping[str, tuple[RepairExample, ...]]
"""By key of the error type."""


class CorpusError(CritiqlError):
    """A corpus cannot be read. The message says what happened, why, and what to do."""

    exit_code = USAGE


def read_corpus(file: Path) -> Corpus:
    """The repairs of a file; read once for each state of it.

    Raises:
        CorpusError: it cannot be read, or a line is no repair.
    """
    try:
        return _read(file, file.stat().st_mtime_ns)
    except OSError as error:
        raise CorpusError(f"The repairs {file} cannot be read: {error.strerror}. Check the path.") from error


@lru_cache(maxsize=8)
def _read(file: Path, _changed: int) -> Corpus:
    found: dict[str, list[RepairExample]] = {}
    for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            key, example = _example(json.loads(line))
        except (KeyError, TypeError, ValueError) as error:
            raise CorpusError(
                f"Line {number} of {file} is no repair ({error}). Each line is JSON with type, question, "
                "wrong and right; critiql eval repairs writes such a file."
            ) from error
        found.setdefault(key, []).append(example)
    return {key: tuple(examples) for key, examples in found.items()}


def _example(row: Mapping[str, Any]) -> tuple[str, RepairExample]:
    error = BY_KEY[row["type"]]
    question, wrong, right = (str(row[name]) for name in ("question", "wrong", "right"))
    reason = str(row.get("reason") or error.description)
    return error.key, RepairExample(question, wrong, reason, right, str(row.get("database", "")))
