"""A user's own verified pairs: questions with the queries that answer them, from a .csv or .jsonl file."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from critiql.tools.exceptions import USAGE, CritiqlError

LARGEST = 20_000_000
"""Bytes of a file that is read."""
FORM = "Give a .csv file with a header or a .jsonl file, with the fields question, sql and perhaps database."


class PairsError(CritiqlError, ValueError):
    """A file of pairs cannot be read. The message says what happened, why, and what to do."""

    exit_code = USAGE


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and the query that answers it."""

    line: int
    """Of the file, from 1; 0 for one that has a name."""
    question: str
    sql: str
    database: str = ""
    """Path, URL or name of the database it is about; empty: any."""
    name: str = ""
    """Of a pair in the verified memory; empty for a line of a file."""

    @property
    def place(self) -> str:
        """How a person is told which one it is."""
        return self.name or f"line {self.line}"

    def is_about(self, url: str, folder: Path) -> bool:
        """Whether it may be about the database of that URL; a relative path is taken from the folder."""
        if self.database in ("", url, Path(url).stem):
            return True
        path = url.partition(":///")[2]
        return bool(path) and (folder / self.database).resolve() == Path(path).resolve()


def read_pairs(file: Path) -> list[Pair]:
    """Every pair of a file.

    Raises:
        PairsError: it is missing, not of this form, too large, or holds no pair.
    """
    if file.suffix not in (".csv", ".jsonl") or not file.is_file():
        raise PairsError(f"There is no file of examples {file}. {FORM}")
    try:
        if file.stat().st_size > LARGEST:
            raise PairsError(f"The examples {file} are larger than {LARGEST // 1_000_000} MB. Give fewer.")
        with file.open(newline="", encoding="utf-8-sig") as lines:
            rows = _csv_rows(file, lines) if file.suffix == ".csv" else _json_rows(lines)
            pairs = [_pair(file, line, row) for line, row in rows]
    except (OSError, UnicodeDecodeError, csv.Error, json.JSONDecodeError) as error:
        raise PairsError(f"The examples {file} cannot be read: {error}. {FORM}") from error
    if not pairs:
        raise PairsError(f"The file {file} holds no example. {FORM}")
    return pairs


def _csv_rows(file: Path, lines: TextIO) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(lines)
    missing = {"question", "sql"} - set(reader.fieldnames or ())
    if reader.fieldnames and missing:
        raise PairsError(f"The header of {file} has no {' and no '.join(sorted(missing))}. {FORM}")
    for row in reader:
        yield reader.line_num, row


def _json_rows(lines: TextIO) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            value = json.loads(line)
            yield number, value if isinstance(value, dict) else {}


def _pair(file: Path, line: int, row: Mapping[str, Any]) -> Pair:
    question, sql, database = (row.get(name) or "" for name in ("question", "sql", "database"))
    if not all(isinstance(each, str) for each in (question, sql, database)) or not (
        question.strip() and sql.strip()
    ):
        raise PairsError(f"Line {line} of {file} has no question or no sql. {FORM}")
    return Pair(line, question, sql, database.strip())
