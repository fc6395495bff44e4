"""Windows that use a name of their own SELECT, which no engine knows there."""

from collections.abc import Sequence

from sqlglot import exp

from critiql.tools.errors.query import Query
from critiql.tools.sql.scope import Scope

Use = tuple[exp.Column, exp.Expr]
"""A name in a window, and what it stands for."""


def names_in_windows(query: Query, scope: Scope) -> list[Use]:
    """The names of a SELECT that its windows use."""
    return [
        (node, scope.aliases[node.name.casefold()].this)
        for window in query.all(exp.Window)
        if window.parent_select is scope.node
        for node in window.find_all(exp.Column)
        if not node.table and node.name.casefold() in scope.aliases
    ]


def written_out(query: Query, uses: Sequence[Use]) -> exp.Query:
    """The query with what each name stands for in its place."""
    tree, twins = query.copied(*(node for node, _ in uses))
    for twin, (_, meant) in zip(twins, uses, strict=True):
        twin.replace(meant.copy())
    return tree
