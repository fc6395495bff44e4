"""Frame names in argument text: written as queries while sqlglot reads, and back again after."""

from collections.abc import Collection

from sqlglot import exp
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType

from critiql.tools.sql.dialect import dialect_of
from critiql.tools.trajectory.language.actions import Node
from critiql.tools.trajectory.language.references import reference

MARK = "frame_mark_"


def mark_frames(text: str, dialect: str, names: Collection[str]) -> str:
    """The text with each frame's name replaced by a query of that name, in parentheses where it has none.

    `df1 AS d`, `x IN (df1)`, `EXISTS(df1)` and `scalar(df1)` become what they stand for in SQL.
    """
    if not any(name in text for name in names):
        return text
    try:
        tokens = dialect_of(dialect).tokenize(text)
    except TokenError:
        return text
    pieces: list[str] = []
    position = 0
    for index, token in enumerate(tokens):
        if token.text not in names or _is_part_of_name(tokens, index):
            continue
        opened, closed = _kind(tokens, index - 1), _kind(tokens, index + 1)
        wrapped = opened is TokenType.L_PAREN and closed is TokenType.R_PAREN
        query = f"SELECT {MARK}{token.text}"
        start = token.start
        if wrapped and index > 1 and tokens[index - 2].text.lower() == "scalar":
            start, query = tokens[index - 2].start, f"({query}"
        elif not wrapped:
            query = f"({query})"
        pieces += [text[position:start], query]
        position = token.end + 1
    return "".join(pieces) + text[position:]


def unmark_frames(tree: Node, names: Collection[str]) -> Node:
    """The tree with the queries that `mark_frames` wrote replaced by frame names."""
    for select in list(tree.find_all(exp.Select)):
        items = select.expressions
        if len(items) == 1 and isinstance(items[0], exp.Column):
            name = items[0].name.removeprefix(MARK)
            if name != items[0].name and name in names:
                select.replace(reference(name))
    return tree


def _is_part_of_name(tokens: list[Token], index: int) -> bool:
    return TokenType.DOT in (_kind(tokens, index - 1), _kind(tokens, index + 1))


def _kind(tokens: list[Token], index: int) -> TokenType | None:
    return tokens[index].token_type if 0 <= index < len(tokens) else None
