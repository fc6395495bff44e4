"""follow_up: a message that leans on earlier turns, rewritten as a question by itself, and shown."""

import re
import time
from collections.abc import Sequence

from critiql import prompts
from critiql.agent.assistant.conversation import AssistantState, AssistantUpdate, Choices, Turn
from critiql.agent.assistant.desk import database_for, prefix_for
from critiql.agent.assistant.trace import tell
from critiql.agent.calls import record
from critiql.agent.events import Rewritten
from critiql.tools.linking.link import content_words, naming_words
from critiql.tools.models.factory import load_model
from critiql.tools.models.model import Prompt, Sampling
from critiql.tools.schema.model import Schema
from critiql.tools.schema.quoting import escape

MOST_TURNS = 3
"""Earlier questions that the model sees where the message speaks of several; else only the last one, which
says what the ones before it left standing. A small model that sees more takes words of all of them."""
LONGEST = 400
"""Characters of a rewritten question."""
SHORT = 4
"""Words below which a message is no question by itself."""
_POINTING = re.compile(
    r"\A(?:and|or|but|also|only|now|then|same|just|without|except|by|per|for each|what about|how about)\b|"
    r"\b(?:it|its|that|those|these|them|they|their|theirs|ones?|same|previous|above|instead|former|latter"
    r"|he|she|his|her|(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )there)\b",
    re.IGNORECASE,
)
"""Words that point to an earlier turn."""
_IN_EACH = re.compile(r"\b(?:in|for|of|per) each\W*\Z", re.IGNORECASE)
"""Each of what, the question before has said."""
_OF_SEVERAL = re.compile(r"\b(?:two|three|both|either|difference|compared?|between|all of)\b", re.IGNORECASE)
"""Words for several earlier answers at once."""
_JOINING = re.compile(r"\A(?:and|or|but|also|now|then|so)\b[\s,]*", re.IGNORECASE)
_SQL = re.compile(r"(?:select|with)\b.*\bfrom\b|```", re.IGNORECASE | re.DOTALL)
_KEPT = re.compile(r"\d+(?:[.,]\d+)*|\"[^\"]+\"|'[^']+'")
"""What a rewriting must not lose: numbers, and what is in quotation marks."""
_OF_THOSE = re.compile(r"\b(?:it|its|those|these|them|they|their|theirs)\b", re.IGNORECASE)
"""Words for what the question before was about, with all that it said of it."""
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][\w'-]+")
"""A name: a capital letter within a sentence."""
STEM = 5
"""Letters of a name that a rewriting must keep: Germany may become German."""


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
    earlier = meant(said, state.get("turns", []))
    model = load_model(context.spec("assistant"))
    request = prompts.load("follow_up").render(earlier=told(earlier), said=escape(bare(said)))
    prompt = Prompt(prefix_for(said, database, context), request)
    generation = model.generate(prompt, Sampling(max_tokens=100, stop=("\n",)))
    question = checked(generation.text, said, earlier)
    if question != said:
        tell(Rewritten(said=said, question=question, seconds=time.perf_counter() - started))
    call = record("assistant", model, "generate", generation.usage)
    return {"question": question, "calls": [*state.get("calls", []), call]}


def leans(said: str, schema: Schema) -> bool:
    """Whether a message needs the turns before it: it is short, points back, or names nothing here."""
    spoken = content_words(said)
    is_short = len(said.split()) < SHORT
    points = _POINTING.search(said) or _IN_EACH.search(said)
    return is_short or bool(points) or not naming_words(spoken, schema)


def meant(said: str, turns: Sequence[Turn]) -> list[Turn]:
    """The earlier questions that a message leans on: the last one, or a few where it speaks of several."""
    asked = [turn for turn in turns if turn["tool"] in ("ask", "run")]
    return asked[-MOST_TURNS:] if _OF_SEVERAL.search(said) else asked[-1:]


def told(earlier: Sequence[Turn]) -> str:
    """Earlier questions, one a line."""
    return "\n".join(f"- {escape(turn['question'])}" for turn in earlier)


def bare(said: str) -> str:
    """The message without the "and" that it begins with: a small model would add to the question before."""
    return _JOINING.sub("", said) or said


def checked(text: str, said: str, earlier: Sequence[Turn]) -> str:
    """What the model wrote, where it may be trusted; else the last question and the message together.

    It is not trusted when it is empty, long, more than a line, is SQL, or has lost a number or a
    quoted text; nor when the message speaks of "them", and a number or a name that tells whom was lost.
    """
    question = text.strip().removeprefix("Question:").strip().strip('"')
    kept = _KEPT.findall(said)
    if earlier and _OF_THOSE.search(said):
        last = earlier[-1]["question"]
        kept += [*_KEPT.findall(last), *(name[:STEM] for name in _NAME.findall(last))]
    lost = [one for one in kept if one.strip("\"'") not in question]
    is_question = len(question) <= LONGEST and not _SQL.match(question)
    if question and is_question and not lost:
        return question
    return f"{earlier[-1]['question']} Now: {said}" if earlier else said
