"""The single steps of name repair: each makes one unresolved name of a tree mean something."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from sqlglot import exp

from critiql.tools.schema.model import ForeignKey, Schema, Table
from critiql.tools.sql.names import SAME_WORDS, identifier, one_close, similarity
from critiql.tools.sql.scope import Resolution, Scope, Source, Unresolved

FixKind = Literal["requalify", "join", "respell"]
Way = tuple[Source, tuple[tuple[str, str], ...]]
"""A source, and the pairs of its columns and the new table's that a foreign key equates."""
JOINED = 87.0
"""Score of a join: below a name that is one letter off, above one that shares words."""
BRIDGED = 80.0
"""Score of a join that only leads to the table with the column; it is tried where nothing else is near."""


@dataclass(frozen=True, slots=True)
class Fix:
    """One possible step; `apply` edits the tree that was resolved."""

    kind: FixKind
    change: str
    """In words."""
    apply: Callable[[], object]
    score: float = 90.0
    """How safe the step is, 0 to 100."""


def fixes(found: Unresolved, resolution: Resolution, schema: Schema) -> list[Fix]:
    """Steps for one unresolved name, the safest first; empty when nothing is close or several things are."""
    node = found.node
    if found.kind == "table":
        return list(_tables(found, resolution, schema))
    if not isinstance(node, exp.Column):
        return list(_using(node, found))
    if found.kind == "ambiguous":
        return [] if node.table else list(_ambiguous(node, found, resolution))
    steps = [*_requalified(node, found, resolution), *_joined(node, found, resolution, schema)]
    if found.kind == "qualifier":
        steps.extend(_qualifiers(node, found, resolution))
    elif not found.candidates:
        steps.extend(_columns(node, found))
    steps = steps or list(_bridged(node, found, resolution, schema))
    steps.sort(key=lambda step: -step.score)
    return [step for step in steps if step.score >= SAME_WORDS] or steps


def _tables(found: Unresolved, resolution: Resolution, schema: Schema) -> Iterator[Fix]:
    """A misspelt table, or one with the database's name before it."""
    node, name = found.node, found.name
    known = schema.table(name)
    names = [table.name for table in schema.tables]
    names.extend(cte.alias for cte in resolution.tree.find_all(exp.CTE))
    meant = known.name if known else one_close({each: similarity(name, each) for each in names})
    if meant is not None:
        shown = f"{node.db}.{name}" if isinstance(node, exp.Table) and node.db else name
        change = f"table {shown} read as {meant}"
        yield Fix("respell", change, partial(_rename_table, node, meant, resolution))


def _using(node: exp.Expr, found: Unresolved) -> Iterator[Fix]:
    """A misspelt name in USING: one that two sources have."""
    counts = Counter(name for source in found.scope.sources for name in source.column_names)
    meant = one_close({name: similarity(found.name, name) for name, count in counts.items() if count > 1})
    if meant is not None:
        change = f"column {found.name} of USING read as {meant}"
        yield Fix("respell", change, partial(node.replace, identifier(meant)))


def _rename_table(node: exp.Expr, name: str, resolution: Resolution) -> None:
    source = resolution.sources.get(id(node))
    for column in resolution.tree.find_all(exp.Column):
        binding = resolution.binding(column)
        if binding and binding.source is source and column.table and not node.alias:
            _qualify(column, name)
    node.set("this", identifier(name))
    node.set("db", None)
    node.set("catalog", None)


def _ambiguous(node: exp.Column, found: Unresolved, resolution: Resolution) -> Iterator[Fix]:
    """A bare name that several sources have: the one used elsewhere, or any where they are equated."""
    name = found.name.casefold()
    used = {
        binding.source.name
        for column in resolution.tree.find_all(exp.Column)
        if column.table
        and column.name.casefold() == name
        and (binding := resolution.binding(column))
        and binding.source in found.candidates
        and not _is_join_condition(column)
    }
    ordered = sorted(found.candidates, key=lambda source: source.name not in used)
    equated = any(
        pair.left.name.casefold() == name == pair.right.name.casefold()
        and pair.left.source in found.candidates
        for pair in resolution.joins
    )
    for source in ordered[:1] if equated or len(used) == 1 else ordered[:2]:
        change = f"{found.name} read as {source.name}.{found.name}"
        yield Fix("requalify", change, partial(_qualify, node, source.name))


def _is_join_condition(column: exp.Column) -> bool:
    return isinstance(column.find_ancestor(exp.Join, exp.Select), exp.Join)


def _qualifiers(node: exp.Column, found: Unresolved, resolution: Resolution) -> Iterator[Fix]:
    """`singer.name` where singer has an alias, or a misspelt alias."""
    name, qualifier = node.name, node.table
    for around in found.scope.outwards():
        behind = [source for source in around.sources if qualifier.casefold() in _names(source)]
        if len(behind) > 1:
            behind = [source for source in behind if not _is_named(source, resolution)]
        if len(behind) == 1 and (
            behind[0].is_open or isinstance(node.this, exp.Star) or behind[0].find(name)
        ):
            change = f"{qualifier}.{name} read as {behind[0].name}.{name}"
            yield Fix("requalify", change, partial(_qualify, node, behind[0].name), 100.0)
            return
    sources = [source for around in found.scope.outwards() for source in around.sources if source.name]
    having = {source.name: similarity(qualifier, source.name) for source in sources if source.find(name)}
    meant = one_close(having)
    if meant is not None:
        change = f"{qualifier}.{name} read as {meant}.{name}"
        yield Fix("respell", change, partial(_qualify, node, meant), having[meant])


def _names(source: Source) -> set[str]:
    """What a slip may call a source: its own name, and that of its table."""
    table = source.node.name.casefold() if isinstance(source.node, exp.Table) else ""
    return {source.name.casefold(), table} - {""}


def _is_named(source: Source, resolution: Resolution) -> bool:
    columns = (column for column in resolution.tree.find_all(exp.Column) if column.table)
    return any((found := resolution.binding(column)) and found.source is source for column in columns)


def _requalified(node: exp.Column, found: Unresolved, resolution: Resolution) -> Iterator[Fix]:
    """A qualified column that exists on exactly one other source, the own FROM clause first.

    Several sources are as good as one where the query equates their columns. In `a.x = b.x` the side that
    resolves is no place for the other one.
    """
    missing = _is_missing_source(node, found)
    other = _opposite(node)
    for around in found.scope.outwards():
        have = [source for source in found.candidates if source in around.sources]
        have = [source for source in have if not (other and source.name.casefold() == other)]
        if node.table and have and _are_equated(have, node.name, resolution):
            change = f"{node.table}.{node.name} read as {have[0].name}.{node.name}"
            score = 85.0 if missing else SAME_WORDS
            yield Fix("requalify", change, partial(_qualify, node, have[0].name), score)
        if have:
            return


def _is_missing_source(node: exp.Column, found: Unresolved) -> bool:
    """Whether an undeclared qualifier is one of a numbered row, `T2` beside `T1`: its join was forgotten."""
    letters = node.table.rstrip("0123456789").casefold()
    row = [source.name.rstrip("0123456789").casefold() for source in found.scope.sources]
    return found.kind == "qualifier" and letters != node.table.casefold() and letters in row


def _are_equated(sources: Sequence[Source], name: str, resolution: Resolution) -> bool:
    """Whether the joins make one value of this column of all the sources; trivially so for one."""
    joined = [
        {id(pair.left.source), id(pair.right.source)}
        for pair in resolution.joins
        if pair.left.name.casefold() == name.casefold() == pair.right.name.casefold()
    ]
    reached = {id(sources[0])}
    for _ in joined:
        reached.update(*(pair for pair in joined if pair & reached))
    return all(id(source) in reached for source in sources)


def _opposite(node: exp.Column) -> str:
    """Qualifier of the same column on the other side of an equality, case-folded; else empty."""
    parent = node.parent
    if not isinstance(parent, exp.EQ):
        return ""
    other = parent.expression if parent.this is node else parent.this
    same = isinstance(other, exp.Column) and other.name.casefold() == node.name.casefold()
    return str(other.table).casefold() if same else ""


def _columns(node: exp.Column, found: Unresolved) -> Iterator[Fix]:
    """A misspelt column of the table it is qualified with, else of any table of the FROM clause."""
    name = node.name
    own = found.scope.source(node.table) if node.table else None
    for sources in ([own] if own else [], found.scope.sources):
        scored = {
            (source.name, column): similarity(name, column, source.table.name if source.table else "")
            for source in sources
            for column in source.column_names
            if column.casefold() != name.casefold()
        }
        best = one_close({f"{place[0]}\0{place[1]}": score for place, score in scored.items()})
        if best is not None:
            place, column = best.split("\0")
            change = f"column {node.sql()} read as {place}.{column}"
            yield Fix("respell", change, partial(_rename_column, node, place, column), scored[place, column])
            return


def _rename_column(node: exp.Column, source: str, name: str) -> None:
    if node.table:
        node.set("table", identifier(source))
    node.set("this", identifier(name))


def _qualify(node: exp.Column, source: str) -> None:
    node.set("table", identifier(source))
    node.set("db", None)
    node.set("catalog", None)


def _joined(node: exp.Column, found: Unresolved, resolution: Resolution, schema: Schema) -> Iterator[Fix]:
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


def _bridged(node: exp.Column, found: Unresolved, resolution: Resolution, schema: Schema) -> Iterator[Fix]:
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
    _qualify(node, alias)
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
            _qualify(column, binding.source.name)
    items: list[exp.Expr] = []
    for item in scope.node.expressions:
        stars = [exp.Column(this=exp.Star(), table=identifier(source.name)) for source in scope.sources]
        items.extend(stars if isinstance(item, exp.Star) else [item])
    scope.node.set("expressions", items)
