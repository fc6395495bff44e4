"""What a node that calls a model tries again, and how often."""

from langgraph.types import RetryPolicy

from critiql.tools.models.model import TransientModelError

MODEL_RETRY = RetryPolicy(max_attempts=3, initial_interval=0.5, retry_on=TransientModelError)
"""Only what may pass is tried again: LangGraph's default would also repeat HTTP 400s and errors of SQLite."""
