"""What may be done with the last answer, or with a query in the message: explain, check, chart, run."""

from typing import Any

from critiql.agent.answer import Answer
from critiql.agent.assistant.conversation import AssistantState, AssistantUpdate, Choices
from critiql.agent.assistant.desk import database_for
from critiql.agent.assistant.router import sql_in
from critiql.agent.context import Context
from critiql.agent.databases import limits_of, summarise
from critiql.agent.events import Charted, Executed, Proposed, emit
from critiql.agent.roles.answer import message, rows_of
from critiql.agent.toolbox import check_sql, explain_sql
from critiql.agent.wording.sentence import fenced, sentence
from critiql.tools.chart import chart_of
from critiql.tools.database.engine import Database
from critiql.tools.database.result import Failure, Rows

NOTHING_YET = "There is no answer yet to speak of. Ask a question first, or give a query."
KINDS = {
    "pie": "arc",
    "donut": "arc",
    "arc": "arc",
    "bar": "bar",
    "column": "bar",
    "line": "line",
    "scatter": "point",
    "point": "point",
}
"""Words for kinds of charts."""


def explain(state: AssistantState, choices: Choices) -> AssistantUpdate:
    """The steps of a query, with the rows after each.

    Raises:
        DatabaseError: the database cannot be read.
    """
    sql = query_of(state)
    if sql is None:
        return {"text": NOTHING_YET}
    said = explain_sql(database_for(state, choices.settings), choices.settings, sql)
    return {"text": f"The query step by step:\n\n{fenced(said, 'text')}"}


def check(state: AssistantState, choices: Choices) -> AssistantUpdate:
    """The typed errors of a query, found by rules.

    Raises:
        DatabaseError: the database cannot be read.
    """
    sql = query_of(state)
    if sql is None:
        return {"text": NOTHING_YET}
    last = state.get("last")
    question = last["question"] if last and sql == last["sql"] else ""
    said = check_sql(database_for(state, choices.settings), choices.settings, sql, question)
    return {"text": f"The rules say of this query:\n\n{fenced(said, 'text')}\n\n{fenced(sql, 'sql')}"}


def chart(state: AssistantState) -> AssistantUpdate:
    """The last rows as a chart, without a new query and without a model."""
    last = state.get("last")
    if last is None:
        return {"text": NOTHING_YET}
    kind = next((KINDS[word] for word in KINDS if word in state["said"].lower()), "")
    drawn = chart_of(last["columns"], last["rows"], kind)
    emit(Charted(kind=drawn.kind, kinds=list(drawn.kinds), reason=drawn.reason))
    return {"chart": drawn._asdict(), "text": drawn.reason}


def run(state: AssistantState, choices: Choices) -> AssistantUpdate:
    """Run the query that the message holds, exactly as it stands.

    Raises:
        DatabaseError: the database cannot be read.
    """
    sql = sql_in(state["said"]) or state["said"]
    database = database_for(state, choices.settings)
    emit(Proposed(id=0, sql=sql, origin="given", round=0))
    return ran(sql, state, database, choices.settings)


def ran(sql: str, state: AssistantState, database: Database, context: Context) -> AssistantUpdate:
    """Run a query that a person gave or chose, in the sandbox; what is known of it is that it ran."""
    result = database.run(sql, limits_of(context))
    before = state.get("answer") or {}
    answer: dict[str, Any] = {
        **blank(state["question"], state.get("database", "")),
        **before,
        "sql": sql,
        "status": "failed" if isinstance(result, Failure) else "unverified",
        "confidence": None,
        "in_words": sentence(result),
        **rows_of(result),
    }
    emit(executed(answer.get("incumbent") or 0, result))
    if not before:
        answer["candidates"] = [{"id": 0, "sql": sql, "origin": "given", "execution": summarise(result)}]
        answer["incumbent"] = 0
    said = message(
        sql, result, {"in_words": answer["in_words"], "assumptions": [], "status": answer["status"]}
    )
    return {"answer": answer, "last": answer, "text": said}


def blank(question: str, database: str) -> dict[str, Any]:
    """An answer of which nothing is known yet, as `Answer` dumps itself."""
    return Answer(
        question=question,
        database=database,
        graph="assistant",
        sql="",
        columns=[],
        rows=[],
        truncated=False,
        status="unverified",
        stopped="unchecked",
        confidence=None,
        candidates=[],
        decisions=[],
        incumbent=None,
        generations=0,
        calls=[],
        seconds=0.0,
    ).model_dump(mode="json", exclude={"events"})


def executed(identifier: int, result: Rows | Failure) -> Executed:
    """The event of a run."""
    return Executed(
        id=identifier,
        ok=result.ok,
        kind=result.kind if isinstance(result, Failure) else None,
        message=result.message if isinstance(result, Failure) else None,
        row_count=len(result.rows) if isinstance(result, Rows) else 0,
        seconds=result.seconds,
    )


def query_of(state: AssistantState) -> str | None:
    """The query that is meant: one in the message, else that of the last answer."""
    last = state.get("last")
    return sql_in(state["said"]) or (last["sql"] if last else None)
