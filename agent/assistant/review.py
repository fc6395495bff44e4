"""What a person is asked and may decide, in the shape that LangChain's clients draw (a batched HITLRequest).

https://docs.langchain.com/oss/python/langchain/human-in-the-loop: decisions approve, edit, reject, respond.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from langgraph.types import interrupt

from critiql.agent.assistant.conversation import AssistantState, AssistantUpdate, Choices
from critiql.agent.assistant.desk import database_for
from critiql.agent.assistant.last_answer import ran
from critiql.agent.assistant.readings import TITLES, Reading, shown_reading, two_readings
from critiql.agent.events import Reviewed, emit
from critiql.agent.toolbox import check_sql
from critiql.agent.wording.sentence import fenced, plain

Decided = Literal["approve", "edit", "reject", "respond"]
DECISIONS: tuple[Decided, ...] = ("approve", "edit", "reject", "respond")
MOST_ROUNDS = 3
"""Times that a question is asked anew with what the person said to it."""


class Decision(NamedTuple):
    """What a person decided."""

    kind: Decided
    message: str
    """Words of the person; empty where none were given."""
    arguments: Mapping[str, Any]
    """What an edit puts in the place of the proposed arguments."""


def clarify(state: AssistantState, choices: Choices) -> AssistantUpdate:
    """Ask which of two readings is meant. No model is called: the node runs again when it is answered."""
    database, answer = database_for(state, choices.settings), state.get("answer")
    readings = two_readings(answer, database.dialect) if answer else None
    if answer is None or readings is None:
        return {"settled": True}
    decision = read_decision(interrupt(clarifying(state["question"], readings)))
    place = reading_meant(decision)
    meant = readings[place or 0].candidate["sql"]
    emit(Reviewed(decision=decision.kind, sql=meant))
    if place is None and decision.message:
        return asked_anew(state, decision.message)
    if not place:
        return {"settled": True, "answer": {**answer, "other": other(readings[1])}}
    update = ran(meant, state, database, choices.settings)
    chosen = {
        **(update["answer"] or {}),
        "incumbent": readings[1].candidate["id"],
        "other": other(readings[0]),
    }
    return {**update, "answer": chosen, "last": chosen, "settled": True}


def approve(state: AssistantState, choices: Choices) -> AssistantUpdate:
    """Ask whether the query may be run, and run what the person approved. No model is called here."""
    answer = state.get("answer")
    if answer is None or not answer["sql"]:
        return {"settled": True}
    decision = read_decision(interrupt(approving(state["question"], answer["sql"])))
    sql = str(decision.arguments.get("sql") or answer["sql"])
    emit(Reviewed(decision=decision.kind, sql=sql))
    if decision.kind == "respond" and decision.message:
        return asked_anew(state, decision.message)
    if decision.kind == "reject":
        why = f" {plain(decision.message)}" if decision.message else ""
        return {"settled": True, "text": f"The query was not run.{why}\n\n{fenced(sql, 'sql')}"}
    database = database_for(state, choices.settings)
    update = ran(sql, state, database, choices.settings)
    if decision.kind == "edit":
        found = check_sql(database, choices.settings, sql, state["question"])
        update["text"] = f"{update['text']}\n\nThe rules say of the edited query: {plain(found)}"
    return {**update, "settled": True}


def asked_anew(state: AssistantState, hint: str) -> AssistantUpdate:
    """Send the question back with what the person said to it, a few times at most."""
    rounds = state.get("rounds", 0) + 1
    hints = "\n".join(filter(None, [state.get("hint", ""), hint]))
    return {"hint": hints, "rounds": rounds, "settled": rounds > MOST_ROUNDS}


def other(reading: Reading) -> dict[str, str]:
    """The reading that was not taken, as the answer names it."""
    return {"words": reading.words, "sql": reading.candidate["sql"]}


def clarifying(question: str, readings: Sequence[Reading]) -> dict[str, Any]:
    """The request to choose a reading."""
    shown = [shown_reading(place, reading) for place, reading in enumerate(readings)]
    told = "\n".join(f"{each['title']}: {each['words']}" for each in shown)
    message = f"The question can be read in two ways. Which one is meant?\n{told}"
    arguments = {"reading": 0, "readings": shown}
    return request("clarify", message, arguments, ("approve", "edit", "respond"), question)


def approving(question: str, sql: str) -> dict[str, Any]:
    """The request to run a query."""
    message = f"May this query be run?\n{sql}"
    return request("run_sql", message, {"sql": sql}, DECISIONS, question)


def request(
    name: str, message: str, arguments: dict[str, Any], allowed: Sequence[Decided], question: str
) -> dict[str, Any]:
    """One request in the batched shape, with keys of our own beside it."""
    return {
        "type": "clarify" if name == "clarify" else "approve",
        "message": message,
        "question": question,
        "action_requests": [{"name": name, "args": arguments, "description": message}],
        "review_configs": [{"action_name": name, "allowed_decisions": list(allowed)}],
    }


def read_decision(resumed: object) -> Decision:
    """What a client sent back; a bare text is an answer in words, and nothing readable is a rejection."""
    if isinstance(resumed, str):
        return Decision("respond", resumed.strip(), {})
    decisions = resumed.get("decisions") if isinstance(resumed, Mapping) else resumed
    first = decisions[0] if isinstance(decisions, list) and decisions else None
    if not isinstance(first, Mapping) or first.get("type") not in DECISIONS:
        return Decision("reject", "", {})
    edited = first.get("edited_action")
    arguments = edited.get("args") if isinstance(edited, Mapping) else None
    kept = arguments if isinstance(arguments, Mapping) else {}
    return Decision(first["type"], str(first.get("message") or "").strip(), kept)


def reading_meant(decision: Decision) -> int | None:
    """The place of the reading that was chosen; None where the person said something else."""
    if decision.kind == "respond":
        said = decision.message.strip(" .()").upper()
        return TITLES.index(said) if said in TITLES else int(said) if said in ("0", "1") else None
    if decision.kind == "edit":
        return 1 if decision.arguments.get("reading") in (1, "1", "B") else 0
    return 0


def route_after_review(state: AssistantState) -> Literal["ask", "reply"]:
    """Back to the question where the person said something to it."""
    return "reply" if state.get("settled") else "ask"
