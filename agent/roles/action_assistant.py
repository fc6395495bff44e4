"""action_assistant as a role: the incumbent repaired by its steps, as a challenger or as the answer."""

from typing import Any

from critiql.agent.calls import record
from critiql.agent.candidates import is_weighed, propose, question_with_notes
from critiql.agent.context import Context
from critiql.agent.databases import database_of
from critiql.agent.events import Assisted, emit
from critiql.agent.evidence import Candidate
from critiql.agent.share import Assistance, Attempt, Task, assist
from critiql.agent.state import State, Update, incumbent_of
from critiql.tools.models.factory import load_model
from critiql.tools.sql.canonical import fingerprint
from critiql.tools.trajectory.forms.text import to_text


def action_assistant(state: State, context: Context) -> Update:
    """Repair the incumbent once. What is not weighed replaces it unseen."""
    source = incumbent_of(state)
    if source is None:
        return {}
    task = _task(state, context)
    found = assist(
        task,
        source["sql"],
        bam=context.decomposition == "model",
        sam=context.sam,
        lom=context.lom,
        model_writes_sql=context.regeneration == "model",
    )
    if not isinstance(found, Assistance):
        refused = {"refused": found.message}
        emit(Assisted(id=source["id"], trajectory=refused))
        return {"trajectory": refused, "candidates": [{"id": source["id"], "refined": True}]}
    emit(Assisted(id=source["id"], trajectory=account_of(found)))
    calls = [
        record("action_assistant", task.model_of(part), "generate", one.usage)
        for part, one in found.generations
    ]
    return {"trajectory": account_of(found), "calls": calls, **_candidate(state, source, found, context)}


def _task(state: State, context: Context) -> Task:
    named = {"sam": context.sam_model, "lom": context.lom_model}
    return Task(
        load_model(context.spec("action_assistant")),
        state["schema_prefix"],
        question_with_notes(state),
        database_of(state, context).schema(),
        {part: load_model(spec) for part, spec in named.items() if spec},
    )


def account_of(found: Assistance) -> dict[str, Any]:
    """Texts and counts of one assistance, as the state and the trace keep them."""
    parts = {name: _counts(attempt) for name, attempt in found.attempts.items()}
    return {
        "before": to_text(found.before),
        "after": to_text(found.trajectory),
        "changed": found.changed,
        "by_model": found.regeneration is not None,
        **parts,
    }


def _candidate(state: State, source: Candidate, found: Assistance, context: Context) -> Update:
    """The repaired query where it is another one."""
    if fingerprint(found.sql) == fingerprint(source["sql"]):
        return {"candidates": [{"id": source["id"], "refined": True}]}
    changes = "; ".join(change for attempt in found.attempts.values() for change in attempt.changes)
    candidate = propose(state, found.sql, "regeneration", found.regeneration, changes)
    written = state["generations"] + (found.regeneration is not None)
    repaired: Candidate = {"id": source["id"], "refined": True}
    update: Update = {"candidates": [repaired, candidate], "generations": written}
    if not is_weighed(state["candidates"][0], context):
        update["incumbent"] = candidate["id"]
    return update


def _counts(attempt: Attempt) -> dict[str, Any]:
    """What one model of the assistant proposed, and what was made of it."""
    return {
        "proposals": attempt.proposals,
        "valid": attempt.valid,
        "changes": list(attempt.changes),
        "refused": list(attempt.refused),
    }
