"""rewriter: shows a model its own query and takes what it writes instead, as published baselines do.

Nothing is weighed: the newest query is the answer. The flagship's refiner only makes a challenger.
"""

from typing import Literal

from critiql import prompts
from critiql.agent.calls import sql_prompt, sql_sampling, write
from critiql.agent.candidates import propose, question_with_notes
from critiql.agent.context import Context
from critiql.agent.decide.budget import repeated
from critiql.agent.events import Refined, emit
from critiql.agent.roles.actor import HOTTEST, REPEAT_RAISES
from critiql.agent.roles.refiner import refiner
from critiql.agent.state import State, Update, incumbent_of
from critiql.agent.wording.result import result_text
from critiql.tools.sql.extract import extract_sql

Writer = Literal["actor", "refiner"]
"""Whose model writes, and whose query it is in the trace."""


def rewrite(state: State, context: Context, prompt: str, writer: Writer) -> Update:
    """Ask for another query with the prompt of that name; the answer is the new incumbent.

    The prompt may have the slots question, sql and result. Drawn greedily; after a repetition warmer.
    """
    source = incumbent_of(state)
    if source is None:
        return {}
    request = prompts.load(prompt).render(
        question=question_with_notes(state), sql=source["sql"], result=result_text(source.get("execution"))
    )
    warmth = min(REPEAT_RAISES * repeated(state), HOTTEST)
    sampling = sql_sampling(context, state["generations"], warmth)
    generation, call = write(writer, context, sql_prompt(state, request), sampling)
    candidate = propose(state, extract_sql(generation.text), writer, generation)
    emit(Refined(id=candidate["id"], source=source["id"], changed=candidate["repeats"] is None))
    update: Update = {"candidates": [candidate], "incumbent": candidate["id"], "calls": [call]}
    update["generations"] = state["generations"] + 1
    return update


def debug(state: State, context: Context) -> Update:
    """Self-debugging: the actor's model sees its query and what running it gave."""
    return rewrite(state, context, "self_debugging", "actor")


def correct(state: State, context: Context) -> Update:
    """Self-correction: the actor's model sees its query, and not what running it gave."""
    return rewrite(state, context, f"self_correction_{context.correction}", "actor")


def mac_refine(state: State, context: Context) -> Update:
    """MAC-SQL's refiner: sees the query and the error, the empty result or the NULLs it gave."""
    return rewrite(state, context, "mac_refiner", "refiner")


def replacing_refiner(state: State, context: Context) -> Update:
    """ErrorLLM's refiner: the flagship's, but its answer always replaces the query (algorithm 2)."""
    update = refiner(state, context)
    written = [candidate for candidate in update.get("candidates", []) if "sql" in candidate]
    if written:
        update["incumbent"] = written[-1]["id"]
    return update
