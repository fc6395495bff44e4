"""recall: a question answered before, on the same content and settings, is answered by the same query again.

Only what was chosen is remembered; `answer` runs the query anew, so the rows are always those of now. No
model is loaded to find out.
"""

import json
from dataclasses import replace
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from langgraph.types import Overwrite

from critiql import prompts
from critiql.agent.context import Context
from critiql.agent.databases import database_of
from critiql.agent.decide.actor_scale import find_scale
from critiql.agent.decide.calibration import find_calibration
from critiql.agent.decide.fitted import prompt_name
from critiql.agent.events import Recalled, emit
from critiql.agent.evidence import Candidate
from critiql.agent.memory import answer_cache
from critiql.agent.memory.answer_cache import Chosen
from critiql.agent.memory.verified import digest_of
from critiql.agent.roles.ground import begun, checked_question
from critiql.agent.state import State, Update
from critiql.tools.database.content_version import file_version
from critiql.tools.database.engine import Database
from critiql.tools.models.factory import fingerprint_of
from critiql.tools.models.model import ModelError
from critiql.tools.schema.model import Schema
from critiql.tools.settings import settings

NO_MATTER = {"database", "examples", "answer_cache", "seconds", "tokens"}
"""Settings that are not in the key: files are there by their content, and what a budget cut short is not
remembered."""


def recall(state: State, context: Context) -> Update:
    """Start a question with the query that answered it before, if it was; else only note where to keep it."""
    if not context.answer_cache or state.get("draft"):
        return {"answer_key": None, "stopped": None}
    database = database_of(state, context)
    key = key_of(checked_question(state), state.get("evidence", ""), database, context)
    chosen = answer_cache.recall(key) if key else None
    if chosen is None:
        return {"answer_key": key, "stopped": None}
    return {**begun(state, database), **recalled(chosen, database), "answer_key": key}


def recalled(chosen: Chosen, database: Database) -> Update:
    """The remembered query as the only candidate; nothing more is to be done for it but running it."""
    candidate = Candidate(
        id=0,
        sql=chosen.sql,
        origin=chosen.origin,
        round=0,
        note="",
        repeats=None,
        logprob=None,
        tokens=0,
        p_true=chosen.p_true,
        verdict=chosen.verdict,
    )
    known = chosen.model_dump(exclude={"confidence"})
    emit(Recalled(database=database.url, dialect=database.dialect, **known))
    only: Any = Overwrite([candidate])
    return {
        "candidates": only,
        "incumbent": 0,
        "stopped": "recalled",
        "confidence": chosen.confidence,
    }


def key_of(question: str, evidence: str, database: Database, context: Context) -> str | None:
    """Digest of everything that decides an answer.

    None where it cannot be known: of a server's content, or of a model that is not there.
    """
    content = file_version(database)
    try:
        models = {spec: fingerprint_of(spec) for spec in models_of(context)}
        fitted = _fitted(context)
        examples = Path(context.examples).expanduser().read_bytes() if context.examples else b""
    except (ModelError, OSError):
        return None
    parts = {
        "package": version("critiql"),
        "database": [content, _structure(database.schema())],
        "question": [question, evidence],
        "settings": context.model_dump(mode="json", exclude=NO_MATTER),
        "models": [models, settings().openai_base_url],
        "prompts": {name: prompts.load(name).digest for name in prompts.names()},
        "fitted": fitted,
        "examples": sha256(examples).hexdigest(),
        "verified": digest_of(database) if context.memory else "",
    }
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest() if content else None


def models_of(context: Context) -> list[str]:
    """The models that have a say in an answer."""
    critics = () if context.llm_critic == "off" else (context.spec("llm_critic"), *context.panel)
    larger = (context.escalation_model,) if context.escalation_model else ()
    return [context.spec("actor"), context.spec("refiner"), *critics, *larger]


def _fitted(context: Context) -> list[str | None]:
    """What was measured of the critic, which decides what it may reject; the actor's scale of confidence."""
    scale = find_scale(fingerprint_of(context.spec("actor")), prompts.load("actor").digest)
    critic = fingerprint_of(context.spec("llm_critic")) if context.llm_critic == "calibrated" else ""
    found = find_calibration(critic, prompts.load(prompt_name(context)).digest)
    return [found.model_dump_json() if found else None, scale.model_dump_json() if scale else None]


def _structure(schema: Schema) -> str:
    """The schema without its row counts: a large table is counted only when that is quick."""
    return repr([replace(table, row_count=None) for table in schema.tables])
