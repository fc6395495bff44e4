"""Statements of DuckDB that its parser gives no tree for: EXPLAIN of a query, and PIVOT over values it finds.

Both are brought to a form that has a tree. Nothing here decides what may run; that is for the tree.
"""

import secrets
from typing import NamedTuple

from critiql.tools.database.guard.tokens import Token, UnreadableError, tokenize

FORMATS = frozenset({"text", "json", "html", "graphviz", "yaml", "mermaid", "default"})
"""Ways to print a plan that EXPLAIN takes; the name of no file among them."""
ENDS_PIVOTS = ("using", "group", "order", "limit", "offset", "union", "except", "intersect", "qualify")
"""What ends the list after ON."""


class Explained(NamedTuple):
    """An EXPLAIN, taken apart."""

    head: str
    """What to write before the query; made of known words only."""
    query: str


class Pivoted(NamedTuple):
    """A statement with PIVOT over values to be found, and the same with one made-up value for each."""

    text: str
    marks: tuple[str, ...]
    """The made-up values, which the engine's tree must show as such."""


def explained(sql: str) -> Explained | None:
    """The parts of `EXPLAIN [ANALYZE] [(ANALYZE, FORMAT name)] query`; None for another form."""
    try:
        tokens = tokenize(sql, "duckdb")
    except UnreadableError:
        return None
    if not tokens or not tokens[0].is_word("explain"):
        return None
    options, place = ["analyze"] if len(tokens) > 1 and tokens[1].is_word("analyze") else [], 1
    place += len(options)
    if place < len(tokens) and tokens[place].is_mark("("):
        inside = _options(tokens[place + 1 :])
        if inside is not None:
            options += inside
            place += next(at for at, token in enumerate(tokens[place:]) if token.is_mark(")")) + 1
    chosen = ", ".join(dict.fromkeys(options))
    return Explained(f"EXPLAIN ({chosen}) " if chosen else "EXPLAIN ", sql[tokens[place - 1].end :])


def _options(tokens: list[Token]) -> list[str] | None:
    """The options up to the closing bracket; None where they are none, but the start of a query."""
    found: list[str] = []
    words = iter(tokens)
    for token in words:
        if token.is_word("analyze"):
            found.append("analyze")
        elif token.is_word("format"):
            kind = next(words, None)
            if kind is None or kind.text not in FORMATS:
                return None
            found.append(f"format {kind.text}")
        elif token.is_mark(")"):
            return found
        elif not token.is_mark(","):
            return None
    return None


def pivoted(sql: str) -> Pivoted | None:
    """The statement with `IN ('made-up')` after each thing to pivot on that has no list; None without one.

    That the engine reads the made-up values where they were put shows that it tells words from strings and
    comments as the tokens do; the statement without them is then the same but for the lists.
    """
    try:
        tokens = tokenize(sql, "duckdb")
    except UnreadableError:
        return None
    ends = [
        end
        for place, token in enumerate(tokens)
        if token.is_word("pivot", "pivot_wider")
        for end in _ends(tokens[place + 1 :])
    ]
    marks = tuple(secrets.token_hex(8) for _ in ends)
    for end, mark in sorted(zip(ends, marks, strict=True), reverse=True):
        sql = f"{sql[:end]} IN ('{mark}') {sql[end:]}"
    return Pivoted(sql, marks) if marks else None


def _ends(tokens: list[Token]) -> list[int]:
    """Where each expression after a PIVOT's ON ends that no IN follows."""
    found: list[int] = []
    depth, is_on, has_list = 0, False, False
    last: Token | None = None
    for token in tokens:
        is_end = token.is_mark(";") or (token.is_mark(")") and depth == 0)
        if depth == 0 and (is_end or (is_on and token.is_word(*ENDS_PIVOTS))):
            break
        depth += token.is_mark(
            "(",
        ) - token.is_mark(")")
        if depth == 0 and token.is_word("on") and not is_on:
            is_on, last = True, None
            continue
        if depth == 0 and is_on and token.is_mark(","):
            found += [] if has_list or last is None else [last.end]
            has_list = False
        elif depth == 0 and token.is_word("in"):
            has_list = True
        last = token
    return [*found, *([] if has_list or last is None or not is_on else [last.end])]
