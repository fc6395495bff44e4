"""One query with everything a rule may ask about it, each fact worked out once."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeVar, cast

from sqlglot import exp

from critiql.tools.database.result import Result
from critiql.tools.errors.lookup import Values
from critiql.tools.schema.model import Column, Schema, Table
from critiql.tools.sql.align import Alignment, align
from critiql.tools.sql.parse import Parsed
from critiql.tools.sql.scope import Binding, Resolution, Scope

Node = TypeVar("Node", bound=exp.Expr)

COMPARISONS: tuple[type[exp.Expr], ...] = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
"""Binary comparisons that rules and perturbations treat alike."""
MIRRORED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
}
"""What a comparison becomes when its sides change places."""


class Place(NamedTuple):
    """A column of the schema."""

    table: Table
    column: Column

    def __str__(self) -> str:
        return f"{self.table.name}.{self.column.name}"


class Comparison(NamedTuple):
    """A column compared with one constant."""

    node: exp.Expr
    """The comparison, IN, LIKE or BETWEEN."""
    operator: type[exp.Expr]
    """As if the column stood on the left."""
    column: exp.Column
    constant: exp.Expr
    """exp.Literal, its negation, or a double-quoted name that is text."""
    value: str | int | float


@dataclass(frozen=True, eq=False)
class Query:
    """A parsed and resolved query, the question it answers, and what running it gave."""

    parsed: Parsed
    resolution: Resolution
    schema: Schema
    question: str = ""
    execution: Result | None = None
    """What running it gave; None when it was not run."""
    values: Values | None = None
    """LookUp; None when no values may be read."""

    @property
    def tree(self) -> exp.Query:
        """The query's syntax tree."""
        return self.parsed.tree

    @cached_property
    def alignment(self) -> Alignment:
        """Where every node stands in the text."""
        return align(self.parsed)

    @cached_property
    def by_class(self) -> dict[type[exp.Expr], list[exp.Expr]]:
        """Every node under its exact class, outer before inner."""
        index: dict[type[exp.Expr], list[exp.Expr]] = {}
        for node in self.tree.walk():
            index.setdefault(type(node), []).append(node)
        return index

    def all(self, *classes: type[Node]) -> Iterator[Node]:
        """The nodes of exactly these classes."""
        for wanted in classes:
            yield from cast("list[Node]", self.by_class.get(wanted, []))

    @cached_property
    def selects(self) -> tuple[Scope, ...]:
        """The scope of every SELECT."""
        return self.resolution.scopes

    @cached_property
    def aggregates(self) -> tuple[exp.AggFunc, ...]:
        """Every aggregate call that is no window function."""
        calls = (node for nodes in self.by_class.values() for node in nodes if isinstance(node, exp.AggFunc))
        return tuple(call for call in calls if is_aggregate(call))

    @cached_property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Every comparison of a column with a constant; an IN list gives one entry per constant."""
        return tuple(self._comparisons())

    @cached_property
    def words(self) -> str:
        """The question in lower case, framed by blanks so that whole words can be looked for."""
        cleaned = "".join(c if c.isalnum() or c in "'-." else " " for c in self.question.casefold())
        return f" {' '.join(cleaned.split())} "

    def says(self, value: str) -> bool:
        """True when the question has the value as whole words, whatever stands between them.

        One of several words may stand in the plural: no-shows says no_show. One word may not: towns are more
        often the rows of a table than its category Town.
        """
        parts = re.findall(r"[^\W_]+", value.casefold())
        words = r"[\W_]*".join(map(re.escape, parts))
        said = rf"\b{words}{'s?' if len(parts) > 1 else ''}\b"
        return not self.question or re.search(said, self.question.casefold()) is not None

    @cached_property
    def _order(self) -> dict[int, int]:
        return {id(node): place for place, node in enumerate(self.tree.walk())}

    def copied(self, *nodes: exp.Expr) -> tuple[exp.Query, list[exp.Expr]]:
        """A copy of the tree, and the nodes of the copy that stand where the given ones do."""
        tree = self.tree.copy()
        twins = list(tree.walk())
        return tree, [twins[self._order[id(node)]] for node in nodes]

    def with_constant(self, constant: exp.Expr, value: str) -> exp.Query:
        """A copy in which a text stands in the place of a constant."""
        tree, (twin,) = self.copied(constant)
        twin.replace(exp.Literal.string(value))
        return tree

    def binding(self, node: exp.Expr | None) -> Binding | None:
        """What a column node stands for."""
        return self.resolution.binding(node) if isinstance(node, exp.Column) else None

    def place(self, node: exp.Expr | None) -> Place | None:
        """The schema column a node stands for; None for anything computed or unknown."""
        binding = self.binding(node)
        if binding is None or binding.table is None or binding.column is None:
            return None
        return Place(binding.table, binding.column)

    def constant(self, node: exp.Expr | None) -> str | int | float | None:
        """The value of a literal, a negated literal or a double-quoted text; None for anything else."""
        if isinstance(node, exp.Literal):
            return str(node.this) if node.is_string else _number(str(node.this))
        if isinstance(node, exp.Neg):
            inner = self.constant(node.this)
            return None if inner is None or isinstance(inner, str) else -inner
        if isinstance(node, exp.Column) and self.resolution.is_string(node):
            return str(node.name)
        return None

    def distinct(self, place: Place) -> tuple[object, ...] | None:
        """LookUp: every value of a column, or None where they are not all known."""
        return self.values.distinct(place.table.name, place.column.name) if self.values else None

    def holds_null(self, place: Place) -> bool | None:
        """Whether a column has a row without a value; None where that is not known."""
        return self.values.holds_null(place.table.name, place.column.name) if self.values else None

    def _comparisons(self) -> Iterator[Comparison]:
        for node in self.all(*COMPARISONS, exp.Like, exp.Glob, exp.Is):
            yield from self._sides(node, node.this, node.expression, type(node))
            mirrored = MIRRORED.get(type(node), type(node))
            yield from self._sides(node, node.expression, node.this, mirrored)
        for node in self.all(exp.In):
            for item in node.expressions:
                yield from self._sides(node, node.this, item, exp.In)
        for node in self.all(exp.Between):
            for bound in (node.args["low"], node.args["high"]):
                yield from self._sides(node, node.this, bound, exp.Between)

    def _sides(
        self, node: exp.Expr, column: exp.Expr, constant: exp.Expr, operator: type[exp.Expr]
    ) -> Iterator[Comparison]:
        if isinstance(column, exp.Column) and self.constant(column) is None:
            value = self.constant(constant)
            if value is not None:
                yield Comparison(node, operator, column, constant, value)


def is_aggregate(node: exp.Expr) -> bool:
    """True for an aggregate call that is no window function; MIN and MAX of several values are none."""
    if not isinstance(node, exp.AggFunc) or isinstance(node.parent, exp.Window):
        return False
    return not (isinstance(node, exp.Min | exp.Max) and node.expressions)


def own_nodes(root: exp.Expr) -> Iterator[exp.Expr]:
    """A node and everything below it, without entering subqueries."""
    return root.walk(prune=lambda node: node is not root and isinstance(node, exp.Query | exp.Subquery))


def conjuncts(condition: exp.Expr | None) -> list[exp.Expr]:
    """The parts of a condition that must all hold, brackets removed."""
    if condition is None:
        return []
    if isinstance(condition, exp.Paren):
        return conjuncts(condition.this)
    if isinstance(condition, exp.And):
        return [*conjuncts(condition.this), *conjuncts(condition.expression)]
    return [condition]


def clause_of(node: exp.Expr) -> str:
    """Name of the clause of the innermost SELECT that holds a node."""
    while node.parent is not None and not isinstance(node.parent, exp.Query):
        if isinstance(node, exp.Join) and node.args.get("on") is not None:
            return "JOIN ... ON"
        node = node.parent
    return _CLAUSES.get(node.arg_key or "", "SELECT")


_CLAUSES = {
    "expressions": "SELECT",
    "from_": "FROM",
    "joins": "FROM",
    "where": "WHERE",
    "group": "GROUP BY",
    "having": "HAVING",
    "order": "ORDER BY",
    "limit": "LIMIT",
    "with_": "WITH",
}


def outermost(tree: exp.Query) -> exp.Select | None:
    """The SELECT whose columns the query returns: itself, or the first arm of a set operation."""
    node: exp.Expr = tree
    while isinstance(node, exp.SetOperation | exp.Subquery):
        node = node.this
    return node if isinstance(node, exp.Select) else None


def _number(text: str) -> int | float | None:
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return None
