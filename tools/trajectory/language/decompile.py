"""Trajectory -> SQL: the inverse of the compiler."""

from collections.abc import Iterable, Mapping, Sequence

from sqlglot import exp

from critiql.tools.sql.canonical import canonical
from critiql.tools.trajectory.language.actions import (
    OPERATORS,
    Aggregate,
    Combine,
    Define,
    Distinct,
    Filter,
    Group,
    Having,
    Join,
    Node,
    Project,
    Qualify,
    Scan,
    Skip,
    Sort,
    Start,
    Step,
    Take,
    Trajectory,
    Values,
    Window,
)
from critiql.tools.trajectory.language.references import references

METHODS = {"natural", "asof", "positional"}
SIDES = {"left", "right", "full"}
KINDS = {"inner", "outer", "cross", "semi", "anti", "straight_join"}
COMMA = "comma"
"""The `how` of `FROM a, b`."""
LOOSE = (exp.Or, exp.Xor)
"""Connectors that bind more loosely than AND."""


def decompile(trajectory: Trajectory) -> Node:
    """The query a trajectory stands for, as a sqlglot tree.

    The trajectory must be well formed: as compiled, or accepted by `check.check_form`.
    """
    queries: dict[str, Node] = {}
    for frame in trajectory.frames:
        queries[frame.name] = frame_query(frame.steps, queries)
    return queries[trajectory.frames[-1].name]


def to_sql(trajectory: Trajectory) -> str:
    """The query a trajectory stands for, printed canonically."""
    return print_node(decompile(trajectory), trajectory.dialect)


def print_node(node: Node, dialect: str) -> str:
    """Canonical text of a tree: one line, comments dropped."""
    return canonical(node, dialect)


def frame_query(steps: Sequence[Step], queries: Mapping[str, Node]) -> Node:
    """The query of one frame; `queries` holds those of the frames it refers to."""
    if any(isinstance(step, Start) for step in steps):
        query = _combination(steps, queries)
    elif isinstance(steps[-1], Values):
        query = expand(steps[-1].rows, queries)
    else:
        query = _select(steps, queries)
    _set_modifiers(query, steps, queries)
    return query


def expand(node: Node, queries: Mapping[str, Node]) -> Node:
    """A copy of the tree with every frame's name replaced by the frame's query."""
    if type(node) is exp.Var and node.name in queries:
        return queries[node.name].copy()
    node = node.copy()
    for leaf in references(node, queries):
        leaf.replace(queries[leaf.name].copy())
    return node


def conjunction(conditions: Iterable[Node]) -> Node:
    """All conditions joined by AND; beside another one, an OR is put in parentheses."""
    parts = list(conditions)
    if len(parts) > 1:
        parts = [exp.Paren(this=part) if isinstance(part, LOOSE) else part for part in parts]
    joined = parts[0]
    for part in parts[1:]:
        joined = exp.And(this=joined, expression=part)
    return joined


def how_parts(how: str) -> dict[str, str]:
    """The words of a join's `how` as the parts of a sqlglot join; `ValueError` names a word that is none."""
    parts: dict[str, str] = {}
    for word in how.lower().split() if how != COMMA else ():
        for part, words in (("method", METHODS), ("side", SIDES), ("kind", KINDS)):
            if word in words:
                parts[part] = word.upper()
                break
        else:
            raise ValueError(word)
    return parts


def _select(steps: Sequence[Step], queries: Mapping[str, Node]) -> exp.Select:
    select = exp.Select()
    for step in steps:
        if isinstance(step, Scan):
            select.set("from_", exp.From(this=expand(step.source, queries)))
        elif isinstance(step, Join):
            select.append("joins", _join(step, queries))
        elif isinstance(step, Group):
            select.set("group", expand(step.clause, queries))
        elif isinstance(step, Window):
            select.append("windows", expand(step.definition, queries))
        elif isinstance(step, (Aggregate, Project)):
            select.set("expressions", _all(step.items, queries))
        elif isinstance(step, Distinct):
            on = exp.Tuple(expressions=_all(step.on, queries)) if step.on else None
            select.set("distinct", exp.Distinct(on=on) if on else exp.Distinct())
    _set_conditions(select, steps, queries)
    return select


def _set_conditions(select: exp.Select, steps: Sequence[Step], queries: Mapping[str, Node]) -> None:
    clauses: tuple[tuple[str, type[Node], type[Filter | Having | Qualify]], ...] = (
        ("where", exp.Where, Filter),
        ("having", exp.Having, Having),
        ("qualify", exp.Qualify, Qualify),
    )
    for key, clause, kind in clauses:
        conditions = [expand(step.condition, queries) for step in steps if isinstance(step, kind)]
        if conditions:
            select.set(key, clause(this=conjunction(conditions)))


def _join(step: Join, queries: Mapping[str, Node]) -> exp.Join:
    join = exp.Join(this=expand(step.source, queries), **how_parts(step.how))
    if step.on is not None:
        join.set("on", expand(step.on, queries))
    if step.using:
        join.set("using", _all(step.using, queries))
    return join


def _combination(steps: Sequence[Step], queries: Mapping[str, Node]) -> Node:
    query: Node | None = None
    for step in steps:
        if isinstance(step, Start):
            query = expand(step.frame, queries)
        elif isinstance(step, Combine):
            kind, distinct = OPERATORS[step.operator]
            query = kind(this=query, expression=expand(step.frame, queries), distinct=distinct)
    assert query is not None
    return query


def _set_modifiers(query: Node, steps: Sequence[Step], queries: Mapping[str, Node]) -> None:
    defines = [step for step in steps if isinstance(step, Define)]
    if defines:
        with_ = exp.With(expressions=[expand(step.definition, queries) for step in defines])
        if any(step.recursive for step in defines):
            with_.set("recursive", True)
        query.set("with_", with_)
    for step in steps:
        if isinstance(step, Sort):
            query.set("order", exp.Order(expressions=_all(step.keys, queries)))
        elif isinstance(step, Skip):
            query.set("offset", expand(step.count, queries))
        elif isinstance(step, Take):
            query.set("limit", expand(step.count, queries))


def _all(nodes: Iterable[Node], queries: Mapping[str, Node]) -> list[Node]:
    return [expand(node, queries) for node in nodes]
