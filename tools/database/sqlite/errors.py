"""SQLite's errors as typed kinds: by result code, and by the sentence where the code says only ERROR."""

import re
import sqlite3

CODES = {
    "SQLITE_AUTH": "denied",
    "SQLITE_INTERRUPT": "timeout",
    "SQLITE_NOMEM": "memory",
    "SQLITE_FULL": "memory",
    "SQLITE_TOOBIG": "too_large",
    "SQLITE_BUSY": "locked",
    "SQLITE_LOCKED": "locked",
    "SQLITE_CANTOPEN": "connection",
    "SQLITE_NOTADB": "connection",
    "SQLITE_CORRUPT": "connection",
    "SQLITE_IOERR": "connection",
    "SQLITE_READONLY": "connection",
    "SQLITE_PROTOCOL": "connection",
    "SQLITE_SCHEMA": "connection",
    "SQLITE_PERM": "connection",
    "SQLITE_MISMATCH": "type",
}
"""Kind by primary result code; extended codes start with the primary one's name."""
SENTENCES = tuple(
    (re.compile(pattern, re.DOTALL), kind)
    for pattern, kind in (
        (r"^no such table(?:-valued function)?: (?P<name>.+)$", "no_such_table"),
        (r"^no such module: (?P<name>.+)$", "no_such_table"),
        (r"^'(?P<name>.+)' is not a function$", "no_such_function"),
        (r"^unknown database:? (?P<name>.+)$", "no_such_table"),
        (
            r"^no such column: (?P<name>.+?)(?: - should this be a string literal in single-quotes\?)?$",
            "no_such_column",
        ),
        (r"^cannot join using column (?P<name>.+) - column not present in both tables$", "no_such_column"),
        (r"^ambiguous column name: (?P<name>.+)$", "ambiguous_column"),
        (r"^ambiguous reference to (?P<name>.+?) in USING\(\)$", "ambiguous_column"),
        (r"^no such function: (?P<name>.+)$", "no_such_function"),
        (r"^misuse of (?:aliased )?(?:aggregate|window)(?: function)?:? (?P<name>.+?)(?:\(\))?$", "misuse"),
        (r"^(?P<name>.+?)\(\) may not be used as a window function$", "misuse"),
        (
            r"^(?:a GROUP BY clause is required before HAVING|HAVING clause on a non-aggregate query)$",
            "misuse",
        ),
        (r"^(?:aggregate|window) functions? (?:are|is) not allowed", "misuse"),
        (r"^(?:DISTINCT|FILTER|ORDER BY).* aggregate", "misuse"),
        (r"^row value misused$", "misuse"),
        (r"^wrong number of arguments to function (?P<name>.+?)\(\)$", "type"),
        (r"^(?:integer overflow|malformed JSON|datatype mismatch|bad JSON path)", "type"),
        (r"^unsafe use of (?:virtual table )?\"?(?P<name>.+?)(?:\(\)|\")?$", "denied"),
        (
            r"^(?:not authorized|access to .* is prohibited|cannot modify|table .* may not be modified)",
            "denied",
        ),
        (r"too (?:large|many|big|complex)|parser stack overflow|at most \d+ tables in a join", "too_large"),
        (r"syntax error|incomplete input|unrecognized token|malformed", "syntax"),
        (
            r"do not have the same number of result columns|sub-select returns|columns? assigned|values for",
            "syntax",
        ),
        (
            r"(?:ORDER|GROUP) BY term|no tables specified|(?:LIMIT|ORDER BY) clause should come",
            "syntax",
        ),
        (
            r"^(?:no such (?:window|collation)|table .* has|unknown join type|circular ref|variable number)",
            "syntax",
        ),
    )
)
"""Sentence pattern and kind, first match wins; `name` is the thing the sentence is about."""


def _of_module(error: Exception) -> tuple[str, str]:
    """Errors that Python's module raises before SQLite sees the statement."""
    text = str(error)
    if "one statement at a time" in text:
        return "several_statements", "only one statement may run at a time"
    if isinstance(error, UnicodeEncodeError):
        return "syntax", "the statement contains text that is not valid Unicode"
    if "null character" in text:
        return "syntax", "the statement contains a null character"
    if "bindings" in text or "binding" in text:
        return "syntax", "the statement has parameters (?, :name), which have no value here"
    if "query string is too large" in text or isinstance(error, OverflowError):
        return "too_large", "the statement is too long"
    return "other", text or type(error).__name__


def classify(error: Exception) -> tuple[str, str, str | None]:
    """Kind, sentence, and the name the sentence is about."""
    if isinstance(error, MemoryError):
        return "memory", "the statement needed more memory than it may have", None
    code = getattr(error, "sqlite_errorname", None)
    if code is None:
        return *_of_module(error), None
    text = str(error)
    for prefix, kind in CODES.items():
        if code == prefix or code.startswith(f"{prefix}_"):
            return kind, text, None
    for pattern, kind in SENTENCES:
        if found := pattern.search(text):
            return kind, text, found.groupdict().get("name")
    return "other", text, None


SQLITE_FAILURES = (sqlite3.Error, sqlite3.Warning, MemoryError, ValueError, OverflowError)
"""What executing a hostile statement may raise; ValueError covers null characters and invalid Unicode."""
