"""Resolve every name of a query against a schema, by SQLite's rules (its src/resolve.c).

One walk over the tree without copying it. The order of look-up for a bare name is SQLite's: columns of the
FROM clause, rowid, select aliases (outside the select list), then the enclosing query; a double-quoted name
that is none of these is text.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from critiql.tools.schema.model import Column, Schema, Table
from critiql.tools.sql.canonical import canonical
from critiql.tools.sql.scope import Binding, JoinPair, Resolution, Scope, Source, Unresolved, UnresolvedKind

_ROWID = {"rowid", "oid", "_rowid_"}
_MASTER = tuple(Column(name, "TEXT") for name in ("type", "name", "tbl_name", "rootpage", "sql"))
_SYSTEM = {
    name: Table(name, _MASTER)
    for name in ("sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema")
}

_OWN_NAMES = {"group", "order", "limit", "offset"}
"""Clauses that in SQLite see no name of the queries around theirs."""

Outputs = dict[str, Binding | None] | None
"""Columns of a query by case-folded name, in order; None when they cannot be known."""
Found = Binding | exp.Alias | Unresolved | None
"""What a name stands for; None is text in double quotes."""


def resolve(tree: exp.Query, schema: Schema) -> Resolution:
    """What every table and column of the query stands for, what is unresolved, and what is joined on what."""
    walk = _Walk(schema)
    walk.query(tree, None, {})
    return Resolution(
        tree=tree,
        scopes=tuple(walk.scopes),
        bindings=walk.bindings,
        alias_uses=walk.alias_uses,
        owners=walk.owners,
        sources=walk.sources,
        strings=tuple(walk.strings),
        unresolved=tuple(walk.unresolved),
        joins=tuple(walk.joins),
    )


@dataclass
class _Walk:
    """The state of one resolution."""

    schema: Schema
    scopes: list[Scope] = field(default_factory=list)
    bindings: dict[int, Binding] = field(default_factory=dict)
    alias_uses: dict[int, exp.Alias] = field(default_factory=dict)
    owners: dict[int, Scope] = field(default_factory=dict)
    sources: dict[int, Source] = field(default_factory=dict)
    strings: list[exp.Column] = field(default_factory=list)
    unresolved: list[Unresolved] = field(default_factory=list)
    joins: list[JoinPair] = field(default_factory=list)

    def query(self, node: exp.Expr, outer: Scope | None, ctes: dict[str, Outputs]) -> Outputs:
        """Resolve a query and everything in it; gives its output columns."""
        if node.args.get("with_"):
            ctes = dict(ctes)
            for cte in node.args["with_"].expressions:
                self._cte(cte, outer, ctes)
        if isinstance(node, exp.Select):
            return self._select(node, outer, ctes)
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, outer, ctes)
        if isinstance(node, exp.Subquery):
            return self._wrapped(node, outer, ctes)
        return None

    def _wrapped(self, node: exp.Subquery, outer: Scope | None, ctes: dict[str, Outputs]) -> Outputs:
        before = len(self.scopes)
        outputs = self.query(node.this, outer, ctes)
        self._outer_order(node, outputs, self.scopes[before:])
        return outputs

    def _cte(self, cte: exp.CTE, outer: Scope | None, ctes: dict[str, Outputs]) -> None:
        """Register a CTE; its name is visible in its own body, with or without the word RECURSIVE."""
        name, body = cte.alias.casefold(), cte.this
        named = [column.name for column in cte.args["alias"].args.get("columns") or ()]
        if isinstance(body, exp.SetOperation):
            ctes[name] = dict.fromkeys(column.casefold() for column in named) if named else None
        outputs = self.query(body, outer, ctes)
        if named:
            values = list((outputs or {}).values()) + [None] * len(named)
            outputs = {column.casefold(): value for column, value in zip(named, values, strict=False)}
        ctes[name] = outputs

    def _set_operation(
        self, node: exp.SetOperation, outer: Scope | None, ctes: dict[str, Outputs]
    ) -> Outputs:
        arms: list[exp.Expr] = []
        left: exp.Expr = node
        while isinstance(left, exp.SetOperation) and (left is node or not left.args.get("with_")):
            arms.append(left.expression)
            left = left.this
        before = len(self.scopes)
        top: list[Scope] = []
        outputs: Outputs = None
        for position, arm in enumerate([left, *reversed(arms)]):
            start = len(self.scopes)
            got = self.query(arm, outer, ctes)
            outputs = got if position == 0 else outputs
            top.extend(scope for scope in self.scopes[start:] if scope.node is arm.unnest())
        self._outer_order(node, outputs, top or self.scopes[before:])
        return outputs

    def _outer_order(self, node: exp.Expr, outputs: Outputs, arms: list[Scope]) -> None:
        """ORDER BY, LIMIT and OFFSET of a set operation: names come from any arm, the first one first."""
        for part in ("order", "limit", "offset"):
            clause = node.args.get(part)
            for column in clause.find_all(exp.Column) if clause and arms else ():
                found: Found = self._in_outputs(column, outputs)
                for scope in arms if found is None else ():
                    scope.aliases_visible = True
                    found = self._lookup(column, scope)
                    if isinstance(found, Binding | exp.Alias):
                        break
                self._record(column, found, arms[0])

    @staticmethod
    def _in_outputs(column: exp.Column, outputs: Outputs) -> Binding | None:
        if column.table or not outputs:
            return None
        return outputs.get(column.name.casefold())

    def _select(self, node: exp.Select, outer: Scope | None, ctes: dict[str, Outputs]) -> Outputs:
        scope = Scope(node, outer)
        self.scopes.append(scope)
        joins = list(self._from(node, scope, ctes))
        for item in node.expressions:
            if isinstance(item, exp.Alias):
                scope.aliases.setdefault(item.alias.casefold(), item)
        for item in node.expressions:
            self._walk(item, scope, ctes)
        outputs = self._outputs(node, scope)
        scope.aliases_visible = True
        for join in joins:
            self._walk(join.args.get("on"), scope, ctes)
        for key, clause in node.args.items():
            if key in _OWN_NAMES and clause and self.schema.dialect == "sqlite":
                scope.parent = None
            if key == "order" and clause:
                self._order(clause, scope, ctes)
            elif key not in ("expressions", "from_", "joins", "with_") and clause:
                self._walk(clause, scope, ctes)
            scope.parent = outer
        for join in joins:
            self._pairs(join.args.get("on"), join)
        where = node.args.get("where")
        self._pairs(where.this if where else None, None)
        return outputs

    def _order(self, order: exp.Expr, scope: Scope, ctes: dict[str, Outputs]) -> None:
        """A bare name in ORDER BY is a select alias before it is a column."""
        for term in order.expressions:
            bare = term.this if isinstance(term, exp.Ordered) else term
            alias = (
                scope.aliases.get(bare.name.casefold())
                if isinstance(bare, exp.Column) and not bare.table
                else None
            )
            if alias is not None:
                self._record(bare, alias, scope)
            else:
                self._walk(term, scope, ctes)

    def _from(self, node: exp.Select, scope: Scope, ctes: dict[str, Outputs]) -> Iterator[exp.Join]:
        clause = node.args.get("from_")
        if clause is not None:
            yield from self._source(clause.this, scope, ctes)
        yield from self._joins(node, scope, ctes)

    def _joins(self, node: exp.Expr, scope: Scope, ctes: dict[str, Outputs]) -> Iterator[exp.Join]:
        for join in node.args.get("joins") or ():
            left = list(scope.sources)
            yield from self._source(join.this, scope, ctes)
            self._merge(join, left, scope)
            yield join

    def _source(self, node: exp.Expr, scope: Scope, ctes: dict[str, Outputs]) -> Iterator[exp.Join]:
        """Add what one entry of FROM brings; gives the joins inside its brackets."""
        inner = node.this if isinstance(node, exp.Subquery) else None
        if isinstance(inner, exp.Table):
            yield from self._source(inner, scope, ctes)
        elif isinstance(node, exp.Table):
            self._add(node, self._table(node, scope, ctes), scope)
        elif isinstance(node, exp.Subquery):
            outputs = self.query(node, scope.parent, ctes)
            self._add(node, Source(node.alias, node, outputs=outputs), scope)
        else:
            self._add(node, Source(node.alias_or_name, node), scope)
            self._walk(node, scope, ctes)
        if not isinstance(node, exp.Subquery) or isinstance(inner, exp.Table):
            yield from self._joins(node, scope, ctes)

    def _add(self, node: exp.Expr, source: Source, scope: Scope) -> None:
        scope.sources.append(source)
        self.sources[id(node)] = source
        self.owners[id(node)] = scope

    def _table(self, node: exp.Table, scope: Scope, ctes: dict[str, Outputs]) -> Source:
        name, shown = node.name, node.alias_or_name
        if not isinstance(node.this, exp.Identifier):
            for argument in node.this.args.values():
                self._walk(argument, scope, ctes)
            return Source(shown, node)
        if name.casefold() in ctes and not node.db:
            return Source(shown, node, outputs=ctes[name.casefold()])
        foreign = self.schema.dialect == "sqlite" and node.db.casefold() not in ("", "main", "temp")
        table = None if foreign else self.schema.table(name) or _SYSTEM.get(name.casefold())
        if table is None:
            self.unresolved.append(Unresolved("table", node, name, scope))
        return Source(shown, node, table)

    def _merge(self, join: exp.Join, left: list[Source], scope: Scope) -> None:
        """Columns that USING or NATURAL joins: one column of the result, and a pair that is equated."""
        right = scope.sources[-1]
        using = [name for name in join.args.get("using") or () if isinstance(name, exp.Identifier)]
        names: list[tuple[str, exp.Identifier | None]] = [(name.name, name) for name in using]
        if join.method == "NATURAL":
            names = [(name, None) for name in right.column_names if any(s.find(name) for s in left)]
        for name, node in names:
            right.merged.add(name.casefold())
            mine = right.find(name)
            theirs = next((found for source in left if (found := source.find(name))), None)
            if mine and theirs:
                self.joins.append(JoinPair(theirs, mine, join, join))
            elif node is not None and not right.is_open and not any(source.is_open for source in left):
                self.unresolved.append(Unresolved("column", node, name, scope))

    def _outputs(self, node: exp.Select, scope: Scope) -> Outputs:
        outputs: dict[str, Binding | None] = {}
        for item in node.expressions:
            if isinstance(item, exp.Star) or (
                isinstance(item, exp.Column) and isinstance(item.this, exp.Star)
            ):
                qualifier = item.table if isinstance(item, exp.Column) else ""
                for source in scope.sources:
                    if qualifier and source.name.casefold() != qualifier.casefold():
                        continue
                    if source.is_open:
                        return None
                    for name in source.column_names:
                        outputs.setdefault(name.casefold(), source.find(name))
            else:
                inner = item.this if isinstance(item, exp.Alias) else item
                outputs.setdefault(_output_name(item).casefold(), self.bindings.get(id(inner)))
        return outputs

    def _walk(self, part: object, scope: Scope, ctes: dict[str, Outputs]) -> None:
        """Resolve the columns under a clause, in their order; queries inside open their own scope."""
        stack: list[object] = [part]
        while stack:
            node = stack.pop()
            if isinstance(node, list):
                stack.extend(reversed(node))
            elif isinstance(node, exp.Column):
                self._record(node, self._lookup(node, scope), scope)
            elif isinstance(node, exp.Query):
                self.query(node, scope, ctes)
            elif isinstance(node, exp.In) and isinstance(node.args.get("field"), exp.Column):
                self._in_table(node.args["field"], scope, ctes)
                stack.append(node.this)
            elif isinstance(node, exp.Expr) and not isinstance(node, exp.Identifier | exp.Literal):
                stack.extend(reversed(node.args.values()))

    def _in_table(self, node: exp.Column, scope: Scope, ctes: dict[str, Outputs]) -> None:
        """`a IN t` names a table."""
        self.owners[id(node)] = scope
        if node.name.casefold() not in ctes and self.schema.table(node.name) is None:
            self.unresolved.append(Unresolved("table", node, node.name, scope))

    def _record(self, node: exp.Column, found: Found, scope: Scope) -> None:
        self.owners[id(node)] = scope
        if found is None:
            if not isinstance(node.this, exp.Star):
                self.strings.append(node)
        elif isinstance(found, Binding):
            self.bindings[id(node)] = found
        elif isinstance(found, exp.Alias):
            self.alias_uses[id(node)] = found
        else:
            self.unresolved.append(found)

    def _lookup(self, node: exp.Column, scope: Scope) -> Found:
        if node.table:
            return self._qualified(node, scope)
        name = node.name
        for level, around in enumerate(scope.outwards()):
            found = self._bare(node, name, around, level)
            if found is not None:
                return found
        identifier = node.this
        if (
            self.schema.dialect == "sqlite"
            and identifier.args.get("quoted")
            and not identifier.meta.get("quote")
        ):
            return None
        return Unresolved("column", node, name, scope)

    @staticmethod
    def _bare(node: exp.Column, name: str, scope: Scope, level: int) -> Found:
        if matches := [found for source in scope.sources if (found := source.find(name))]:
            return _one_of(matches, node, scope, level)
        if name.casefold() in _ROWID and len(scope.sources) == 1 and scope.sources[0].table:
            return Binding(scope.sources[0], name, scope.sources[0].table, None, level)
        if scope.aliases_visible and name.casefold() in scope.aliases:
            return scope.aliases[name.casefold()]
        opened = next((source for source in scope.sources if source.is_open), None)
        return Binding(opened, name, level=level) if opened else None

    @staticmethod
    def _qualified(node: exp.Column, scope: Scope) -> Found:
        qualifier, name, seen = node.table, node.name, False
        if node.db.casefold() not in ("", "main", "temp"):
            return Unresolved("qualifier", node, f"{node.db}.{qualifier}", scope)
        for level, around in enumerate(scope.outwards()):
            called = around.called(qualifier)
            if not called:
                continue
            seen = True
            if isinstance(node.this, exp.Star):
                return None
            if matches := [found for source in called if (found := source.find(name))]:
                return _one_of(matches, node, scope, level)
            if called[0].is_open or (name.casefold() in _ROWID and called[0].table and len(called) == 1):
                return Binding(called[0], name, called[0].table, None, level)
        sources = [source for around in scope.outwards() for source in around.sources]
        have = tuple(source for source in sources if source.find(name))
        kind: UnresolvedKind = "column" if seen else "qualifier"
        return Unresolved(kind, node, name if seen else qualifier, scope, have)

    def _pairs(self, condition: exp.Expr | None, join: exp.Join | None) -> None:
        """Equalities between columns of two sources of one scope, among the AND-ed terms."""
        stack = [condition] if condition is not None else []
        while stack:
            term = stack.pop().unnest()
            if isinstance(term, exp.And):
                stack.extend((term.expression, term.this))
            elif isinstance(term, exp.EQ):
                left = self.bindings.get(id(term.this.unnest()))
                right = self.bindings.get(id(term.expression.unnest()))
                if left and right and left.source is not right.source and left.level == right.level == 0:
                    self.joins.append(JoinPair(left, right, term, join))


def _one_of(matches: list[Binding], node: exp.Column, scope: Scope, level: int) -> Found:
    """The column a name stands for: the one that has it, or the first where USING merges the others."""
    own = [match for match in matches if node.name.casefold() not in match.source.merged]
    if len(own) <= 1:
        return _at(matches[0], level)
    return Unresolved("ambiguous", node, node.name, scope, tuple(match.source for match in matches))


def _at(found: Binding, level: int) -> Binding:
    if level == 0:
        return found
    return Binding(found.source, found.name, found.table, found.column, level)


def _output_name(item: exp.Expr) -> str:
    """What SQLite calls a column of the result: its alias, its name, else its text."""
    if isinstance(item, exp.Alias):
        return item.alias
    return item.name if isinstance(item, exp.Column) else canonical(item)
