"""follow_up: a message that leans on earlier turns, rewritten as a question by itself, and shown."""

import re
import time
from collections.abc import Sequence

from critiql import prompts
from critiql.agent.assistant.conversation import AssistantState, AssistantUpdate, Choices, Turn
from critiql.agent.assistant.desk import database_for, prefix_for
from critiql.agent.calls import record
from critiql.agent.events import Rewritten, emit
from critiql.tools.linking.link import content_words, naming_words
from critiql.tools.models.factory import load_model
from critiql.tools.models.model import Prompt, Sampling
from critiql.tools.schema.model import Schema
from critiql.tools.schema.quoting import escape

SHOWN_TURNS = 3
"""Earlier questions that the model sees."""
LONGEST = 400
"""Characters of a rewritten question."""
SHORT = 4
"""Words below which a message is no question by itself."""
_POINTING = re.compile(
    r"\A(?:and|or|but|also|only|now|then|same|just|without|except|by|per|for each|what about|how about)\b|"
    r"\b(?:it|its|that|those|these|them|they|their|theirs|there|ones?|same|previous|above|instead|former|latter"
    r"|he|she|his|her)\b",
    re.IGNORECASE,
)
"""Words that point to an earlier turn."""
_SQL = re.compile(r"(?:select|with)\b.*\bfrom\b|```", re.IGNORECASE | re.DOTALL)
_KEPT = re.compile(r"\d+(?:[.,]\d+)*|\"[^\"]+\"|'[^']+'")
"""What a rewriting must not lose: numbers, and what is in quotation marks."""


def follow_up(state: AssistantState, choices: Choices) -> AssistantUpdate:
    """Make the message a question by itself; one that leans on nothing is left as it is, and no model asked.

    Raises:
        DatabaseError: the database cannot be read.
        ModelError: the model failed.
    """
    started, said, context = time.perf_counter(), state["said"], choices.settings
    database = database_for(state, context)
    if not leans(said, database.schema()):
        return {}
    earlier = [turn for turn in state.get("turns", []) if turn["tool"] in ("ask", "run")][-SHOWN_TURNS:]
    model = load_model(context.spec("assistant"))
    request = prompts.load("follow_up").render(earlier=told(earlier), said=escape(said))
    prompt = Prompt(prefix_for(said, database, context), request)
    generation = model.generate(prompt, Sampling(max_tokens=100, stop=("\n",)))
    question = checked(generation.text, said, earlier)
    if question != said:
        emit(Rewritten(said=said, question=question, seconds=time.perf_counter() - started))
    call = record("assistant", model, "generate", generation.usage)
    return {"question": question, "calls": [*state.get("calls", []), call]}


def leans(said: str, schema: Schema) -> bool:
    """Whether a message needs the turns before it: it is short, points back, or names nothing here."""
    spoken = content_words(said)
    is_short = len(said.split()) < SHORT
    return is_short or bool(_POINTING.search(said)) or not naming_words(spoken, schema)


def told(earlier: Sequence[Turn]) -> str:
    """Earlier questions, one a line."""
    return "\n".join(f"- {escape(turn['question'])}" for turn in earlier)


def checked(text: str, said: str, earlier: Sequence[Turn]) -> str:
    """What the model wrote, where it may be trusted; else the last question and the message together.

    It is not trusted when it is empty, long, more than a line, is SQL, or has lost a number or a
    quoted text.
    """
    question = text.strip().removeprefix("Question:").strip().strip('"')
    lost = [kept for kept in _KEPT.findall(said) if kept.strip("\"'") not in question]
    is_question = len(question) <= LONGEST and not _SQL.match(question)
    if question and is_question and not lost:
        return question
    return f"{earlier[-1]['question']} Now: {said}" if earlier else said
