"""Refine a file of queries: one result a line, and a run that was stopped goes on where it was."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TextIO

from critiql.agent.context import Context
from critiql.agent.roles.ground import QuestionError
from critiql.graphs.refine import NoQueryError, RefiningGraph, refine
from critiql.tools.database.engine import DatabaseError
from critiql.tools.exceptions import USAGE, CritiqlError

FORM = (
    "Give a .csv file with a header or a .jsonl file, with the fields sql, question and perhaps db, evidence."
)


class QueriesError(CritiqlError, ValueError):
    """A file of queries or of results cannot be used. The message says why, and what to do."""

    exit_code = USAGE


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a file."""

    line: int
    """Of the file, from 1."""
    sql: str
    question: str
    database: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """What is done to every query of a file."""

    graph: RefiningGraph
    context: Context

    def key(self, query: Query) -> str:
        """What a result is of: another query, graph or setting gives another key."""
        asked = (query.sql, query.question, query.database, query.evidence, self.graph)
        return sha256(json.dumps([*asked, self.context.model_dump(mode="json")]).encode()).hexdigest()[:16]


def read_queries(file: Path, database: str = "") -> list[Query]:
    """Every query of a file; a line without a database is for the one given.

    Raises:
        QueriesError: it cannot be read, or a line has no query.
    """
    if file.suffix not in (".csv", ".jsonl") or not file.is_file():
        raise QueriesError(f"There is no file of queries {file}. {FORM}")
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            rows = _csv_rows(lines) if file.suffix == ".csv" else _json_rows(lines)
            return [_query(file, line, row, database) for line, row in rows]
    except (OSError, UnicodeDecodeError, csv.Error, json.JSONDecodeError) as error:
        raise QueriesError(f"{file} cannot be read: {error}. {FORM}") from error


def done_lines(out: Path, queries: list[Query], work: Work) -> set[int]:
    """Lines of the input whose result is in the output already; a half-written last line is cut off.

    A query that could not be worked on (its database was not there) is not done: it is tried again.

    Raises:
        QueriesError: the output holds something else.
    """
    if not out.exists():
        return set()
    keys = {query.line: work.key(query) for query in queries}
    kept: list[str] = []
    done: set[int] = set()
    for text in out.read_text("utf-8").split("\n")[:-1]:
        row = _result(text)
        if row is None or keys.get(row["line"]) != row["key"]:
            raise QueriesError(
                f"{out} holds results of another input, graph or setting. Name another file, or delete it."
            )
        if "error" in row and "before" not in row:
            continue
        kept.append(text)
        done.add(row["line"])
    out.write_text("".join(f"{text}\n" for text in kept), "utf-8")
    return done


def refine_queries(queries: list[Query], work: Work) -> Iterator[dict[str, Any]]:
    """Refine one after another, grouped by database so that they share its prefix; yields results as JSON.

    A query that cannot be worked on gives its line with `error`, and the next one follows.

    Raises:
        ModelError: no model answers, so that no further query could be refined either.
    """
    for query in sorted(queries, key=lambda query: (query.database, query.line)):
        named = {"line": query.line, "key": work.key(query)}
        try:
            found = refine(
                query.sql,
                query.database,
                query.question,
                graph=work.graph,
                context=work.context,
                evidence=query.evidence,
            )
        except (DatabaseError, QuestionError, NoQueryError) as error:
            yield {**named, "error": str(error)}
        else:
            yield {**named, **found.model_dump(mode="json")}


def _result(text: str) -> dict[str, Any] | None:
    try:
        row = json.loads(text)
    except json.JSONDecodeError:
        return None
    return row if isinstance(row, dict) and {"line", "key"} <= set(row) else None


def _csv_rows(lines: TextIO) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(lines)
    for row in reader:
        yield reader.line_num, row


def _json_rows(lines: TextIO) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            value = json.loads(line)
            yield number, value if isinstance(value, dict) else {}


def _query(file: Path, line: int, row: Mapping[str, Any], database: str) -> Query:
    named = row.get("db") or row.get("database") or database
    fields = (row.get("sql"), row.get("question"), named, row.get("evidence") or "")
    if not all(isinstance(field, str) for field in fields) or not str(row.get("sql")).strip():
        raise QueriesError(f"Line {line} of {file} has no sql or no question. {FORM}")
    sql, question, place, evidence = map(str, fields)
    return Query(line, sql, question, place, evidence)
