"""A syntax tree as numbered lines, one node a line: a prompt can show them, an answer name one."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlglot import exp

from critiql.tools.schema.quoting import escape

LONGEST = 60
"""Characters of one node's own text."""

PASSED_OVER: tuple[type[exp.Expr], ...] = (exp.Identifier, exp.TableAlias, exp.Paren, exp.DataType, exp.Var)
"""Nodes without a line of their own; what stands below them is shown one level higher."""

LEAVES: tuple[type[exp.Expr], ...] = (exp.Column, exp.Literal, exp.Star, exp.Null, exp.Boolean)
"""Nodes that are shown with their SQL, and nothing below them."""


class TreeLine(NamedTuple):
    """One node of a tree."""

    number: int
    """From 1, outer nodes before inner ones."""
    depth: int
    node: exp.Expr
    text: str
    """Kind of the node, and its own SQL where it is a leaf or a table."""


def tree_lines(tree: exp.Expr, dialect: str) -> list[TreeLine]:
    """The nodes of a tree that get a line, in the order of writing."""
    walked = list(_walk(tree, 0))
    return [TreeLine(n, depth, node, _text(node, dialect)) for n, (depth, node) in enumerate(walked, start=1)]


def tree_text(lines: Sequence[TreeLine]) -> str:
    """The lines as a prompt shows them: number, one blank for each level, text."""
    return "\n".join(f"{line.number} {' ' * line.depth}{line.text}" for line in lines)


def _walk(node: exp.Expr, depth: int) -> Iterator[tuple[int, exp.Expr]]:
    shown = not isinstance(node, PASSED_OVER)
    if shown:
        yield depth, node
    if not isinstance(node, LEAVES):
        for child in node.iter_expressions():
            yield from _walk(child, depth + shown)


def _text(node: exp.Expr, dialect: str) -> str:
    if isinstance(node, LEAVES):
        own = node.sql(dialect=dialect)
    elif isinstance(node, exp.Table):
        own = f"table {node.name}" + (f" as {node.alias}" if node.alias else "")
    elif isinstance(node, exp.Alias | exp.Subquery | exp.CTE):
        own = f"{node.key} {node.alias}".rstrip()
    elif isinstance(node, exp.Ordered):
        own = f"ordered {'desc' if node.args.get('desc') else 'asc'}"
    else:
        own = node.key
    return escape(own if len(own) <= LONGEST else f"{own[:LONGEST]}...")
