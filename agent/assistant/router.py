"""router: which tool a message is for, by forced choice: the likeliest of a few words as the next token.

A free tool protocol is what small models that were not trained for it fail at. Where no word of a message has
to do with a tool, it is a question, and no model is asked.
"""

import math
import re
from typing import Literal

from critiql import prompts
from critiql.agent.assistant.conversation import AssistantState, AssistantUpdate, Choices, Tool
from critiql.agent.assistant.desk import database_for, prefix_for
from critiql.agent.calls import record
from critiql.agent.events import Routed, emit
from critiql.agent.state import CallRecord
from critiql.tools.models.factory import load_model
from critiql.tools.models.model import LanguageModel, ModelError, Prompt, Sampling
from critiql.tools.sql.extract import extract_sql
from critiql.tools.sql.parse import Parsed, parse

WORDS: dict[Tool, str] = {
    "ask": "question",
    "tables": "tables",
    "describe": "columns",
    "sample": "sample",
    "explain": "explain",
    "check": "check",
    "chart": "chart",
}
"""The word that stands for a tool in the prompt."""
OF_AN_ANSWER: tuple[Tool, ...] = ("explain", "check", "chart")
"""Tools that need an answer to speak of."""
HINTS = re.compile(
    r"\b(tables?|columns?|schema|structure|fields?|describe|samples?|examples?|preview|peek|look like|explain|"
    r"how (?:did|does|do|was)|steps?|walk me|checks?|checked|wrong|correct|errors?|mistakes?|bugs?|valid|"
    r"charts?|plots?|graphs?|draw|visuali[sz]e\w*|diagram|pie|bars?|histogram|lines?|scatter)\b",
    re.IGNORECASE,
)
"""Words without which a message is a question."""


def router(state: AssistantState, choices: Choices) -> AssistantUpdate:
    """Choose the tool of this turn.

    Raises:
        DatabaseError: the database cannot be read.
        ModelError: the model failed.
    """
    tool = by_rule(state)
    if tool is not None:
        emit(Routed(tool=tool, by="rule", choices={}))
        return {"tool": tool}
    context = choices.settings
    model = load_model(context.spec("assistant"))
    request = prompts.load("router").render(said=state["said"], last=last_of(state))
    prompt = Prompt(prefix_for(state["said"], database_for(state, context), context), request)
    offered = offered_in(state)
    chances, call = read_choice(model, prompt, offered)
    tool = max(offered, key=lambda each: chances[each])
    emit(Routed(tool=tool, by="model", choices={each: round(chances[each], 4) for each in offered}))
    return {"tool": tool, "calls": [*state.get("calls", []), call]}


def by_rule(state: AssistantState) -> Tool | None:
    """The tool where no model need be asked: SQL is run, and a message without a tool's word is a question."""
    said = state["said"]
    sql = sql_in(said)
    if sql is not None:
        return "check" if HINTS.search(said.replace(sql, " ")) else "run"
    return None if HINTS.search(said) else "ask"


def sql_in(said: str) -> str | None:
    """The query that a message holds."""
    if not re.search(r"\b(select|with|values)\b", said, re.IGNORECASE):
        return None
    sql = extract_sql(said)
    has_source = re.search(r"\bfrom\b|\A\s*select\s+[\d'(]", sql, re.IGNORECASE)
    return sql if has_source and sql in said and isinstance(parse(sql), Parsed) else None


def offered_in(state: AssistantState) -> tuple[Tool, ...]:
    """The tools that a message may be for; without an answer none that speaks of one."""
    return tuple(tool for tool in WORDS if state.get("last") or tool not in OF_AN_ANSWER)


def last_of(state: AssistantState) -> str:
    """The last answer as the model is told of it: its question and columns, never a row."""
    last = state.get("last")
    return f"{last['question']} (columns: {', '.join(last['columns'])})" if last else "none"


def read_choice(
    model: LanguageModel, prompt: Prompt, offered: tuple[Tool, ...]
) -> tuple[dict[Tool, float], CallRecord]:
    """How likely each tool's word is to come next, as shares of one.

    A model that shows no probabilities is made to write a word.

    Raises:
        ModelError: the model failed.
    """
    try:
        reading = model.choose(prompt, [spellings(WORDS[tool]) for tool in offered])
    except ModelError:
        return written_choice(model, prompt, offered)
    top = max(reading.logprobs)
    weights = [math.exp(value - top) for value in reading.logprobs]
    shares = {tool: weight / sum(weights) for tool, weight in zip(offered, weights, strict=True)}
    return shares, record("assistant", model, "choose", reading.usage)


def written_choice(
    model: LanguageModel, prompt: Prompt, offered: tuple[Tool, ...]
) -> tuple[dict[Tool, float], CallRecord]:
    """The tool whose word a model writes first; `ask` where it writes none of them."""
    generation = model.generate(prompt, Sampling(max_tokens=8))
    places = {tool: generation.text.lower().find(WORDS[tool]) for tool in offered}
    named = [tool for tool in offered if places[tool] >= 0]
    chosen = min(named, key=lambda tool: places[tool]) if named else "ask"
    shares = {tool: float(tool == chosen) for tool in offered}
    return shares, record("assistant", model, "generate", generation.usage)


def spellings(word: str) -> tuple[str, ...]:
    """A word as a model may begin it."""
    return (word, f" {word}", word.capitalize(), f" {word.capitalize()}")


def route_after_router(
    state: AssistantState,
) -> Literal["follow_up", "ask", "look", "explain", "check", "chart", "run"]:
    """The node of the tool; a question in a conversation is first made one by itself."""
    tool = state["tool"]
    if tool == "ask":
        return (
            "follow_up" if any(turn["tool"] in ("ask", "run") for turn in state.get("turns", [])) else "ask"
        )
    if tool in ("tables", "describe", "sample"):
        return "look"
    return tool
