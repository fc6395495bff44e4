"""A trace without what the database holds: cells and literals give way to the names of their types.

What may stay is listed and everything else is hidden, so that a field somebody adds later is hidden too.
"""

from typing import Any

from sqlglot.tokenizer_core import Token, TokenType

from critiql.agent.answer import Answer
from critiql.tools.sql.dialect import dialect_of
from critiql.tools.sql.parse import ParseFailure, parse

TEXT, NUMBER, BOOLEAN = "<text>", "<number>", "<boolean>"
_PLAIN = """
type source rule origin kind verdict status stopped limit reason role database dialect thread next at
"""
PLAIN = frozenset(_PLAIN.split())
"""Fields whose text is Critiql's own."""
SQL = frozenset(("sql", "node"))
"""Fields that hold a query or a part of one."""
CELLS, SLOTS = "rows", "slots"


def redacted(item: dict[str, Any], dialect: str) -> dict[str, Any]:
    """An event of the trace, or a candidate, that tells no value of the database.

    Numbers of the trace itself (counts, seconds, readings) and names in queries stay.

    Args:
        item: as JSON holds it.
        dialect: of its queries.
    """
    return {name: _hidden(value, name, dialect) for name, value in item.items()}


def redacted_answer(answer: Answer, dialect: str) -> Answer:
    """The same answer, its candidates redacted; its own query, rows and words are what was asked for."""
    candidates = [redacted(dict(candidate), dialect) for candidate in answer.candidates]
    return answer.model_copy(update={"candidates": candidates})


def redacted_sql(sql: str, dialect: str) -> str:
    """A query without its literals and comments; a text that cannot be read as one is hidden whole."""
    if isinstance(parse(sql, dialect), ParseFailure):
        return TEXT
    pieces: list[str] = []
    end = 0
    for token in dialect_of(dialect).tokenize(sql):
        gap = sql[end : token.start]
        end = token.end + 1
        if gap or pieces[-1:] != [NUMBER]:  # `1_000` is a number and, for sqlglot, a word
            pieces += [" " if gap else "", _shown(token, sql, dialect)]
        elif token.token_type is not TokenType.VAR:
            pieces.append(_shown(token, sql, dialect))
    return "".join(pieces)


def _hidden(value: Any, name: str, dialect: str) -> Any:
    if isinstance(value, dict):  # a guideline's slots have names of their own
        return {part: _hidden(held, "" if name == SLOTS else part, dialect) for part, held in value.items()}
    if isinstance(value, list):
        return [_hidden(part, name, dialect) for part in value]
    if name == CELLS:
        return _type_of(value)
    if not isinstance(value, str) or not value or name in PLAIN:
        return value
    return redacted_sql(value, dialect) if name in SQL else TEXT


def _type_of(cell: object) -> str | None:
    """The type of a cell; NULL is one by itself."""
    if cell is None:
        return None
    if isinstance(cell, bool):
        return BOOLEAN
    return NUMBER if isinstance(cell, int | float) else TEXT


def _shown(token: Token, sql: str, dialect: str) -> str:
    """A token as it is written, or its type where it is a literal."""
    written = sql[token.start : token.end + 1]
    if token.token_type is TokenType.NUMBER:
        return NUMBER
    if "STRING" in token.token_type.name:
        return f"'{TEXT}'"
    is_doubtful = dialect == "sqlite" and written.startswith('"')  # a text where no column has that name
    return f'"{TEXT}"' if is_doubtful else written
