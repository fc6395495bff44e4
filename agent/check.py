"""Name what is wrong with a query, by type: what `critiql check` does, as a function.

It stands above the roles because a model that looks too is shown the agent's own prompt; without a model
nothing of the agent is imported, so that a check takes a fraction of a second.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from critiql.tools.database.engine import Database
from critiql.tools.database.named import DatabaseName, named_database
from critiql.tools.database.result import Limits, Result, Rows
from critiql.tools.errors.lookup import DatabaseValues
from critiql.tools.errors.rules import detect, read, union
from critiql.tools.errors.types.catalogue import BY_KEY
from critiql.tools.errors.types.error_type import Finding
from critiql.tools.models.model import ModelError

if TYPE_CHECKING:
    from critiql.agent.check_model import Asker

LIMITS = Limits(seconds=2.0, rows=20)
"""What running the query may cost."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What is wrong with a query."""

    sql: str
    question: str
    result: Result | None
    """How running it went; None where it was not run."""
    findings: tuple[Finding, ...]
    detectors: tuple[str, ...] = ("rules",)
    """Who looked: the rules, and a model's head or prompt."""
    note: str = ""
    """Why the rules stand alone although a model was named."""

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def as_dict(self) -> dict[str, Any]:
        """What JSON holds; the query's rows are counted and not shown."""
        return {
            "sql": self.sql,
            "question": self.question,
            "execution": _execution(self.result),
            "detectors": list(self.detectors),
            **({"note": self.note} if self.note else {}),
            "findings": [{"name": BY_KEY[one.type].name, **one.as_dict()} for one in self.findings],
        }


class Checked(NamedTuple):
    """A database and its values, which may serve many checks."""

    database: Database
    values: DatabaseValues

    @classmethod
    def open(cls, db: DatabaseName = "") -> "Checked":
        """Open it; what is looked up in it is kept as long as this.

        Raises:
            DatabaseError: the database cannot be read.
        """
        database = named_database(db)
        return cls(database, DatabaseValues(database))


def check(
    sql: str,
    db: DatabaseName = "",
    *,
    question: str = "",
    execution: bool = True,
    model: str = "",
    detector: Literal["head", "prompt"] = "head",
    head: str | Path = "",
) -> CheckResult:
    """Name what is wrong with a query, by type.

    Args:
        sql: the query.
        db: path, URL or an open database; without it the sample database.
        question: what the query is to answer.
        execution: False reads the schema only; no query is run and no value is read.
        model: a model that looks too; empty: the rules alone, and no model is loaded.
        detector: `head` reads an error-token head, `prompt` lets the model write what it finds.
        head: the head's file; empty: the shipped one that fits the model.

    Raises:
        DatabaseError: the database cannot be read.
        ModelError: the model or the named head cannot be used.
    """
    asked = asker_of(model, detector, head, execution=execution) if model else None
    found = check_on(Checked.open(db), sql, question, asked, execution=execution)
    return replace(found, note=no_head(model)) if model and asked is None else found


def check_on(
    on: Checked, sql: str, question: str = "", asked: "Asker | None" = None, *, execution: bool = True
) -> CheckResult:
    """As `check`, on a database that is open.

    Args:
        on: the database.
        sql: the query.
        question: what it is to answer.
        asked: the model that looks too; where it fails, a note says why and the rules stand alone.
        execution: whether the query may be run and values may be read.
    """
    schema, values = on.database.schema(), on.values if execution else None
    query = read(sql, schema, question=question, values=values)
    limits = asked.limits if asked else LIMITS
    result = on.database.run(sql, limits) if execution and not isinstance(query, Finding) else None
    if not isinstance(query, Finding) and result is not None and not result.ok:
        query = read(sql, schema, question=question, values=values, execution=result)
    ruled = detect(query)
    if asked is None or isinstance(query, Finding):  # a text that is no query is not shown to a model
        return CheckResult(sql, question, result, tuple(ruled))
    try:
        told = asked.findings(query, on.database, result)
    except ModelError as error:
        return CheckResult(sql, question, result, tuple(ruled), note=f"The rules stand alone: {error}")
    return CheckResult(sql, question, result, tuple(union(ruled, told)), ("rules", asked.source))


def asker_of(
    model: str, detector: Literal["head", "prompt"], head: str | Path = "", *, execution: bool = True
) -> "Asker | None":
    """The model that looks too; None where no head is shipped for it and none is named.

    Raises:
        ModelError: the model or the named head cannot be used.
    """
    from critiql.agent.check_model import asker

    return asker(model, detector, Path(head) if head else None, run=execution)


def no_head(model: str) -> str:
    """Why a model does not look."""
    return f"No error-token head is shipped for {model}; the rules stand alone. Name one with --head."


def _execution(result: Result | None) -> dict[str, Any] | None:
    """How running the query went; None when it was not run."""
    if result is None:
        return None
    if isinstance(result, Rows):
        return {"ok": True, "rows": len(result.rows), "truncated": result.truncated}
    return {"ok": False, "kind": result.kind, "message": result.message}
