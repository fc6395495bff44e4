"""What the doors give back, typed: MCP makes its output schemas of these, HTTP its JSON."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from critiql.agent.answer import Answer


class RunResult(BaseModel):
    """What running a statement gave: rows, or why there are none."""

    ok: bool
    sql: str
    columns: list[str] = []
    rows: list[list[Any]] = []
    row_count: int = 0
    truncated: bool = False
    """A cap cut rows or cells."""
    row_limit: int = 0
    seconds: float = 0.0
    kind: str | None = None
    """Kind of the failure; `denied` is the sandbox."""
    message: str | None = None


class Problem(BaseModel):
    """Why something could not be done, in a sentence."""

    kind: str
    message: str


class CheckResult(BaseModel):
    """What is wrong with a query, by type."""

    ok: bool
    """Nothing was found, and it runs."""
    sql: str
    error: Problem | None = None
    """What running it gave, where that failed."""
    findings: list[dict[str, Any]] = []
    repaired: str | None = None
    """The query mended by code, where a rule can."""


class StepResult(BaseModel):
    """One step of a query."""

    line: int
    frame: str
    text: str
    meaning: str
    rows: int | None = None
    """Rows after this step; None where they were not counted."""
    columns: list[str] = []
    sample: list[list[Any]] = []
    note: str = ""


class ExplainResult(BaseModel):
    """A query as steps, or why it has none."""

    ok: bool
    sql: str
    text: str = ""
    steps: list[StepResult] = []
    message: str | None = None


class ColumnResult(BaseModel):
    """One column."""

    name: str
    type: str
    primary_key: bool
    nullable: bool
    comment: str = ""
    references: dict[str, str] | None = None
    """`table` and `column` that it refers to."""


class TableResult(BaseModel):
    """One table or view."""

    name: str
    kind: str
    rows: int | None
    comment: str = ""
    columns: list[ColumnResult]


class SchemaResult(BaseModel):
    """The tables of a database."""

    name: str
    dialect: str
    tables: list[TableResult]
    hidden: dict[str, int]
    """How many tables and columns the settings of this server hide."""
    questions: list[str] = []
    """Questions that may be asked of it, made from the schema by code."""


class PairResult(BaseModel):
    """A question and its query, verified by a person."""

    id: str
    question: str
    sql: str
    database: str
    """The name under which it is served."""
    who: str
    when: datetime


class AskResult(BaseModel):
    """An answered question."""

    question: str
    database: str
    status: str
    """accepted: by a critic that may reject; unverified: it ran; failed; abstained."""
    in_words: str
    sql: str
    columns: list[str]
    rows: list[list[Any]]
    truncated: bool
    confidence: float | None
    """Calibrated probability of being right; null is unknown, which is not zero."""
    assumptions: list[str] = []
    other_reading: dict[str, str] | None = None
    """A second reading that stands too and returns other rows: its words and its SQL."""
    chart: dict[str, Any] | None = None
    """A Vega-Lite specification of the rows, where they make one."""
    seconds: float = 0.0
    model_calls: int = 0

    @classmethod
    def of(cls, answer: Answer, database: str, chart: dict[str, Any] | None = None) -> "AskResult":
        """What a door tells of an answer."""
        fields = set(cls.model_fields) & set(Answer.model_fields)
        told = answer.model_dump(mode="json", include=fields)
        return cls(**{**told, "database": database, "model_calls": answer.model_calls, "chart": chart})
