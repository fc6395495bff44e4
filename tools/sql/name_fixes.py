"""The single steps of name repair: each makes one unresolved name of a tree mean something."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

from sqlglot import exp

from critiql.tools.schema.model import Schema
from critiql.tools.sql.fix import Fix, qualify
from critiql.tools.sql.join_fixes import bridged, joined
from critiql.tools.sql.names import SAME_WORDS, identifier, one_close, similarity
from critiql.tools.sql.scope import Resolution, Source, Unresolved


def fixes(found: Unresolved, resolution: Resolution, schema: Schema) -> list[Fix]:
    """Steps for one unresolved name, the safest first; empty when nothing is close or several things are."""
    node = found.node
    if found.kind == "table":
        return list(_tables(found, resolution, schema))
    if not isinstance(node, exp.Column):
        return list(_using(node, found))
    if found.kind == "ambiguous":
        return [] if node.table else list(_ambiguous(node, found, resolution))
    steps = [*_requalified(node, found, resolution), *joined(node, found, resolution, schema)]
    if found.kind == "qualifier":
        steps.extend(_qualifiers(node, found, resolution))
    elif not found.candidates:
        steps.extend(_columns(node, found))
    steps = steps or list(bridged(node, found, resolution, schema))
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
            qualify(column, name)
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
        yield Fix("requalify", change, partial(qualify, node, source.name))


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
            yield Fix("requalify", change, partial(qualify, node, behind[0].name), 100.0)
            return
    sources = [source for around in found.scope.outwards() for source in around.sources if source.name]
    having = {source.name: similarity(qualifier, source.name) for source in sources if source.find(name)}
    meant = one_close(having)
    if meant is not None:
        change = f"{qualifier}.{name} read as {meant}.{name}"
        yield Fix("respell", change, partial(qualify, node, meant), having[meant])


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
            yield Fix("requalify", change, partial(qualify, node, have[0].name), score)
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
