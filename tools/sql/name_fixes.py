"""The single steps of name repair: each makes one unresolved name of a tree mean something."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

from sqlglot import exp

from critiql.tools.schema.model import ForeignKey, Schema, Table
from critiql.tools.sql.names import SAME_WORDS, identifier, one_close, similarity
from critiql.tools.sql.scope import Resolution, Scope, Source, Unresolved

FixKind = Literal["requalify", "join", "respell"]


@dataclass(frozen=True, slots=True)
class Fix:
    """One possible step; `apply` edits the tree that was resolved."""

    kind: FixKind
    change: str
    """In words."""
    apply: Callable[[], object]
    sure: bool = False
    """True where the name differs only in case, plural, underscores or the table's own name."""


def fixes(found: Unresolved, resolution: Resolution, schema: Schema) -> list[Fix]:
    """Steps for one unresolved name, the safest first; empty when nothing is close or several things are."""
    node = found.node
    if found.kind == "table":
        return list(_tables(found, resolution, schema))
    if not isinstance(node, exp.Column):
        return list(_using(node, found))
    if found.kind == "ambiguous":
        return list(_ambiguous(node, found, resolution))
    steps = [*_requalified(node, found), *_joined(node, found, resolution, schema)]
    if found.kind == "qualifier":
        return [*_qualifiers(node, found), *steps]
    steps.extend(_columns(node, found))
    return [step for step in steps if step.sure] or steps


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


def _qualifiers(node: exp.Column, found: Unresolved) -> Iterator[Fix]:
    """`singer.name` where singer has an alias, or a misspelt alias."""
    name, qualifier = node.name, node.table
    sources = [source for around in found.scope.outwards() for source in around.sources if source.name]
    folded = qualifier.casefold()
    behind = [source for source in sources if folded in (_table_name(source), source.name.casefold())]
    if len(behind) == 1 and (behind[0].is_open or isinstance(node.this, exp.Star) or behind[0].find(name)):
        change = f"{qualifier}.{name} read as {behind[0].name}.{name}"
        yield Fix("requalify", change, partial(_qualify, node, behind[0].name))
        return
    having = [source for source in sources if source.find(name)]
    meant = one_close({source.name: similarity(qualifier, source.name) for source in having})
    if meant is not None:
        yield Fix("respell", f"{qualifier}.{name} read as {meant}.{name}", partial(_qualify, node, meant))


def _table_name(source: Source) -> str:
    return source.node.name.casefold() if isinstance(source.node, exp.Table) else ""


def _requalified(node: exp.Column, found: Unresolved) -> Iterator[Fix]:
    """A qualified column that exists on exactly one other source, the own FROM clause first.

    In `a.x = b.x` the side that resolves is no place for the other one.
    """
    other = _opposite(node)
    for around in found.scope.outwards():
        have = [source for source in found.candidates if source in around.sources]
        have = [source for source in have if not (other and source.name.casefold() == other)]
        if len(have) == 1 and node.table:
            change = f"{node.table}.{node.name} read as {have[0].name}.{node.name}"
            yield Fix("requalify", change, partial(_qualify, node, have[0].name), sure=True)
        if have:
            return


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
            sure = scored[place, column] >= SAME_WORDS
            yield Fix("respell", change, partial(_rename_column, node, place, column), sure)
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
    """A column one foreign key away, where exactly one key leads there."""
    named = schema.table(node.table) if node.table and found.kind == "qualifier" else None
    wanted = _wanted(node, resolution) if found.kind == "qualifier" else {node.name}
    present = [source.table for source in found.scope.sources]
    paths = [
        (source, table, pairs)
        for table in ([named] if named else schema.tables)
        if all(table.column(name) for name in wanted) and table not in present
        for source in found.scope.sources
        if source.table
        for pairs in _keys_between(source.table, table, schema)
    ]
    if len(paths) != 1 or not isinstance(found.scope.node, exp.Select):
        return
    source, table, pairs = paths[0]
    undeclared = node.table if found.kind == "qualifier" and not named else ""
    alias = _free_alias(undeclared or table.name, resolution)
    if not _may_join(table, found.scope, resolution):
        return
    on = " and ".join(f"{source.name}.{mine} = {alias}.{theirs}" for mine, theirs in pairs)
    shown = table.name if alias == table.name else f"{table.name} as {alias}"
    yield Fix(
        "join",
        f"joined {shown} on {on}, for {node.sql()}",
        partial(_join, node, source, table, alias, pairs, found.scope, resolution),
    )


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
    source: Source,
    table: Table,
    alias: str,
    pairs: tuple[tuple[str, str], ...],
    scope: Scope,
    resolution: Resolution,
) -> None:
    _protect(table, scope, resolution)
    terms = [
        exp.EQ(
            this=exp.Column(this=identifier(mine), table=identifier(source.name)),
            expression=exp.Column(this=identifier(theirs), table=identifier(alias)),
        )
        for mine, theirs in pairs
    ]
    named = exp.TableAlias(this=identifier(alias)) if alias != table.name else None
    target = exp.Table(this=identifier(table.name), alias=named)
    scope.node.append("joins", exp.Join(this=target, on=exp.and_(*terms, copy=False)))
    _qualify(node, alias)
    column = table.column(node.name)
    node.set("this", identifier(column.name if column else node.name))


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
