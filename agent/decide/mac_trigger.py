"""When MAC-SQL's refiner is called (the published code at 31a9df5): an error, no rows, or a NULL."""

from critiql.agent.evidence import Execution

FIRST_ROWS = 5
"""Rows in which a NULL calls the refiner; a candidate keeps as many."""


def triggered(execution: Execution | None) -> bool:
    """Whether a result calls for a refinement. A query that ran too long is kept, as published."""
    if execution is None:
        return False
    if not execution["ok"]:
        return execution["kind"] != "timeout"
    return execution["row_count"] == 0 or any(None in row for row in execution["rows"][:FIRST_ROWS])
