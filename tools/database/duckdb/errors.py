"""DuckDB's errors as typed kinds: by the sentence, else by the exception's class."""

import re

CLASSES = {
    "ParserException": "syntax",
    "SyntaxException": "syntax",
    "NotImplementedException": "syntax",
    "BinderException": "syntax",
    "NotSupportedError": "syntax",
    "PermissionException": "denied",
    "InterruptException": "timeout",
    "OutOfMemoryException": "memory",
    "ConversionException": "type",
    "OutOfRangeException": "type",
    "TypeMismatchException": "type",
    "InvalidTypeException": "type",
    "IOException": "connection",
    "FatalException": "worker_died",
    "InternalException": "other",
}
"""Kind by the class of duckdb's exception."""
SENTENCES = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in (
        (r"Table(?: Function)? with name \"?(?P<name>[^\s\"]+)\"? does not exist", "no_such_table"),
        (r"Referenced table \"(?P<name>[^\"]+)\" not found", "no_such_table"),
        (r"Catalog \"(?P<name>[^\"]+)\" does not exist", "no_such_table"),
        (r"Schema with name \"?(?P<name>[^\s\"]+)\"? does not exist", "no_such_table"),
        (r"[Ff]unction with name \"?(?P<name>[^\s\"]+)\"? (?:does|is) not", "no_such_function"),
        (r"(?:Referenced column|have a column named) \"(?P<name>[^\"]+)\"", "no_such_column"),
        (r"[Aa]mbiguous reference to column name \"(?P<name>[^\"]+)\"", "ambiguous_column"),
        (r"Values were not provided for the following parameters", "syntax"),
        (r"No function matches the given name and argument types", "type"),
        (r"Could not set lock on file", "locked"),
        (r"(?:read-only mode|disabled by|configuration has been locked)", "denied"),
        (r"Cannot (?:compare|mix|cast)|Could not convert|types? .*mismatch", "type"),
        (r"must appear in the GROUP BY|cannot contain (?:aggregates|window)|aggregates? .*not", "misuse"),
        (r"expression depth|too (?:large|long|deep)|exceeds", "too_large"),
        (r"Out of Memory|failed to (?:allocate|pin)|could not allocate", "memory"),
    )
)  # fmt: skip
"""Sentence pattern and kind, first match wins."""


def classify(class_name: str, message: str) -> tuple[str, str | None]:
    """Kind, and the name the sentence is about."""
    for pattern, kind in SENTENCES:
        if found := pattern.search(message):
            return kind, found.groupdict().get("name")
    return CLASSES.get(class_name, "other"), None
