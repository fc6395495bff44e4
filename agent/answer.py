"""What `ask` returns: the answer with everything that led to it."""

from html import escape
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from critiql.agent.cost import Cost, cost_of
from critiql.agent.evidence import CallRecord, Candidate, Decision, Status, Stop
from critiql.agent.wording.sentence import fenced, plain, unmarked
from critiql.agent.wording.table import html_table, markdown_table
from critiql.agent.wording.trust import trust
from critiql.tools.database.server_url import without_password
from critiql.tools.schema.quoting import escape_lines

if TYPE_CHECKING:  # it brings LangGraph, which whoever reads an answer of a server does not need
    from critiql.agent.state import State


class Tokens(BaseModel):
    """Token counts of one role, or of all."""

    calls: int = 0
    prompt: int = 0
    cached: int = 0
    """Part of `prompt` whose key-value state was there already."""
    generated: int = 0
    seconds: float = 0.0


class Answer(BaseModel):
    """An answered question."""

    question: str
    database: str
    graph: str
    sql: str
    columns: list[str]
    rows: list[list[Any]]
    truncated: bool
    status: Status
    stopped: Stop
    confidence: float | None
    """Calibrated probability of being right; None is unknown, which is not zero."""
    in_words: str = ""
    """The answer in a sentence, built from the rows by code."""
    assumptions: list[str] = []
    """What a reader should know: for no rows, the condition that removed them."""
    candidates: list[Candidate]
    decisions: list[Decision]
    incumbent: int | None
    generations: int
    calls: list[CallRecord]
    seconds: float
    events: list[dict[str, Any]] = []

    @property
    def model_calls(self) -> int:
        """Calls of any model."""
        return len(self.calls)

    @property
    def escalated(self) -> bool:
        """Whether the larger model was called; false: this question was spared."""
        return any(call["role"] == "escalation" for call in self.calls)

    @property
    def how_sure(self) -> str:
        """How far the answer may be trusted and why, in words."""
        ran = self.status != "unverified" or bool(self.columns)
        return trust(self.status, self.stopped, self.confidence, ran=ran)

    def usage(self) -> dict[str, Tokens]:
        """Token counts per role."""
        counts: dict[str, Tokens] = {}
        for call in self.calls:
            counts[call["role"]] = _plus(counts.get(call["role"], Tokens()), call)
        return counts

    def tokens(self) -> Tokens:
        """Token counts of all roles together."""
        total = Tokens()
        for call in self.calls:
            total = _plus(total, call)
        return total

    def cost(self) -> Cost:
        """What it cost: money for hosted models by the table of prices, seconds for local ones, per role.

        Raises:
            SettingsError: the user's table of prices cannot be read.
        """
        return cost_of(self.calls)

    def df(self) -> Any:
        """The rows as a pandas data frame.

        Raises:
            ModuleNotFoundError: pandas is not installed; the message says how to get it.
        """
        try:
            pandas: Any = import_module("pandas")
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError("Answer.df needs pandas. Run: pip install pandas") from error
        return pandas.DataFrame(self.rows, columns=self.columns)

    def to_markdown(self) -> str:
        """The answer as Markdown: in words, its rows, and the SQL."""
        table = markdown_table(self.columns, self.rows, truncated=self.truncated)
        sql = fenced(self.sql, "sql") if self.sql else ""
        parts = (self.in_words, *map(plain, self.assumptions), table, sql)
        return "\n\n".join(part for part in parts if part)

    def _repr_html_(self) -> str:
        """The answer as a notebook shows it."""
        told = (unmarked(self.in_words), *map(escape_lines, self.assumptions))
        words = "".join(f"<p>{escape(text)}</p>" for text in told)
        table = html_table(self.columns, self.rows, truncated=self.truncated)
        return f"{words}{table}<pre><code>{escape(escape_lines(self.sql))}</code></pre>"

    @classmethod
    def of(cls, state: "State", graph: str, seconds: float, events: list[dict[str, Any]]) -> "Answer":
        """Read the answer out of a run's final state."""
        return cls(
            question=state["question"],
            database=without_password(state["database"]),
            graph=graph,
            sql=state.get("sql", ""),
            columns=state.get("columns", []),
            rows=state.get("rows", []),
            truncated=state.get("truncated", False),
            status=state["status"],
            stopped=state["stopped"] or "unchecked",
            confidence=state.get("confidence"),
            in_words=state.get("in_words", ""),
            assumptions=state.get("assumptions", []),
            candidates=state.get("candidates", []),
            decisions=state.get("decisions", []),
            incumbent=state.get("incumbent"),
            generations=state.get("generations", 0),
            calls=state.get("calls", []),
            seconds=seconds,
            events=events,
        )


def _plus(total: Tokens, call: CallRecord) -> Tokens:
    """Add one call."""
    return Tokens(
        calls=total.calls + 1,
        prompt=total.prompt + call["prompt_tokens"],
        cached=total.cached + call["cached_tokens"],
        generated=total.generated + call["generated_tokens"],
        seconds=total.seconds + call["seconds"],
    )
