"""What the resolver finds out about a query: sources, scopes, and what every name in it stands for."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from sqlglot import exp

from critiql.tools.schema.model import Column, Table


@dataclass(frozen=True, slots=True, eq=False)
class Binding:
    """What a column of the query stands for."""

    source: "Source"
    name: str
    """As the schema or the inner query spells it."""
    table: Table | None = None
    """The schema table it comes from, traced through derived tables and CTEs; None for a computed value."""
    column: Column | None = None
    """The schema column it comes from; None for a computed value and for rowid."""
    level: int = 0
    """Queries outwards from the one that uses it: 0 is its own FROM clause, more is a correlated name."""


@dataclass(slots=True, eq=False)
class Source:
    """One entry of a FROM clause."""

    name: str
    """What the query calls it: its alias, else the table's name as written."""
    node: exp.Expr
    """exp.Table or exp.Subquery."""
    table: Table | None = None
    """The schema table; None for a derived table, a CTE, a table function or an unknown table."""
    outputs: "dict[str, Binding | None] | None" = None
    """Columns of a derived table or CTE by case-folded name; None where they are not known."""
    merged: set[str] = field(default_factory=set)
    """Case-folded names that USING or NATURAL merges into the same column of a source to its left."""

    @property
    def is_open(self) -> bool:
        """True when any column name may be meant: an unknown table or a table function."""
        return self.table is None and self.outputs is None

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of its columns, as far as they are known."""
        if self.table is not None:
            return tuple(column.name for column in self.table.columns)
        return tuple(self.outputs or ())

    def find(self, name: str) -> Binding | None:
        """The column of that name, ignoring case."""
        if self.table is not None:
            column = self.table.by_name.get(name.casefold())
            return Binding(self, column.name, self.table, column) if column else None
        if self.outputs is not None and name.casefold() in self.outputs:
            inner = self.outputs[name.casefold()]
            origin = (inner.table, inner.column) if inner else (None, None)
            return Binding(self, name, *origin)
        return None


@dataclass(slots=True, eq=False)
class Scope:
    """One SELECT: its sources, in order, and the scope its correlated names may come from."""

    node: exp.Select
    parent: "Scope | None" = None
    sources: list[Source] = field(default_factory=list)
    aliases: dict[str, exp.Alias] = field(default_factory=dict)
    """Select aliases by case-folded name."""
    aliases_visible: bool = False
    """Whether the clause being read may name select aliases: all but the select list may."""

    def called(self, name: str) -> list[Source]:
        """The sources of that name in this scope alone, ignoring case; of several none is meant."""
        folded = name.casefold()
        return [source for source in self.sources if source.name.casefold() == folded]

    def source(self, name: str) -> Source | None:
        """The first source of that name in this scope alone."""
        return next(iter(self.called(name)), None)

    def outwards(self) -> Iterator["Scope"]:
        """This scope, then the ones around it."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent


UnresolvedKind = Literal["table", "qualifier", "column", "ambiguous"]


@dataclass(frozen=True, slots=True, eq=False)
class Unresolved:
    """A name that stands for nothing, or for several things."""

    kind: UnresolvedKind
    """`table`: no such table. `qualifier`: `x` in `x.a` is no source in scope. `column`: no such column.
    `ambiguous`: several sources have it."""
    node: exp.Table | exp.Column | exp.Identifier
    name: str
    """The table, the qualifier, or the column, as the query spells it."""
    scope: Scope
    candidates: tuple[Source, ...] = ()
    """The sources in scope, inner ones first, that have a column of that name."""


@dataclass(frozen=True, slots=True, eq=False)
class JoinPair:
    """Two columns of different sources of one scope that a condition equates."""

    left: Binding
    right: Binding
    node: exp.Expr
    """The comparison, or the join itself for USING and NATURAL."""
    join: exp.Join | None
    """The join whose ON, USING or NATURAL says so; None for a condition in WHERE."""


@dataclass(frozen=True, slots=True, eq=False)
class Resolution:
    """Every name of one query resolved. Keyed by node identity, so it belongs to one tree."""

    tree: exp.Query
    scopes: tuple[Scope, ...]
    """Outer before inner where one encloses the other; CTEs before the query that reads them."""
    bindings: dict[int, Binding]
    """By id() of the exp.Column."""
    alias_uses: dict[int, exp.Alias]
    """Columns that name a select alias, by id() of the exp.Column."""
    owners: dict[int, Scope]
    """The scope an exp.Column or exp.Table belongs to, by its id()."""
    sources: dict[int, Source]
    """By id() of the exp.Table or exp.Subquery in a FROM clause."""
    strings: tuple[exp.Column, ...]
    """Double-quoted names that are text in SQLite, since no column in scope is so called."""
    unresolved: tuple[Unresolved, ...]
    joins: tuple[JoinPair, ...]

    @property
    def complete(self) -> bool:
        """True when every name is resolved."""
        return not self.unresolved

    def binding(self, node: exp.Expr) -> Binding | None:
        """What a column node stands for; None for an alias, a string and an unresolved name."""
        return self.bindings.get(id(node))

    def scope(self, node: exp.Expr) -> Scope | None:
        """The SELECT a column or table node belongs to."""
        return self.owners.get(id(node))

    def is_string(self, node: exp.Expr) -> bool:
        """True for a double-quoted name that is text."""
        return any(node is string for string in self.strings)
