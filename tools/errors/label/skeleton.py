"""The parts of a query that are compared: tables, join pairs, conditions, and expressions free of aliases."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlglot import exp

from critiql.tools.errors.query import COMPARISONS, Query


class Pair(NamedTuple):
    """Two columns that a join equates, in a fixed order."""

    text: str
    tables: tuple[str, ...]


class Parts(NamedTuple):
    """What the FROM clause of one SELECT comes to."""

    tables: Counter[str]
    pairs: list[Pair]
    kinds: Counter[str]
    """LEFT, CROSS and the like; joins without a condition count as `none`."""


@dataclass(frozen=True, eq=False)
class Facts:
    """A query, with its parts worked out once for each SELECT."""

    query: Query
    parts: dict[int, Parts] = field(default_factory=dict)

    def columns(self, node: exp.Expr) -> list[str]:
        """The columns below a node, subqueries left out, as table.column."""
        return [self.column(part) for part in _outside_queries(node) if isinstance(part, exp.Column)]

    def column(self, node: exp.Column) -> str:
        """A column as table.column in lower case, whatever alias it is written with; a text as its value."""
        constant = self.query.constant(node)
        if constant is not None:
            return repr(constant)
        binding = self.query.binding(node)
        if binding is None:
            return node.sql().casefold()
        table = binding.table.name if binding.table is not None else binding.source.name
        return f"{table}.{binding.name}".casefold()


class Atom(NamedTuple):
    """One condition that AND, OR and NOT connect."""

    subject: exp.Expr
    left: str
    operator: str
    value: str
    queries: tuple[exp.Expr, ...]
    tables: frozenset[str]

    @property
    def text(self) -> str:
        """The condition, subqueries as placeholders."""
        return f"{self.left} {self.operator} {self.value}"

    def shared(self, other: "Atom") -> int:
        """How many of the three elements agree."""
        pairs = ((self.left, other.left), (self.operator, other.operator), (self.value, other.value))
        return sum(one == two for one, two in pairs)


def said(facts: Facts, node: exp.Expr, *, columns: bool = True) -> str:
    """An expression free of aliases: columns by table and name (or as `_`), subqueries as a placeholder."""
    if isinstance(node, exp.Alias):
        node = node.this
    if isinstance(node, exp.Query):
        return "(query)"
    copy = exp.Paren(this=node.copy())
    twins = list(zip(_outside_queries(node), _outside_queries(copy.this), strict=True))
    for original, twin in twins:
        if isinstance(original, exp.Query):
            twin.replace(exp.to_identifier("query"))
        elif isinstance(original, exp.Column):
            twin.replace(exp.to_identifier(facts.column(original) if columns else "_"))
    return str(copy.this.sql())


def facts_of(facts: Facts, select: exp.Select) -> Parts:
    """The tables and joins of a SELECT, worked out once."""
    if id(select) not in facts.parts:
        facts.parts[id(select)] = _parts(facts, select)
    return facts.parts[id(select)]


def _parts(facts: Facts, select: exp.Select) -> Parts:
    resolution = facts.query.resolution
    scope = next(scope for scope in resolution.scopes if scope.node is select)
    names = (source.table.name if source.table else "(query)" for source in scope.sources)
    tables = Counter(name.casefold() for name in names)
    pairs: list[Pair] = []
    for join in resolution.joins:
        sides = (join.left, join.right)
        if join.left.source in scope.sources or join.right.source in scope.sources:
            texts = sorted(f"{_table(b.source.table, b.source.name)}.{b.name}".casefold() for b in sides)
            pairs.append(Pair(" = ".join(texts), tuple(text.partition(".")[0] for text in texts)))
    kinds = Counter(_kind(join) for join in select.args.get("joins") or [])
    return Parts(tables, pairs, kinds)


def _table(table: object, name: str) -> str:
    return str(getattr(table, "name", name))


def _kind(join: exp.Join) -> str:
    side = str(join.args.get("side") or join.args.get("kind") or "").upper()
    return side if side not in ("", "INNER") else ""


def atoms_of(facts: Facts, clause: exp.Expr | None) -> list[Atom]:
    """The conditions of WHERE or HAVING, those that join tables left out."""
    if clause is None:
        return []
    found = (_atom(facts, node, negated=negated) for node, negated in _leaves(clause.this))
    return [atom for atom in found if atom is not None]


def _leaves(node: exp.Expr, *, negated: bool = False) -> Iterator[tuple[exp.Expr, bool]]:
    if isinstance(node, exp.Paren):
        yield from _leaves(node.this, negated=negated)
    elif isinstance(node, exp.Not):
        yield from _leaves(node.this, negated=not negated)
    elif isinstance(node, exp.Connector):
        yield from _leaves(node.this, negated=negated)
        yield from _leaves(node.expression, negated=negated)
    else:
        yield node, negated


def _atom(facts: Facts, node: exp.Expr, *, negated: bool) -> Atom | None:
    subject = node.this if isinstance(node.this, exp.Expr) else node
    joins = isinstance(node, exp.EQ) and len(facts.columns(node)) == 2 and not _constant(facts, node)
    if joins and all(isinstance(side, exp.Column) for side in (node.this, node.expression)):
        return None
    values = [value for key, value in node.args.items() if key != "this" for value in _listed(value)]
    text = ", ".join(said(facts, value) for value in values)
    operator = ("NOT " if negated else "") + type(node).__name__
    queries = tuple(part for part in _outside_queries(node) if isinstance(part, exp.Query))
    tables = frozenset(column.partition(".")[0] for column in facts.columns(node))
    left = said(facts, subject) if isinstance(node, (*COMPARISONS, exp.Predicate)) else said(facts, node)
    return Atom(subject, left, operator, text, queries, tables)


def _constant(facts: Facts, node: exp.Expr) -> bool:
    return any(facts.query.constant(side) is not None for side in (node.this, node.expression))


def _listed(value: object) -> list[exp.Expr]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, exp.Expr)]


def connectives(clause: exp.Expr | None) -> Counter[str]:
    """How often AND and OR connect the conditions of a clause."""
    if clause is None:
        return Counter()
    inside = _outside_queries(clause)
    return Counter(type(node).__name__ for node in inside if isinstance(node, exp.Connector))


def nested_in(select: exp.Select, *clauses: str) -> list[exp.Expr]:
    """The derived tables and CTEs of some clauses, in order."""
    parts = [part for clause in clauses for part in _listed(select.args.get(clause))]
    return [node for part in parts for node in _outside_queries(part) if isinstance(node, exp.Query)]


def _outside_queries(root: exp.Expr) -> Iterator[exp.Expr]:
    """A node and what is below it; a subquery comes itself, and nothing of its inside."""
    return root.walk(prune=lambda node: isinstance(node, exp.Query))
