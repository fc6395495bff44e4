"""Steps of name repair that join a table: the one that has the column, or the one that leads to it."""

from collections.abc import Iterator, Sequence
from functools import partial

from sqlglot import exp

from critiql.tools.schema.model import ForeignKey, Schema, Table
from critiql.tools.sql.fix import Fix, qualify
from critiql.tools.sql.names import identifier
from critiql.tools.sql.scope import Resolution, Scope, Source, Unresolved

Way = tuple[Source, tuple[tuple[str, str], ...]]
"""A source, and the pairs of its columns and the new table's that a foreign key equates."""
JOINED = 87.0
"""Score of a join: below a name that is one letter off, above one that shares words."""
BRIDGED = 80.0
"""Score of a join that only leads to the table with the column; it is tried where nothing else is near."""


def joined(node: exp.Column, found: Unresolved, resolution: Resolution, schema: Schema) -> Iterator[Fix]:
    """A column one foreign key away, where exactly one way leads there."""
    named = schema.table(node.table) if node.table and found.kind == "qualifier" else None
    wanted = _wanted(node, resolution) if found.kind == "qualifier" else {node.name}
    present = [source.table for source in found.scope.sources]
    having = [
        table
        for table in ([named] if named else schema.tables)
        if table not in present and all(table.column(name) for name in wanted)
    ]
    reached = [(table, ways) for table in having if (ways := _ways(table, found.scope, schema))]
    if len(reached) != 1 or not _may_join(reached[0][0], found.scope, resolution):
        return
    table, ways = reached[0]
    ways = _one_way(ways, table, node, resolution)
    undeclared = node.table if found.kind == "qualifier" and not named else ""
    alias = _free_alias(undeclared or table.name, resolution)
    if ways:
        on = " and ".join(f"{source.name}.{mine} = {alias}.{theirs}" for source, mine, theirs in _terms(ways))
        shown = table.name if alias == table.name else f"{table.name} as {alias}"
        step = partial(_join, node, table, alias, ways, found.scope, resolution)
        yield Fix("join", f"joined {shown} on {on}, for {node.sql()}", step, JOINED)


def bridged(node: exp.Column, found: Unresolved, resolution: Resolution, schema: Schema) -> Iterator[Fix]:
    """A column two foreign keys away, where one table has it and one table leads there: that one is joined.

    A table's own key is not looked for so far away: what it tells stands nearer, by another name.
    """
    present = [source.table for source in found.scope.sources]
    having = [table for table in schema.tables if table not in present and table.column(node.name)]
    keys = {name.casefold() for table in having for name in table.primary_key}
    if found.kind == "qualifier" or len(having) != 1 or node.name.casefold() in keys:
        return
    between = [
        (table, ways)
        for table in schema.tables
        if table not in (*present, having[0])
        and len(list(_keys_between(table, having[0], schema))) == 1
        and (ways := _ways(table, found.scope, schema))
    ]
    if len(between) != 1 or len(between[0][1]) != 1 or not _may_join(between[0][0], found.scope, resolution):
        return
    table, ways = between[0]
    alias = _free_alias(table.name, resolution)
    change = f"joined {table.name}, which leads to {having[0].name}, for {node.sql()}"
    yield Fix("join", change, partial(_add_join, table, alias, ways, found.scope, resolution), BRIDGED)


def _ways(table: Table, scope: Scope, schema: Schema) -> list[Way]:
    """Each foreign key between a source of the scope and the table."""
    known = [(source, source.table) for source in scope.sources if source.table]
    return [(source, pairs) for source, inner in known for pairs in _keys_between(inner, table, schema)]


def _one_way(ways: list[Way], table: Table, node: exp.Column, resolution: Resolution) -> list[Way]:
    """The keys to join on: the only one, or all keys of a bridge table that refers to each source once.

    A key of a bridge that the query has already written down is left out. Where the table is no bridge, the
    key is that of the source which the column is qualified with, or any where the query equates them all.
    """
    if len(ways) <= 1:
        return ways
    own = {key.columns for key in table.foreign_keys}
    bridge = all(tuple(theirs for _, theirs in pairs) in own for _, pairs in ways)
    if not bridge or len({id(source) for source, _ in ways}) < len(ways):
        meant = [way for way in ways if way[0].name.casefold() == node.table.casefold()]
        return meant if len(meant) == 1 else ways[: _are_one(ways, resolution)]
    written = {
        frozenset((side.table.casefold(), side.name.casefold()) for side in (each.this, each.expression))
        for each in resolution.tree.find_all(exp.EQ)
        if isinstance(each.this, exp.Column) and isinstance(each.expression, exp.Column)
    }
    qualifier = node.table.casefold()
    left = [
        (source, pairs)
        for source, pairs in ways
        if not all(
            frozenset({(source.name.casefold(), mine.casefold()), (qualifier, theirs.casefold())}) in written
            for mine, theirs in pairs
        )
    ]
    return left or ways


def _are_one(ways: Sequence[Way], resolution: Resolution) -> bool:
    """Whether all keys lead to the same columns, from columns that the joins equate."""
    ends = {tuple(theirs.casefold() for _, theirs in pairs) for _, pairs in ways}
    if len(ends) != 1 or any(len(pairs) != 1 for _, pairs in ways):
        return False
    places = [(id(source), pairs[0][0].casefold()) for source, pairs in ways]
    reached = {places[0]}
    for _ in resolution.joins:
        for pair in resolution.joins:
            sides = {(id(side.source), side.name.casefold()) for side in (pair.left, pair.right)}
            reached |= sides if sides & reached else set()
    return all(place in reached for place in places)


def _terms(ways: Sequence[Way]) -> list[tuple[Source, str, str]]:
    return [(source, mine, theirs) for source, pairs in ways for mine, theirs in pairs]


def _wanted(node: exp.Column, resolution: Resolution) -> set[str]:
    """Every column the query takes from the same undeclared qualifier."""
    qualifier = node.table.casefold()
    nodes = [found.node for found in resolution.unresolved if found.kind == "qualifier"]
    return {
        each.name for each in nodes if isinstance(each, exp.Column) and each.table.casefold() == qualifier
    }


def _keys_between(table: Table, other: Table, schema: Schema) -> Iterator[tuple[tuple[str, str], ...]]:
    """Column pairs (of `table`, of `other`) of each foreign key between the two, both ways, once each."""
    seen: set[tuple[tuple[str, str], ...]] = set()
    for key in (*table.foreign_keys, *other.foreign_keys):
        target = schema.table(key.to_table)
        if target is None:
            continue
        ends = {key.table.casefold(), target.name.casefold()}
        if ends != {table.name.casefold(), other.name.casefold()}:
            continue
        pairs = _pairs(key, target)
        if key.table.casefold() != table.name.casefold():
            pairs = tuple((mine, theirs) for theirs, mine in pairs)
        if pairs and pairs not in seen:
            seen.add(pairs)
            yield pairs


def _pairs(key: ForeignKey, target: Table) -> tuple[tuple[str, str], ...]:
    """A key that names no target column means the primary key."""
    to_columns = key.to_columns if key.to_columns and all(key.to_columns) else target.primary_key
    return tuple(zip(key.columns, to_columns, strict=True)) if len(key.columns) == len(to_columns) else ()


def _free_alias(wanted: str, resolution: Resolution) -> str:
    taken = {source.name.casefold() for scope in resolution.scopes for source in scope.sources}
    names = (wanted, *(f"{wanted}_{number}" for number in range(2, 100)))
    return next(name for name in names if name.casefold() not in taken)


def _may_join(table: Table, scope: Scope, resolution: Resolution) -> bool:
    """False where another source would change what `*` or a used alias means."""
    used = {alias.alias.casefold() for alias in resolution.alias_uses.values()}
    merged = any(source.merged for source in scope.sources)
    return not (merged and scope.node.is_star) and not any(
        name in table.by_name for name in used & set(scope.aliases)
    )


def _join(
    node: exp.Column,
    table: Table,
    alias: str,
    ways: Sequence[Way],
    scope: Scope,
    resolution: Resolution,
) -> None:
    _add_join(table, alias, ways, scope, resolution)
    qualify(node, alias)
    column = table.column(node.name)
    node.set("this", identifier(column.name if column else node.name))


def _add_join(table: Table, alias: str, ways: Sequence[Way], scope: Scope, resolution: Resolution) -> None:
    _protect(table, scope, resolution)
    terms = [
        exp.EQ(
            this=exp.Column(this=identifier(mine), table=identifier(source.name)),
            expression=exp.Column(this=identifier(theirs), table=identifier(alias)),
        )
        for source, mine, theirs in _terms(ways)
    ]
    named = exp.TableAlias(this=identifier(alias)) if alias != table.name else None
    target = exp.Table(this=identifier(table.name), alias=named)
    scope.node.append("joins", exp.Join(this=target, on=exp.and_(*terms, copy=False)))


def _protect(table: Table, scope: Scope, resolution: Resolution) -> None:
    """Qualify the bare names that the new table would make ambiguous, and spell `*` out per table."""
    for column in resolution.tree.find_all(exp.Column):
        binding, owner = resolution.binding(column), resolution.scope(column)
        if binding and owner and not column.table and table.column(column.name) and scope in owner.outwards():
            qualify(column, binding.source.name)
    items: list[exp.Expr] = []
    for item in scope.node.expressions:
        stars = [exp.Column(this=exp.Star(), table=identifier(source.name)) for source in scope.sources]
        items.extend(stars if isinstance(item, exp.Star) else [item])
    scope.node.set("expressions", items)
