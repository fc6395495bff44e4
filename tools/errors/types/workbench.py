"""The workbench of the perturbation operators: seeded choices, and edits on copies of the tree."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import NamedTuple, TypeVar

from sqlglot import exp

from critiql.tools.errors.links import column_node
from critiql.tools.errors.mend.conjuncts import drop_conjunct
from critiql.tools.errors.query import Query
from critiql.tools.schema.column_kinds import is_numeric
from critiql.tools.schema.model import Column, Table
from critiql.tools.sql.scope import Scope, Source

T = TypeVar("T")


class Edit(NamedTuple):
    """One injected error."""

    tree: exp.Query
    """A copy of the query's tree with the error in it."""
    node: exp.Expr
    """Where in that copy the error sits; for something left out, what should have held it."""
    note: str
    """What was done, in a few words."""


@dataclass(frozen=True, eq=False)
class Bench:
    """A query to be spoilt, and the random numbers that decide how."""

    query: Query
    rng: Random

    def shuffled(self, items: Iterable[T]) -> list[T]:
        """The items in an order drawn from the seed."""
        drawn = list(items)
        self.rng.shuffle(drawn)
        return drawn

    def copy(self, *nodes: exp.Expr) -> tuple[exp.Query, list[exp.Expr]]:
        """A copy of the tree, and the nodes of the copy that stand where the given ones do."""
        return self.query.copied(*nodes)

    def replaced(self, node: exp.Expr, new: exp.Expr, note: str) -> Edit:
        """The edit that puts `new` where `node` stands."""
        tree, (twin,) = self.copy(node)
        if twin is tree and isinstance(new, exp.Query):
            return Edit(new, new, note)
        return Edit(tree, twin.replace(new), note)

    def removed(self, node: exp.Expr, note: str) -> Edit:
        """The edit that takes a clause or list item out; the error sits in what held it."""
        tree, (twin,) = self.copy(node)
        holder = twin.parent
        twin.pop()
        return Edit(tree, holder if holder is not None else tree, note)

    def without_conjunct(self, clause: exp.Expr, part: exp.Expr, note: str) -> Edit:
        """The edit that drops one part of a condition, and the clause with its last part."""
        tree, (twin, spot) = self.copy(clause, part)
        return Edit(tree, drop_conjunct(twin, spot), note)

    def columns_of(self, source: Source) -> list[exp.Column]:
        """The column nodes anywhere in the query that mean a column of one source."""
        bound = ((node, self.query.binding(node)) for node in self.query.all(exp.Column))
        return [node for node, binding in bound if binding is not None and binding.source is source]

    def column(self, source: Source, column: Column, scope: Scope) -> exp.Column:
        """A reference to a column: qualified when the scope has several sources."""
        qualifier = source.name if len(scope.sources) > 1 else None
        return column_node(column.name, qualifier, self.query.parsed.dialect)

    def alike(self, table: Table, column: Column) -> list[Column]:
        """The other columns of a table, in random order, those of the same kind first."""
        others = [other for other in table.columns if other is not column]
        return sorted(self.shuffled(others), key=lambda other: is_numeric(other) != is_numeric(column))

    def constants(self, table: Table, column: Column) -> list[exp.Expr]:
        """A few constants the column really holds, in random order; empty where its values are not known."""
        found = self.query.values.distinct(table.name, column.name) if self.query.values else None
        drawn = self.rng.sample(found, min(3, len(found))) if found else []
        return [literal for literal in map(as_literal, drawn) if literal is not None]


def as_literal(value: object) -> exp.Expr | None:
    """A constant for a cell; None for what has none that is safe to write, such as a blob or a long text."""
    if isinstance(value, bool | bytes) or value is None:
        return None
    if isinstance(value, int | float):
        return (
            exp.Literal.number(repr(value)) if value >= 0 else exp.Neg(this=exp.Literal.number(repr(-value)))
        )
    text = str(value)
    return exp.Literal.string(text) if len(text) <= 80 and text.isprintable() else None


def arms(tree: exp.Query) -> Iterator[exp.Select]:
    """The SELECTs that make up a query's result: itself, or every arm of its set operations."""
    if isinstance(tree, exp.SetOperation):
        yield from arms(tree.this)
        yield from arms(tree.expression)
    elif isinstance(tree, exp.Subquery):
        yield from arms(tree.this)
    elif isinstance(tree, exp.Select):
        yield tree
