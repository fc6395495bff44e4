"""Sandboxed queries as OpenTelemetry spans, where tracing is on."""

from collections.abc import Callable

from critiql.tools.database.result import Failure, Result
from critiql.tools.hiding import hide_secrets
from critiql.tools.telemetry import client_span, is_on, tells_content

SYSTEMS = {"postgres": "postgresql"}
"""Dialect -> `db.system.name`, where they differ."""
LONGEST_SUMMARY = 255


def traced_query(dialect: str, sql: str, run: Callable[[], Result]) -> Result:
    """Run a query, as a client span of a database; its text is told only where content is asked for."""
    if not is_on():
        return run()
    summary = _summary(sql, dialect)
    told: dict[str, str | int | float | bool] = {
        "db.system.name": SYSTEMS.get(dialect, dialect),
        "db.query.summary": summary,
        "db.operation.name": summary.partition(" ")[0],
    }
    if tells_content():
        told["db.query.text"] = hide_secrets(sql)
    with client_span(summary, told) as tell:
        result = run()
        if isinstance(result, Failure):
            tell({"error.type": result.kind}, True)
        else:
            tell({"db.response.returned_rows": len(result.rows)}, False)
    return result


def _summary(sql: str, dialect: str) -> str:
    """The operation and its tables, as `SELECT album artist`; nothing of either where it cannot be read."""
    import sqlglot  # only here: a query that nobody traces needs none of it
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        tree = sqlglot.parse_one(sql, dialect=dialect)
    except (SqlglotError, RecursionError):
        return "QUERY"
    tables = dict.fromkeys(table.name for table in tree.find_all(exp.Table))
    operation = "SELECT" if isinstance(tree, exp.Query) else tree.key.upper()
    return " ".join([operation, *tables])[:LONGEST_SUMMARY]
