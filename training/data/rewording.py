"""Made questions in other words: what a code-made wording repeats, people say in many ways.

A question and the worked example above it come from the same makers. In the same words, the example would
only have to be repeated.
"""

import re
from random import Random

WAYS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"\bShow (?=[^.]*\.$)", ("Give ", "List ", "Return ", "I need ", "Tell me ", "Please show ")),
    (r"^Which (\w+) had\b", (r"What \1 had", r"Find the \1 that had", r"Name the \1 with")),
    (r"^For each ([\w ]+?),", (r"By \1,", r"Per \1,", r"Broken down by \1,", r"For every \1,")),
    (r"^What is the average\b", ("On average, what is the", "Tell me the average", "What is the mean")),
    (
        r"^What percentage of\b",
        ("How many percent of", "What proportion (in percent) of", "Out of 100, how many of"),
    ),
    (r"\bin percent\b", ("as a percentage", "in %")),
    (r"\bin order of time\b", ("oldest first", "from the first to the last", "chronologically")),
    (r"\bhighest first\b", ("largest first", "from the top down", "starting with the most")),
    (r"\bby the end of each\b", ("at the end of every", "up to the end of each", "until the end of every")),
    (
        r"\bthe running total so far\b",
        ("the cumulative total", "what it adds up to until then", "the sum up to then"),
    ),
    (r"\bthe total so far\b", ("how many until then", "the number reached", "the cumulative number")),
    (r"\bleave out those without any\b", ("only those that have one", "skip those with none")),
    (
        r"\bCount only (\w+) with any\b",
        (r"Leave out \1 without one", r"Only \1 that have at least one count"),
    ),
    (r"\bbefore but none since\b", ("in the past but not since", "earlier, but not any more since")),
    (r"\bhad no (\w+) since\b", (r"have not had \1 since",)),
    (r"\bmost common\b", ("most frequent", "commonest")),
    (r"\bcomes from it\b", ("does it make up", "belongs to it")),
)
"""What is replaced, and by what; one of the ways is drawn."""
OFTEN = 0.7
"""How often a phrase that can be said otherwise is."""


def reworded(question: str, rng: Random) -> str:
    """The question with some of its phrases said in another way."""
    for pattern, ways in WAYS:
        if rng.random() < OFTEN:
            question = re.sub(pattern, rng.choice(ways), question, count=1)
    return question
