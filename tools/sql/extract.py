"""The SQL in a model's answer: out of code fences and prose, the first statement, nothing after it."""

import re

FENCE = re.compile(r"```[a-zA-Z]*[ \t]*\r?\n?(.*?)(?:```|\Z)", re.DOTALL)
"""A fenced block; one that was cut off runs to the end."""

START = re.compile(
    r"\b(?:WITH\s+(?:RECURSIVE\s+)?[\w\"`\[]+\s*(?:\(|AS\b)|SELECT\b|VALUES\s*\()", re.IGNORECASE
)
"""Where a query begins in prose."""


def extract_sql(text: str) -> str:
    """The first SQL query in the text, without a trailing semicolon; the stripped text when there is none."""
    fenced = FENCE.search(text)
    body = fenced[1] if fenced and fenced[1].strip() else text.replace("```", " ")
    start = START.search(body)
    return first_statement(body[start.start() :] if start else body).strip()


def first_statement(text: str) -> str:
    """The text up to the first semicolon outside quotes and comments."""
    for token in re.finditer(
        r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/|;", text, re.DOTALL
    ):
        if token[0] == ";":
            return text[: token.start()]
    return text
