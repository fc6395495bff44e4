"""chained_actor: DIN-SQL's chain before the correction: which names, which kind of query, then the query."""

from critiql import prompts
from critiql.agent.calls import finished, record, sql_prompt, sql_sampling, write
from critiql.agent.candidates import first, given, propose, question_with_notes
from critiql.agent.context import Context
from critiql.agent.evidence import CallRecord
from critiql.agent.state import State, Update
from critiql.tools.models.factory import load_model
from critiql.tools.models.model import LanguageModel, ModelError, Prompt, Sampling, TransientModelError
from critiql.tools.schema.quoting import escape
from critiql.tools.sql.extract import extract_sql

CLASSES = ("easy", "joined", "nested")
"""Kinds of query, as the chain's second step names them."""
LINK_TOKENS = 120
"""Tokens of an answer about names."""


def chained_actor(state: State, context: Context) -> Update:
    """Three calls, each shown what the one before said; a given SQL takes the place of all three."""
    if state.get("draft") and not state.get("candidates"):
        return given(state)
    question, model = question_with_notes(state), load_model(context.spec("actor"))
    request = prompts.load("din_links").render(question=question)
    sampling = Sampling(max_tokens=LINK_TOKENS, stop=("\n\n",))
    linked = finished(model.generate(Prompt(state["schema_prefix"], request), sampling))
    links = escape("; ".join(filter(None, map(str.strip, linked.text.splitlines()))))
    kind, classified = kind_of(state, model, question, links)
    written = prompts.load(f"din_{kind}").render(question=question, links=links)
    sampled = sql_sampling(context, state["generations"])
    generation, call = write("actor", context, sql_prompt(state, written), sampled)
    candidate = propose(state, extract_sql(generation.text), "actor", generation, f"DIN-SQL, {kind}")
    calls = [record("actor", model, "generate", linked.usage), *classified, call]
    return {**first(state, candidate), "generations": state["generations"] + 1, "calls": calls}


def kind_of(state: State, model: LanguageModel, question: str, links: str) -> tuple[str, list[CallRecord]]:
    """The likeliest kind of query in one reading; where the model names none, the middle one.

    Raises:
        TransientModelError: the model is busy; the node tries again.
    """
    request = prompts.load("din_class").render(question=question, links=links)
    spellings = [(name, f" {name}", name.title(), f" {name.title()}", name.upper()) for name in CLASSES]
    try:
        reading = model.choose(Prompt(state["schema_prefix"], request), spellings)
    except TransientModelError:
        raise
    except ModelError:
        return "joined", []
    likeliest = max(zip(reading.logprobs, CLASSES, strict=True))[1]
    return likeliest, [record("actor", model, "choose", reading.usage)]
