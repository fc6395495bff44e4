"""What a node that calls a model tries again, and what happens when it fails for good."""

from collections.abc import Callable
from typing import Any, Literal

from langgraph.errors import NodeError
from langgraph.types import Command, RetryPolicy

from critiql.agent.llm_critic import rule
from critiql.agent.state import Candidate, State, incumbent_of
from critiql.tools.models.cancel import CallCancelledError
from critiql.tools.models.model import ModelError, TransientModelError

MODEL_RETRY = RetryPolicy(max_attempts=3, initial_interval=0.5, retry_on=TransientModelError)
"""Only what may pass is tried again: LangGraph's default would also repeat HTTP 400s and errors of SQLite."""


def handler(handle: Callable[[State, NodeError], Command[Any]]) -> Any:
    """The handler itself, untyped: LangGraph's types know only handlers of one argument."""
    return handle


def keep_incumbent(state: State, error: NodeError) -> Command[Literal["answer"]]:
    """A role that writes failed for good: the incumbent is the answer.

    Raises:
        BaseException: the failure itself where no incumbent is there yet, or where it is not a model's.
    """
    if not _of_a_model(error) or incumbent_of(state) is None:
        raise error.error
    return Command(update={"stopped": "model_failed"}, goto="answer")


def without_verdict(state: State, error: NodeError) -> Command[Literal["error_detector"]]:
    """The critic failed for good: nothing is known of what it did not judge, which is never an approval.

    The incumbent rule is applied to the other evidence: a query that runs still displaces one that does not.

    Raises:
        BaseException: the failure itself where it is not a model's.
    """
    if not _of_a_model(error):
        raise error.error
    unjudged: list[Candidate] = [
        {"id": candidate["id"], "p_true": None, "verdict": "unknown"}
        for candidate in state["candidates"]
        if "verdict" not in candidate
    ]
    return Command(update={"candidates": unjudged, **rule(state, unjudged, None)}, goto="error_detector")


def _of_a_model(error: NodeError) -> bool:
    """Whether a model failed; a call that was cancelled did not fail."""
    return isinstance(error.error, ModelError) and not isinstance(error.error, CallCancelledError)
