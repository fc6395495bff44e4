"""The mistakes that perturbation draws from: steps too many, and steps that are not quite right."""

import random
from collections.abc import Callable, Iterator

from sqlglot import exp

from critiql.tools.schema.model import Schema, Table
from critiql.tools.trajectory.language.actions import (
    ORDER,
    Aggregate,
    Combine,
    Distinct,
    Filter,
    Frame,
    Group,
    Having,
    Join,
    Node,
    Project,
    Scan,
    Sort,
    Step,
    Take,
)
from critiql.tools.trajectory.language.compile import projection
from critiql.tools.trajectory.language.references import map_nodes, nodes_of
from critiql.tools.trajectory.language.scope import aliases

Substitutions = Iterator[tuple[Step, str]]

COMPARISONS: dict[type[Node], tuple[type[exp.Binary], ...]] = {
    exp.GT: (exp.LT, exp.GTE),
    exp.LT: (exp.GT, exp.LTE),
    exp.GTE: (exp.GT, exp.LTE),
    exp.LTE: (exp.LT, exp.GTE),
    exp.EQ: (exp.NEQ,),
    exp.NEQ: (exp.EQ,),
}
AGGREGATES: dict[type[Node], tuple[type[exp.AggFunc], ...]] = {
    exp.Max: (exp.Min, exp.Avg),
    exp.Min: (exp.Max,),
    exp.Sum: (exp.Avg, exp.Count),
    exp.Avg: (exp.Sum, exp.Max),
}
SET_OPERATORS = {
    "union": ("intersect", "union_all"),
    "union_all": ("union",),
    "intersect": ("union", "except"),
    "except": ("intersect",),
}


def redundant(frame: Frame, schema: Schema, draw: random.Random) -> Iterator[tuple[int, Step, str]]:
    """Steps that could be too much in a frame: where they would stand, the step, and its name."""
    kinds = {type(step) for step in frame.steps}
    if not kinds & {Project, Aggregate}:
        return
    if Distinct not in kinds and Project in kinds:
        yield _place(frame, Distinct), Distinct(), "distinct"
    if Take not in kinds:
        number = exp.Literal.number(draw.choice((1, 3, 5)))
        yield _place(frame, Take), Take(exp.Limit(expression=number)), "limit"
    for name, table in _tables(frame, schema):
        column = draw.choice(table.columns).name
        node = _column(column, name, frame)
        known = exp.Not(this=exp.Is(this=node, expression=exp.Null()))
        yield _place(frame, Filter), Filter(known), "where"
        if Group not in kinds and Aggregate in kinds:
            yield _place(frame, Group), Group(exp.Group(expressions=[node.copy()])), "groupby"
        if Sort not in kinds and Take in kinds:
            key = exp.Ordered(this=node.copy(), desc=draw.random() < 0.5)
            yield _place(frame, Sort), Sort((key,)), "orderby"


def substitutes(step: Step, frame: Frame, schema: Schema, draw: random.Random) -> Substitutions:
    """Steps that could wrongly stand in a step's place, each with what is wrong about it."""
    if isinstance(step, (Filter, Having)):
        yield from _swapped(step, COMPARISONS, "comparison", draw)
        yield from _connectors(step)
        yield from _literals(step, draw)
    if isinstance(step, (Aggregate, Having, Sort)):
        yield from _swapped(step, AGGREGATES, "aggregate", draw)
    if isinstance(step, (Project, Aggregate)):
        yield from _items(step, draw)
    if isinstance(step, Sort):
        yield _flipped(step), "direction"
    if isinstance(step, Take) and isinstance(step.count, exp.Limit):
        yield Take(exp.Limit(expression=exp.Literal.number(draw.choice((2, 4, 10))))), "limit"
    if isinstance(step, Join) and step.how in ("", "inner", "left"):
        yield Join(step.source, "" if step.how == "left" else "left", step.on, step.using), "kind of join"
    if isinstance(step, Combine):
        for operator in SET_OPERATORS.get(step.operator, ()):
            yield Combine(operator, step.frame), "set operation"
    if not isinstance(step, (Scan, Join, Combine)):
        yield from _columns(step, frame, schema, draw)


def _swapped(
    step: Step, choices: dict[type[Node], tuple[type, ...]], mistake: str, draw: random.Random
) -> Substitutions:
    """The step with one node of a listed type replaced by another type over the same operands."""

    def swap(node: Node) -> Node | None:
        options = choices.get(type(node))
        if not options or node.args.get("expressions"):
            return None
        other: Node = draw.choice(options)()
        for key, value in list(node.args.items()):
            other.set(key, value)
        return other

    yield from _each(step, swap, mistake)


def _connectors(step: Filter | Having) -> Substitutions:
    def swap(node: Node) -> Node | None:
        if not isinstance(node, (exp.And, exp.Or)):
            return None
        other = exp.Or if isinstance(node, exp.And) else exp.And
        return other(this=node.this, expression=node.expression)

    yield from _each(step, swap, "connector")


def _literals(step: Filter | Having, draw: random.Random) -> Substitutions:
    def change(node: Node) -> Node | None:
        if not isinstance(node, exp.Literal) or node.is_string or not node.name.isdigit():
            return None
        return exp.Literal.number(max(0, int(node.name) + draw.choice((-1, 1))))

    yield from _each(step, change, "number")


def _columns(step: Step, frame: Frame, schema: Schema, draw: random.Random) -> Substitutions:
    """Another column of the same table in place of one column."""
    tables = dict(_tables(frame, schema))

    def change(node: Node) -> Node | None:
        if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star):
            return None
        table = tables.get(node.table.casefold()) if node.table else _owner(node.name, tables)
        others = _alike(node.name, table) if table else []
        return _column(draw.choice(others), node.table, frame) if others else None

    yield from _each(step, change, "column")


def _items(step: Project | Aggregate, draw: random.Random) -> Substitutions:
    if len(step.items) > 1:
        index = draw.randrange(len(step.items))
        yield projection(step.items[:index] + step.items[index + 1 :]), "missing column"
        yield projection((*step.items[1:], step.items[0])), "order of columns"
    for index, item in enumerate(step.items):
        if isinstance(item, exp.Count):
            yield (
                projection((*step.items[:index], _distinct(item), *step.items[index + 1 :])),
                "count distinct",
            )


def _distinct(count: exp.Count) -> Node:
    inner = count.this
    if isinstance(inner, exp.Distinct):
        return exp.Count(this=inner.expressions[0].copy())
    if isinstance(inner, exp.Star):
        return count
    return exp.Count(this=exp.Distinct(expressions=[inner.copy()]))


def _flipped(step: Sort) -> Sort:
    first = step.keys[0].copy()
    if isinstance(first, exp.Ordered):
        first.set("desc", not first.args.get("desc"))
        first.set("nulls_first", not first.args.get("desc"))
    return Sort((first, *step.keys[1:]))


def _each(step: Step, change: Callable[[Node], Node | None], mistake: str) -> Substitutions:
    """For every node that `change` changes, the step with that one node changed."""
    count = sum(1 for root in nodes_of(step) for _ in root.walk())
    for target in range(count):
        done = False
        position = -1

        def rewrite(root: Node, target: int = target) -> Node:
            nonlocal done, position
            for node in list(root.walk()):
                position += 1
                if position != target:
                    continue
                other = change(node)
                if other is not None:
                    done = True
                    if node is root:
                        return other
                    node.replace(other)
            return root

        changed = map_nodes(step, rewrite)
        if done:
            yield changed, mistake


def _place(frame: Frame, kind: type[Step]) -> int:
    """Where a step of a kind may be put: before the first step that must come later."""
    rank = ORDER.index(kind)
    later = (
        i for i, step in enumerate(frame.steps) if type(step) in ORDER and ORDER.index(type(step)) > rank
    )
    return next(later, len(frame.steps))


def _tables(frame: Frame, schema: Schema) -> Iterator[tuple[str, Table]]:
    """The frame's schema tables by the name its columns are qualified with."""
    for name, source in aliases(frame).items():
        table = schema.table(source.name) if isinstance(source, exp.Table) else None
        if table is not None and table.columns:
            yield name, table


def _alike(name: str, table: Table) -> list[str]:
    """The table's other columns of the same declared type, or all others where there is none."""
    known = table.column(name)
    others = [column for column in table.columns if column is not known]
    same = [column for column in others if known and column.type.casefold() == known.type.casefold()]
    return [column.name for column in same or others]


def _owner(column: str, tables: dict[str, Table]) -> Table | None:
    owners = [table for table in tables.values() if table.column(column)]
    return owners[0] if len(owners) == 1 else None


def _column(name: str, qualifier: str, frame: Frame) -> exp.Column:
    """A column, qualified where the frame has several sources."""
    several = len(aliases(frame)) > 1
    source = aliases(frame).get(qualifier.casefold())
    shown = source.alias_or_name if source is not None else qualifier
    return exp.column(exp.to_identifier(name), table=exp.to_identifier(shown) if several and shown else None)
