"""answer: the incumbent's rows, how far it is to be trusted, and why the loop stopped."""

import json

from langchain_core.messages import AIMessage

from critiql.agent.candidates import executes
from critiql.agent.context import Context
from critiql.agent.databases import database_of, limits_of, shown, summarise
from critiql.agent.decide.budget import spent
from critiql.agent.decide.confidence import confidence_of
from critiql.agent.events import Answered, Budget, Executed, emit
from critiql.agent.evidence import Candidate, Status, Stop
from critiql.agent.kept_results import take
from critiql.agent.state import State, Update, incumbent_of
from critiql.agent.wording.empty_result import why_empty
from critiql.agent.wording.groups import hidden_groups
from critiql.agent.wording.reading import read_candidate
from critiql.agent.wording.sentence import counted, fenced, plain, sentence
from critiql.agent.wording.trust import trust
from critiql.tools.database.engine import Database
from critiql.tools.database.result import Failure, Result, Rows
from critiql.tools.errors.types.error_type import Finding
from critiql.tools.schema.quoting import escape

ROWS_IN_WORDS = 5
"""Rows that the chat message shows."""


def answer(state: State, context: Context) -> Update:
    """Fetch the incumbent's rows and close the run."""
    incumbent = incumbent_of(state)
    if incumbent is None:
        return unanswered(state)
    if not context.run_answer:
        return unrun(incumbent, state, context)
    database = database_of(state, context)
    kept = take(state, incumbent["sql"])
    result = kept or database.run(incumbent["sql"], limits_of(context))
    if not incumbent.get("execution"):
        _announce_execution(incumbent["id"], result)
    update = _closed(incumbent, status_of(incumbent, result), stop_of(state, context))
    update.update(rows_of(result))
    update["confidence"] = _confidence(incumbent, update["status"], state, context)
    update["in_words"] = sentence(result)
    update["assumptions"] = explained(incumbent, result, state, database, context)
    if not incumbent.get("execution"):
        update["candidates"] = [{"id": incumbent["id"], "execution": summarise(result)}]
    update["messages"] = [AIMessage(message(incumbent["sql"], result, update))]
    return update


def unanswered(state: State) -> Update:
    """Close a run without a query: it abstained and says why, or no query was ever written."""
    if state.get("stopped") != "abstained":
        return _closed(None, "failed", "rounds")
    said = plain(" ".join(state.get("assumptions", [])))
    return {
        **_closed(None, "abstained", "abstained"),
        "columns": [],
        "rows": [],
        "truncated": False,
        "in_words": said,
        "assumptions": [],
        "messages": [AIMessage(said)],
    }


def unrun(incumbent: Candidate, state: State, context: Context) -> Update:
    """Close a run whose query somebody else is to run, or nobody: there are no rows, and nothing is known."""
    said = "The query was not run."
    return {
        **_closed(incumbent, "unverified", stop_of(state, context)),
        "columns": [],
        "rows": [],
        "truncated": False,
        "in_words": said,
        "assumptions": [],
        "messages": [AIMessage(f"{said}\n\n{fenced(incumbent['sql'], 'sql')}")],
    }


def status_of(incumbent: Candidate, result: Result) -> Status:
    """failed: no rows came; accepted: by a critic that may reject; unverified: it ran, no more is known."""
    if isinstance(result, Failure):
        return "failed"
    return "accepted" if incumbent.get("verdict") == "accepted" else "unverified"


def stop_of(state: State, context: Context) -> Stop:
    """What ended the loop, or kept it from beginning."""
    settled = state.get("stopped")
    if settled:
        return settled
    incumbent = incumbent_of(state)
    if incumbent and incumbent.get("verdict") == "accepted":
        return "accepted"
    limit = spent(state, context)
    if limit is not None:
        emit(Budget(limit=limit, spent=float(state["generations"])))
        return limit
    return "critic_off" if executes(incumbent) else "unchecked"


def rows_of(result: Result) -> Update:
    """Columns and rows as JSON can hold them."""
    if isinstance(result, Failure):
        return {"columns": [], "rows": [], "truncated": False}
    return {
        "columns": list(result.columns),
        "rows": [[_cell(value) for value in row] for row in result.rows],
        "truncated": result.truncated,
    }


def explained(
    incumbent: Candidate, result: Result, state: State, database: Database, context: Context
) -> list[str]:
    """For a result without rows, which step removed them; for rows of groups, whether they say which.

    Nothing where no query may be run to find out.
    """
    if not context.execution or isinstance(result, Failure) or len(result.rows) == 1:
        return []
    query = read_candidate(incumbent, state, database, context)
    if isinstance(query, Finding):
        return []
    return hidden_groups(query) if result.rows else why_empty(query, database, limits_of(context))


def message(sql: str, result: Result, update: Update) -> str:
    """The chat message, as Markdown: answer or error in words, the SQL, the first rows, how sure it is."""
    notes = "".join(f"\n\n{plain(note)}" for note in update["assumptions"])
    rows = f"{_table(result)}\n\n" if isinstance(result, Rows) else ""
    sure = trust(update["status"], update.get("stopped"), update.get("confidence"))
    return f"{update['in_words']}{notes}\n\n{fenced(sql, 'sql')}\n\n{rows}{sure}"


def _table(result: Rows) -> str:
    """The first rows, one JSON list a line, and how many there are."""
    lines = [json.dumps([shown(value) for value in row], ensure_ascii=False) for row in result.rows]
    count = f"{'more than ' if result.truncated else ''}{counted(len(result.rows), 'row')}"
    head = f"{', '.join(map(escape, result.columns))} ({count})"
    return fenced("\n".join([head, *lines[:ROWS_IN_WORDS]]), "text")


def _cell(value: object) -> object:
    """Bytes become hexadecimal text; everything else is JSON already."""
    return value.hex() if isinstance(value, bytes) else value


def _closed(incumbent: Candidate | None, status: Status, stopped: Stop) -> Update:
    """The fields every answer has; the trace's last event."""
    sql = incumbent["sql"] if incumbent else ""
    emit(Answered(id=incumbent["id"] if incumbent else None, sql=sql, status=status, stopped=stopped))
    return {"sql": sql, "status": status, "stopped": stopped, "confidence": None, "draft": ""}


def _confidence(incumbent: Candidate, status: Status, state: State, context: Context) -> float | None:
    """Unknown of what failed; as it was of an answer that is remembered."""
    if status == "failed":
        return None
    if state.get("stopped") == "recalled":
        return state["confidence"]
    return confidence_of(incumbent, state, context)


def _announce_execution(identifier: int, result: Result) -> None:
    """Tell the trace of a query that is run for the first time only now."""
    emit(
        Executed(
            id=identifier,
            ok=result.ok,
            kind=result.kind if isinstance(result, Failure) else None,
            message=result.message if isinstance(result, Failure) else None,
            row_count=len(result.rows) if isinstance(result, Rows) else 0,
            seconds=result.seconds,
        )
    )
