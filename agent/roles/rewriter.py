"""rewriter: shows a model its own query and takes what it writes instead, as published baselines do.

Nothing is weighed: the newest query is the answer. The flagship's refiner only makes a challenger.
"""

from pathlib import Path
from typing import Literal

from critiql import prompts
from critiql.agent.calls import finished, record, sql_prompt, sql_sampling, write
from critiql.agent.candidates import is_weighed, propose, question_with_notes
from critiql.agent.context import Context
from critiql.agent.decide.budget import repeated
from critiql.agent.events import Refined, emit
from critiql.agent.roles.actor import HOTTEST, REPEAT_RAISES
from critiql.agent.roles.refiner import refiner
from critiql.agent.state import State, Update, incumbent_of
from critiql.agent.wording.result import result_text
from critiql.tools.exceptions import USAGE, CritiqlError
from critiql.tools.models.factory import load_model
from critiql.tools.models.model import Prompt, Sampling
from critiql.tools.schema.quoting import escape_lines
from critiql.tools.sql.extract import extract_sql


class GuidelinesError(CritiqlError):
    """Guidelines cannot be read. The message says what happened, why, and what to do."""

    exit_code = USAGE


Writer = Literal["actor", "refiner"]
"""Whose model writes, and whose query it is in the trace."""


REVIEW_TOKENS = 120
"""Tokens of a review."""


def rewrite(state: State, context: Context, prompt: str, writer: Writer, review: str = "") -> Update:
    """Ask for another query with the prompt of that name; the answer is the new incumbent.

    The prompt may have the slots question, sql, result, guidelines and review. Drawn greedily; after a
    repetition warmer.
    """
    source = incumbent_of(state)
    if source is None:
        return {}
    request = prompts.load(prompt).render(
        question=question_with_notes(state),
        sql=source["sql"],
        result=result_text(source.get("execution")),
        guidelines=read_guidelines(context),
        review=review,
    )
    warmth = min(REPEAT_RAISES * repeated(state), HOTTEST)
    sampling = sql_sampling(context, state["generations"], warmth)
    generation, call = write(writer, context, sql_prompt(state, request), sampling)
    candidate = propose(state, extract_sql(generation.text), writer, generation)
    emit(Refined(id=candidate["id"], source=source["id"], changed=candidate["repeats"] is None))
    update: Update = {"candidates": [candidate], "incumbent": candidate["id"], "calls": [call]}
    update["generations"] = state["generations"] + 1
    return update


def read_guidelines(context: Context) -> str:
    """The guidelines of a file; empty without one.

    Raises:
        GuidelinesError: the file cannot be read, or none is named where the correction goes by one.
    """
    if not context.guidelines:
        if context.correction == "guided":
            raise GuidelinesError(
                "correction=guided needs a file of guidelines. Name it with guidelines=FILE."
            )
        return ""
    file = Path(context.guidelines).expanduser()
    try:
        return escape_lines(file.read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        raise GuidelinesError(f"The guidelines {file} cannot be read ({error}). Check the path.") from error


def debug(state: State, context: Context) -> Update:
    """Self-debugging: the actor's model sees its query and what running it gave."""
    return rewrite(state, context, "self_debugging", "actor")


def correct(state: State, context: Context) -> Update:
    """Self-correction: the actor's model sees its query, and not what running it gave."""
    if context.correction == "review":
        return review_and_rewrite(state, context)
    return rewrite(state, context, f"self_correction_{context.correction}", "actor")


def review_and_rewrite(state: State, context: Context) -> Update:
    """Huang et al. (arXiv 2310.01798): the actor's model reviews its query, then writes it by that review."""
    source, model = incumbent_of(state), load_model(context.spec("actor"))
    if source is None:
        return {}
    request = prompts.load("review").render(question=question_with_notes(state), sql=source["sql"])
    sampling = Sampling(max_tokens=REVIEW_TOKENS, stop=("```", "\n\n"))
    reviewed = finished(model.generate(Prompt(state["schema_prefix"], request), sampling))
    said = escape_lines(reviewed.text.strip())
    update = rewrite(state, context, "self_correction_review", "actor", said)
    return {**update, "calls": [record("actor", model, "generate", reviewed.usage), *update["calls"]]}


def correct_gently(state: State, context: Context) -> Update:
    """DIN-SQL's last step: the actor's model looks for problems; without any the query stays."""
    return rewrite(state, context, "self_correction_gentle", "actor")


def mac_refine(state: State, context: Context) -> Update:
    """MAC-SQL's refiner: sees the query and the error, the empty result or the NULLs it gave."""
    return rewrite(state, context, "mac_refiner", "refiner")


def replacing_refiner(state: State, context: Context) -> Update:
    """ErrorLLM's refiner: the flagship's, but its answer replaces a query that is not weighed (algorithm 2).

    Where nothing is run, there are no rows to weigh; what the rules found is certain enough then.
    """
    source, update = incumbent_of(state), refiner(state, context)
    written = [candidate for candidate in update.get("candidates", []) if "sql" in candidate]
    if written and source and not (context.execution and is_weighed(source, context)):
        update["incumbent"] = written[-1]["id"]
    return update
