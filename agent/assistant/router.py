"""router: which tool a message is for, by rule where it is plain, else by a forced choice of the model.

A free tool protocol is what small models that were not trained for it fail at, and one word out of seven is
too hard for them too. So a rule narrows the choice to the tools that a message has words for, and the model
says True or False to each.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from critiql import prompts
from critiql.agent.assistant.conversation import AssistantState, AssistantUpdate, Choices, Tool
from critiql.agent.assistant.desk import database_for, prefix_for
from critiql.agent.calls import p_true, read_truth, record
from critiql.agent.events import Routed, emit
from critiql.agent.evidence import CallRecord
from critiql.tools.models.cancel import CallCancelledError
from critiql.tools.models.factory import load_model
from critiql.tools.models.model import LanguageModel, ModelError, Prompt, Sampling
from critiql.tools.schema.quoting import escape
from critiql.tools.sql.extract import extract_sql
from critiql.tools.sql.parse import Parsed, parse

_STATEMENT = re.compile(
    r"\A\s*(?:drop|truncate|delete\s+from|insert\s+into|update\s+\S+\s+set|alter|create|attach|pragma|vacuum)"
    r"\s+(?:table|view|index|database|\S+).*\Z",
    re.IGNORECASE | re.DOTALL,
)
CLEAR = 0.7
"""Probability above which a claim is taken for true. Most messages are questions, and of six messages in
tests/fixtures/agent/assistant the 1.5B model gave at most 0.59 to a wrong claim and 0.83 to the right one."""
OF_AN_ANSWER: tuple[Tool, ...] = ("explain", "check", "chart")
"""Tools that need an answer to speak of."""
FILE = Path(__file__).with_name("commands.json")
"""How messages that ask for a tool begin, and the words without which none does: `(?!)` is no word at all."""


class Command(NamedTuple):
    """How a tool is asked for."""

    claim: str
    """What a model says True or False to, of the message."""
    begins: re.Pattern[str]
    words: re.Pattern[str]


@cache
def commands() -> dict[Tool, Command]:
    """The file's tools."""
    read = json.loads(FILE.read_text(encoding="utf-8"))
    return {name: command(one, read["please"], read["about"]) for name, one in read["tools"].items()}


def command(one: dict[str, Any], please: str, about: str) -> Command:
    """A tool of the file; ABOUT in a pattern stands for what a message calls the last answer."""
    begins = "|".join(one["begins"]).replace("ABOUT", about)
    return Command(
        one["claim"],
        re.compile(f"{please}(?:{begins})", re.IGNORECASE),
        re.compile(rf"\b(?:{one['words']})\b", re.IGNORECASE),
    )


def router(state: AssistantState, choices: Choices) -> AssistantUpdate:
    """Choose the tool of this turn.

    Raises:
        DatabaseError: the database cannot be read.
        ModelError: the model failed.
    """
    offered = by_rule(state)
    if len(offered) == 1:
        emit(Routed(tool=offered[0], by="rule", choices={}))
        return {"tool": offered[0]}
    context = choices.settings
    model = load_model(context.spec("assistant"))
    prefix = prefix_for(state["said"], database_for(state, context), context)
    read = [read_claim(model, prefix, state, tool) for tool in offered if tool != "ask"]
    chances: dict[Tool, float] = {tool: chance for tool, chance, _ in read}
    likeliest = max(chances, key=lambda each: chances[each])
    tool: Tool = likeliest if chances[likeliest] > CLEAR else "ask"
    emit(Routed(tool=tool, by="model", choices={each: round(chance, 4) for each, chance in chances.items()}))
    calls = [*state.get("calls", []), *(call for _, _, call in read)]
    return {"tool": tool, "calls": calls}


def by_rule(state: AssistantState) -> tuple[Tool, ...]:
    """The tools that a message may be for; where there is one, no model need be asked.

    SQL is run, or checked where the words around it say so. A message that begins as a request for a tool is
    one, and a message without any word of a tool is a question.
    """
    said = state["said"]
    sql = sql_in(said)
    if sql is not None:
        return ("check",) if commands()["check"].words.search(said.replace(sql, " ")) else ("run",)
    may: dict[Tool, Command] = {
        name: one for name, one in commands().items() if state.get("last") or name not in OF_AN_ANSWER
    }
    told: list[Tool] = [name for name, one in may.items() if one.begins.search(said)]
    if told:
        return (told[0],)
    others: list[Tool] = [name for name, one in may.items() if one.words.search(said)]
    return ("ask", *others)


def sql_in(said: str) -> str | None:
    """The query that a message holds; a statement that writes is one too, for the sandbox to refuse."""
    if _STATEMENT.match(said):
        return said
    if not re.search(r"\b(select|with|values)\b", said, re.IGNORECASE):
        return None
    sql = extract_sql(said)
    has_source = re.search(r"\bfrom\b|\A\s*select\s+[\d'(]", sql, re.IGNORECASE)
    return sql if has_source and sql in said and isinstance(parse(sql), Parsed) else None


def read_claim(
    model: LanguageModel, prefix: str, state: AssistantState, tool: Tool
) -> tuple[Tool, float, CallRecord]:
    """How likely a model holds it that the message is for this tool, and not a question about the data.

    A model that shows no probabilities is made to write a word.

    Raises:
        ModelError: the model failed.
    """
    prompt = Prompt(
        prefix, prompts.load("router").render(said=escape(state["said"]), claim=commands()[tool].claim)
    )
    try:
        reading, call = read_truth("assistant", model, prompt)
    except CallCancelledError:
        raise
    except ModelError:
        generation = model.generate(prompt, Sampling(max_tokens=4))
        chance = float("true" in generation.text.lower())
        return tool, chance, record("assistant", model, "generate", generation.usage)
    return tool, p_true(reading), call


def route_after_router(
    state: AssistantState,
) -> Literal["follow_up", "ask", "look", "explain", "check", "chart", "run"]:
    """The node of the tool; a question in a conversation is first made one by itself."""
    tool = state["tool"]
    if tool == "ask":
        return (
            "follow_up" if any(turn["tool"] in ("ask", "run") for turn in state.get("turns", [])) else "ask"
        )
    if tool == "greet" or tool == "tables" or tool == "describe" or tool == "sample":
        return "look"
    return tool
