"""What a node that calls a model tries again, and what happens when it fails for good."""

from collections.abc import Callable
from copy import copy
from typing import Any, Literal

from langgraph.errors import NodeError
from langgraph.runtime import Runtime
from langgraph.types import Command, RetryPolicy

from critiql.agent.context import Context
from critiql.agent.detect.semantic import give_up
from critiql.agent.evidence import Candidate, merge_candidates
from critiql.agent.node import Role
from critiql.agent.state import State, Update, incumbent_of
from critiql.tools.errors.head import HeadError
from critiql.tools.models.cancel import CallCancelledError, OutOfTimeError
from critiql.tools.models.model import ModelError, TransientModelError

MODEL_RETRY = RetryPolicy(max_attempts=3, initial_interval=0.5, retry_on=TransientModelError)
"""Only what may pass is tried again: LangGraph's default would also repeat HTTP 400s and errors of SQLite."""


def handler(handle: Callable[..., Command[Any]]) -> Any:
    """The handler itself, untyped: LangGraph's types know only handlers of one argument."""
    return handle


def keep_incumbent(state: State, error: NodeError) -> Command[Literal["answer"]]:
    """A role that writes failed for good: the incumbent is the answer.

    Raises:
        BaseException: the failure itself where no incumbent is there yet, or where it is not a model's.
    """
    return Command(update=_given_up(state, error), goto="answer")


def vote_on_the_drawn(
    state: State, error: NodeError, runtime: Runtime[Context]
) -> Command[Literal["execution_critic", "vote"]]:
    """A draw failed for good: those before it vote.

    Raises:
        BaseException: as `keep_incumbent`.
    """
    then: Literal["execution_critic", "vote"] = "execution_critic" if runtime.context.execution else "vote"
    return Command(update=_given_up(state, error), goto=then)


def decide_without_verdict(state: State, error: NodeError) -> Command[Literal["decide"]]:
    """The critic failed for good: nothing is known of what it did not judge, which is never an approval.

    Raises:
        BaseException: the failure itself where it is not a model's.
    """
    return Command(update={"candidates": _unjudged(state, error)}, goto="decide")


def answer_without_verdict(state: State, error: NodeError) -> Command[Literal["answer"]]:
    """As `decide_without_verdict`, where the newest query is the answer.

    Raises:
        BaseException: the failure itself where it is not a model's.
    """
    return Command(update={"candidates": _unjudged(state, error)}, goto="answer")


def detected_by_rules(role: Role, route: Callable[..., str]) -> dict[str, Any]:
    """Arguments of `add_node` for a detector: a model that fails for good leaves it to the rules.

    The handler raises the failure itself where it is not a model's, or where the head asked for is not there.
    """

    def handle(state: State, error: NodeError, runtime: Runtime[Context]) -> Command[Any]:
        if not _of_a_model(error) or isinstance(error.error, HeadError):
            raise _failure(error)
        context = runtime.context
        give_up(state, context, _failure(error))
        update = role(state, context.model_copy(update={"semantic_detector": "off"}))
        candidates = merge_candidates(state["candidates"], update["candidates"])
        after: State = {**state, "candidates": candidates}
        return Command(update=update, goto=route(after, runtime))

    return {"retry_policy": MODEL_RETRY, "error_handler": handler(handle)}


def refine_without_places(_state: State, error: NodeError) -> Command[Literal["refiner"]]:
    """The localiser failed for good: the refiner is told what the errors are, and not where.

    Raises:
        BaseException: the failure itself where it is not a model's.
    """
    if not _of_a_model(error):
        raise _failure(error)
    return Command(goto="refiner")


LOCATES: dict[str, Any] = {"retry_policy": MODEL_RETRY, "error_handler": handler(refine_without_places)}
"""Arguments of `add_node` for the localiser."""

WRITES: dict[str, Any] = {"retry_policy": MODEL_RETRY, "error_handler": handler(keep_incumbent)}
"""Arguments of `add_node` for a role that writes queries."""

DRAWS: dict[str, Any] = {"retry_policy": MODEL_RETRY, "error_handler": handler(vote_on_the_drawn)}
"""Arguments of `add_node` for a role that draws queries before a vote."""


def _given_up(state: State, error: NodeError) -> Update:
    """The update of a writing role that failed for good; raises where there is nothing to go on with."""
    if not _of_a_model(error) or incumbent_of(state) is None:
        raise _failure(error)
    return {"stopped": "seconds" if isinstance(error.error, OutOfTimeError) else "model_failed"}


def _unjudged(state: State, error: NodeError) -> list[Candidate]:
    """What the critic did not judge, as unknown."""
    if not _of_a_model(error):
        raise _failure(error)
    return [
        {"id": candidate["id"], "p_true": None, "verdict": "unknown"}
        for candidate in state["candidates"]
        if "verdict" not in candidate
    ]


def _failure(error: NodeError) -> BaseException:
    """A copy of it: LangGraph takes the object itself for handled, and would keep a run without an end."""
    return copy(error.error)


def _of_a_model(error: NodeError) -> bool:
    """Whether a model failed; a call that somebody cancelled did not fail, one that took too long did."""
    failure = error.error
    is_cancelled = isinstance(failure, CallCancelledError) and not isinstance(failure, OutOfTimeError)
    return isinstance(failure, ModelError) and not is_cancelled
