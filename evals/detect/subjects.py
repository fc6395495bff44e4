"""The queries that detectors are measured on: first predictions of a run, or those of NL2SQL-Bugs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from critiql.evals.data.item import Item
from critiql.evals.data.schema_only import bugs_schemas
from critiql.evals.run.store import StoredAnswer
from critiql.tools.errors.types.catalogue import BY_BUG
from critiql.tools.schema.model import Schema


@dataclass(frozen=True)
class Subject:
    """One query that detectors look at."""

    index: int
    db_id: str
    question: str
    sql: str
    """As it was written."""
    wrong: bool
    evidence: str = ""
    """What is known beyond the schema."""
    types: frozenset[str] = frozenset()
    """Labelled error types; empty where right, or where no label explains the error."""
    categories: frozenset[str] = frozenset()
    """Of NL2SQL-Bugs' nine, those of its labels."""
    difficulty: str | None = None
    p_true: float | None = None
    database: Path | None = None
    schema: Schema | None = None
    """Of a database that is not at hand."""

    @property
    def asked(self) -> str:
        """The question with its notes, as prompts show it; the rules read the question alone."""
        return f"{self.question}\nEvidence: {self.evidence}" if self.evidence else self.question


def first_predictions(
    answers: Iterable[StoredAnswer], items: Mapping[int, Item], readings: Mapping[tuple[int, str], float]
) -> list[Subject]:
    """The first query of each scored answer.

    Args:
        answers: of one run.
        items: its questions by index; an answer to another one is left out.
        readings: P(True) by question and SQL, for queries that this run did not judge.
    """
    subjects = []
    for answer in answers:
        first = answer.candidates[0] if answer.candidates else {}
        item = items.get(answer.index)
        if item is None or first.get("correct") is None or not first.get("sql"):
            continue
        known = readings.get((answer.index, first["sql"]))
        subjects.append(
            Subject(
                index=answer.index,
                db_id=item.db_id,
                question=item.question,
                evidence=item.evidence,
                sql=first["sql"],
                wrong=not first["correct"],
                difficulty=item.difficulty,
                p_true=known if first.get("p_true") is None else first["p_true"],
                database=item.database,
            )
        )
    return subjects


def readings_of(runs: Iterable[Iterable[StoredAnswer]]) -> dict[tuple[int, str], float]:
    """P(True) of every judged candidate, by question and SQL; a later run goes before an earlier one."""
    return {
        (answer.index, candidate["sql"]): candidate["p_true"]
        for answers in runs
        for answer in answers
        for candidate in answer.candidates
        if candidate.get("p_true") is not None
    }


def labelled_bugs(items: Sequence[Item]) -> list[Subject]:
    """The queries of NL2SQL-Bugs; their databases are not at hand, so there are no rows and no values."""
    schemas = bugs_schemas(items[0].database.parents[3] / "nl2sql_bugs/schema_dev.json")
    types = {subtype: error.key for (_, subtype), error in BY_BUG.items()}
    return [
        Subject(
            index=item.index,
            db_id=item.db_id,
            question=item.question,
            evidence=item.evidence,
            sql=item.extra["candidate"],
            wrong=not item.extra["label"],
            types=frozenset(types[name] for name in item.extra["error_types"] if name in types),
            categories=frozenset(filter(None, item.extra.get("categories", ()))),
            schema=schemas[item.db_id],
        )
        for item in items
    ]
