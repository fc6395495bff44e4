"""Refine a given query: what a graph makes of somebody's SQL, and why it kept or replaced it.

The query takes the place of the actor's first draft, so that a graph spends model calls only on what stands
against it (ErrorLLM, algorithm 2; SHARE's use on any generator's output).
"""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from critiql.agent.answer import Answer
from critiql.agent.context import Context
from critiql.agent.decide.doubt import doubts
from critiql.agent.evidence import Candidate, Decision, Status
from critiql.agent.wording.trust import plain_reason
from critiql.graphs.api import aask, wait
from critiql.tools.errors.types.catalogue import BY_KEY
from critiql.tools.exceptions import USAGE, CritiqlError

RefiningGraph = Literal["text_to_sql", "error_llm", "share"]
"""Graphs that mend a given query."""


class NoQueryError(CritiqlError, ValueError):
    """There is nothing to refine. The message says what to do."""

    exit_code = USAGE


class Refinement(BaseModel):
    """A given query, and what became of it."""

    question: str
    database: str
    graph: str
    before: str
    """The query as it was given."""
    after: str
    """The query that stands now; byte for byte the given one where nothing was changed."""
    changed: bool
    """Whether another query took its place."""
    reason: str
    """Why the query was kept or replaced, in a sentence."""
    findings: list[dict[str, Any]]
    """Typed errors found in the given query; `name` is the type in words. A `span` counts in the query as it
    was run: without code fences and what stands around them."""
    error: str | None
    """What running the given query said; None where it ran or was not run."""
    status: Status
    """`failed` where the query that stands gives no rows but an error."""
    columns: list[str]
    rows: list[list[Any]]
    truncated: bool
    model_calls: int
    tokens: int
    """Tokens the calls read and wrote, those found in a cache left out."""
    seconds: float

    @classmethod
    def of(cls, sql: str, answer: Answer, context: Context) -> "Refinement":
        """Read it out of the answer of a run that began with the query."""
        given, chosen = answer.candidates[0], _chosen(answer)
        changed = chosen["id"] != given["id"]
        execution = given.get("execution")
        total = answer.tokens()
        return cls(
            question=answer.question,
            database=answer.database,
            graph=answer.graph,
            before=sql,
            after=chosen["sql"] if changed else sql,
            changed=changed,
            reason=why_replaced(answer, chosen) if changed else why_kept(answer, context),
            findings=[{"name": BY_KEY[f["type"]].name, **f} for f in given.get("findings", [])],
            error=execution["message"] if execution and not execution["ok"] else None,
            status=answer.status,
            columns=answer.columns,
            rows=answer.rows,
            truncated=answer.truncated,
            model_calls=answer.model_calls,
            tokens=total.prompt - total.cached + total.generated,
            seconds=answer.seconds,
        )


async def arefine(
    sql: str,
    database: str | Path,
    question: str,
    *,
    graph: RefiningGraph = "text_to_sql",
    context: Context | None = None,
    evidence: str = "",
) -> Refinement:
    """Check a query and mend it where something stands against it.

    Args:
        sql: the query, of whatever system or person.
        database: path or URL of the database it is for.
        question: what the query is to answer.
        graph: whose rule decides. `text_to_sql` replaces a query only on evidence; `error_llm` replaces one
            with any finding, and `share` repairs it by its steps.
        context: settings of the run.
        evidence: what is known beyond the schema.

    Raises:
        NoQueryError: `sql` is empty.
        QuestionError, DatabaseError, ModelError: the message says what to do.
    """
    if not sql.strip():
        raise NoQueryError("There is no query to refine: the text is empty. Give one, or ask the question.")
    settings = context or Context()
    answer = await aask(question, database, graph=graph, context=settings, evidence=evidence, draft=sql)
    return Refinement.of(sql, answer, settings)


def refine(
    sql: str,
    database: str | Path,
    question: str,
    *,
    graph: RefiningGraph = "text_to_sql",
    context: Context | None = None,
    evidence: str = "",
) -> Refinement:
    """As `arefine`, from code that is not asynchronous."""
    return wait(arefine(sql, database, question, graph=graph, context=context, evidence=evidence))


def why_kept(answer: Answer, context: Context) -> str:
    """Why the given query is still the answer."""
    against = doubts(answer.candidates[0], context)
    if not against:
        looked = "findings" in answer.candidates[0]
        return "Kept: nothing stands against it." if looked else "Kept: no other query was made of it."
    others = len(answer.candidates) - 1
    if not others:
        return f"Kept although {_listed(against)}: there was no other query."
    reason = next((d["reason"] for d in reversed(answer.decisions) if d["incumbent"] == 0), "")
    told = plain_reason(reason, "it", "the other")
    weighed = f" ({told})" if reason else ""
    none = "the other query had no more" if others == 1 else f"none of {others} others had more"
    return f"Kept although {_listed(against)}: {none} for it{weighed}."


def why_replaced(answer: Answer, chosen: Candidate) -> str:
    """Why another query took the place of the given one."""
    decision = _last_displacement(answer, chosen)
    if decision:
        why = plain_reason(decision["reason"], "the given query", "this one")
        return f"Replaced by {ORIGINS[chosen['origin']]}: {why}."
    return f"Replaced by {ORIGINS[chosen['origin']]}, which this graph takes without weighing it."


ORIGINS = {
    "given": "the given query",
    "actor": "another draw of the model",
    "repair": "a repair by rule",
    "refiner": "the refiner's query",
    "regeneration": "the query of the repaired steps",
    "escalation": "the larger model's query",
}
"""Where a query came from, in words."""


def _chosen(answer: Answer) -> Candidate:
    return next(c for c in answer.candidates if c["id"] == answer.incumbent)


def _last_displacement(answer: Answer, chosen: Candidate) -> Decision | None:
    made = (d for d in reversed(answer.decisions) if d["displaced"] and d["challenger"] == chosen["id"])
    return next(made, None)


def _listed(reasons: list[str]) -> str:
    return " and ".join(reasons)
