"""selector: says which of two candidates answers the question, in one pass for each order of the two.

After the pairwise selector of CHASE-SQL (arXiv 2410.01943). No graph asks it yet: it is what an adapter for
the role is trained on, and what a study asks.
"""

from typing import NamedTuple

from critiql import prompts
from critiql.agent.candidates import question_with_notes
from critiql.agent.evidence import Candidate
from critiql.agent.state import State
from critiql.agent.wording.result import result_text
from critiql.tools.models.model import LanguageModel, Prompt, Usage

FIRST = ("A", " A")
SECOND = ("B", " B")
"""Spellings of the two answers whose probabilities are summed."""


class Preference(NamedTuple):
    """What a model thinks of two candidates."""

    log_odds: float
    """That the first one is right and not the second, in nats: the mean over both orders."""
    usages: tuple[Usage, Usage]
    """Of the two calls."""


def preference(model: LanguageModel, state: State, one: Candidate, other: Candidate) -> Preference:
    """Read the answer's first token in both orders, so that where a candidate stands counts for nothing.

    Raises:
        ModelError: the model failed, or gives no log-probabilities.
    """
    there = model.choose(selection_prompt(state, one, other), (FIRST, SECOND))
    back = model.choose(selection_prompt(state, other, one), (FIRST, SECOND))
    first = there.logprobs[0] - there.logprobs[1]
    second = back.logprobs[1] - back.logprobs[0]
    return Preference((first + second) / 2, (there.usage, back.usage))


def selection_prompt(state: State, first: Candidate, second: Candidate) -> Prompt:
    """The prompt on two candidates, with the rows that each returned."""
    slots = {"question": question_with_notes(state), "first": first["sql"], "second": second["sql"]}
    slots["first_result"] = result_text(first.get("execution"))
    slots["second_result"] = result_text(second.get("execution"))
    return Prompt(state["schema_prefix"], prompts.load("selector").render(**slots))
