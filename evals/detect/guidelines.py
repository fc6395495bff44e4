"""Guidelines for self-correction that a model writes from repairs on training questions.

In MAGIC (arXiv 2406.12692) three hosted models talk: one criticises, one corrects, one keeps guidelines.
Here one model reads repairs of one error type at a time, and writes one sentence for each.
"""

from collections.abc import Iterator

from critiql import prompts
from critiql.tools.errors.guide.corpus import Corpus
from critiql.tools.errors.guide.repair_examples import render
from critiql.tools.errors.types.catalogue import in_priority
from critiql.tools.models.model import LanguageModel, Prompt, Sampling
from critiql.tools.schema.quoting import escape

SHOWN = 4
"""Repairs shown for one type."""
LONGEST = 80
"""Tokens of a guideline."""
SYSTEM = "You are an expert in SQL."


def guidelines_of(corpus: Corpus, model: LanguageModel) -> Iterator[str]:
    """One line for each error type of the corpus, in the order of repair.

    Raises:
        ModelError: the model failed.
    """
    for error in in_priority(corpus):
        repairs = "\n".join(render(error, example) for example in corpus[error.key][:SHOWN])
        request = prompts.load("guideline").render(
            error=f"{error.name}. {error.description}", repairs=repairs
        )
        sampling = Sampling(max_tokens=LONGEST, stop=("\n",))
        said = model.generate(Prompt(SYSTEM, request), sampling).text
        yield f"- {error.name}: {escape(' '.join(said.split()))}"
