"""What stands before the fifteen types: a text that is not one readable query."""

from critiql.tools.errors.types.error_type import ErrorType, Finding
from critiql.tools.sql.align import Span
from critiql.tools.sql.parse import ParseFailure, parse

KEY = "unreadable"

_SUGGESTIONS = {
    "empty": "Give one SELECT statement.",
    "too_large": "Give a shorter query.",
    "too_deep": "Give a query with less nesting.",
    "not_sql": "Give the SQL alone, without words around it.",
    "not_a_query": "Give one SELECT statement; nothing else is read.",
    "several_statements": "Give one statement.",
    "syntax": "Correct the syntax at the place named.",
}


def unreadable(text: str, failure: ParseFailure, dialect: str) -> Finding:
    """The finding for a text that does not parse."""
    foreign = wrong_dialect(text, dialect) if failure.kind == "syntax" else None
    if foreign:
        explanation = (
            f"The query is written for {foreign}, and the database reads {dialect}: {failure.message}"
        )
        suggestion = f"Rewrite it in the {dialect} dialect."
    else:
        explanation, suggestion = failure.message, _SUGGESTIONS[failure.kind]
    return Finding(
        KEY,
        "parse",
        explanation,
        suggestion,
        span=_span(text, failure),
        slots={"reason": failure.message, "kind": "wrong_dialect" if foreign else failure.kind},
        rule="parse",
    )


_DIALECTS = ("mysql", "postgres", "tsql", "bigquery", "snowflake", "oracle", "sqlite")


def wrong_dialect(text: str, dialect: str) -> str | None:
    """The first other dialect that reads a text which this one does not."""
    for other in _DIALECTS:
        if other != dialect and not isinstance(parse(text, other), ParseFailure):
            return other
    return None


def _span(text: str, failure: ParseFailure) -> Span | None:
    """The rest of the line from the place of the failure."""
    if failure.line is None or failure.column is None:
        return None
    lines = text.splitlines(keepends=True)
    if failure.line > len(lines):
        return None
    before = sum(len(line) for line in lines[: failure.line - 1])
    start = min(before + failure.column - 1, len(text))
    end = min(before + len(lines[failure.line - 1].rstrip()), start + 40)
    return Span(start, end) if end > start else None


UNREADABLE = ErrorType(
    number=0,
    name="Unreadable",
    description="The text is not one readable query.",
    priority=0,
    guideline="""Where: $nodes
Why it cannot be read: $reason""",
    keywords=(),
)
"""Not one of the fifteen and no row of the head: nothing else can be said of such a text."""
