"""What running a query gave, as critic and refiner read it: data, quoted and capped, never instructions."""

import json

from critiql.agent.evidence import Execution
from critiql.tools.schema.quoting import escape

SHOWN = 4
"""Rows; a pilot chose best when the critic saw four."""


def result_text(execution: Execution | None) -> str:
    """Column names, row count and the first rows, or the error."""
    if execution is None:
        return "not run"
    if not execution["ok"]:
        return f"error: {escape(execution['message'] or '')}"
    count = f"more than {execution['row_count']}" if execution["truncated"] else str(execution["row_count"])
    head = f"columns: {', '.join(map(escape, execution['columns']))}; rows: {count}"
    rows = [escape(json.dumps(row, ensure_ascii=False)) for row in execution["rows"][:SHOWN]]
    return "\n".join([head, *rows])
