"""refiner: mends the incumbent, told what failed and which typed errors were found."""

from collections.abc import Sequence
from pathlib import Path

from critiql import prompts
from critiql.agent.calls import sql_prompt, sql_sampling, write
from critiql.agent.candidates import propose, question_with_notes
from critiql.agent.context import Context
from critiql.agent.events import Localised, Refined, emit
from critiql.agent.evidence import Candidate
from critiql.agent.roles.problems import problems_of
from critiql.agent.state import State, Update, incumbent_of
from critiql.tools.errors.guide.corpus import read_corpus
from critiql.tools.errors.guide.repair_examples import examples_for
from critiql.tools.sql.extract import extract_sql


def refiner(state: State, context: Context) -> Update:
    """Ask once for a corrected query; the answer is a challenger like any other."""
    source = incumbent_of(state)
    if source is None:
        return {}
    problems = problems_of(source, state, context)
    emit(Localised(id=source["id"], guidance=problems))
    prompt = sql_prompt(state, request(state, source, problems, _repairs(state, source, context)))
    generation, call = write("refiner", context, prompt, sql_sampling(context, state["generations"], 0.0))
    candidate = propose(state, extract_sql(generation.text), "refiner", generation, problems)
    emit(Refined(id=candidate["id"], source=source["id"], changed=candidate["repeats"] is None))
    return {
        "candidates": [{"id": source["id"], "refined": True}, candidate],
        "generations": state["generations"] + 1,
        "calls": [call],
    }


def _repairs(state: State, source: Candidate, context: Context) -> list[str]:
    """Repairs of the source's types of error: of the corpus where one is named, else the hand-written ones.

    Raises:
        CorpusError: the corpus cannot be read.
    """
    if "repairs" not in context.guides:
        return []
    types = [finding["type"] for finding in source.get("findings", [])]
    corpus = read_corpus(Path(context.repairs).expanduser()) if context.repairs else None
    database = Path(state.get("database", "")).stem
    return examples_for(types, state["question"], corpus=corpus, database=database)


def request(state: State, source: Candidate, problems: str, repairs: Sequence[str] = ()) -> str:
    """The refiner's part of the prompt.

    Repairs of such errors come first: where they stood last, a small model copied one of them as its answer.
    """
    task = prompts.load("refiner").render(
        question=question_with_notes(state), sql=source["sql"], problems=problems
    )
    shown = "\n".join(repairs)
    return prompts.load("repairs").render(repairs=shown, task=task) if shown else task
