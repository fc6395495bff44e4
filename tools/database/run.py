"""Run one statement in the read-only sandbox: what `critiql run` does, as a function."""

import base64
import math
from typing import Any

from critiql.tools.database.engine import DEFAULT_LIMITS
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.named import DatabaseName, named_database
from critiql.tools.database.result import Failure, Limits, Result, Value


def run(
    sql: str,
    db: DatabaseName = "",
    *,
    limits: Limits = DEFAULT_LIMITS,
    policy: AccessPolicy | None = None,
) -> Result:
    """Run one statement, read-only, under limits; a SQL error comes back as data.

    Args:
        sql: the statement.
        db: path, URL or an open database; without it the sample database.
        limits: caps on time, rows and bytes.
        policy: tables and columns that may be read; an open database keeps the policy it was opened with.

    Returns:
        `Rows`, or `Failure` with its kind and the engine's sentence; `result.ok` tells them apart.

    Raises:
        DatabaseError: the database cannot be opened.
    """
    return named_database(db, policy).run(sql.encode("utf-8", "replace").decode(), limits)


def as_document(sql: str, result: Result) -> dict[str, Any]:
    """The JSON form of a result; `seconds` is wall-clock time."""
    head: dict[str, Any] = {"sql": sql, "ok": result.ok, "seconds": round(result.seconds, 6)}
    if isinstance(result, Failure):
        return {**head, "kind": result.kind, "message": result.message, "name": result.name}
    cells = [[_json_value(value) for value in row] for row in result.rows]
    return {**head, "columns": list(result.columns), "rows": cells, "truncated": result.truncated}


def _json_value(value: Value) -> Any:
    """A blob as an object with its base64; infinities as words, which JSON has no numbers for."""
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode("ascii")}
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
