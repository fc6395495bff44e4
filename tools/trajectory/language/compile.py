"""SQL -> trajectory: deterministic and loss-free, for every query the action language has words for.

Each SELECT and each chain of set operations becomes a frame; one step per clause, one per top-level AND
conjunct. Nested queries become frames of their own, before the frame that uses them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from sqlglot import exp

from critiql.tools.trajectory.language.actions import (
    OPERATORS,
    RESULT,
    Aggregate,
    Combine,
    Define,
    Distinct,
    Filter,
    Frame,
    Group,
    Having,
    Join,
    Node,
    Problem,
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
from critiql.tools.trajectory.language.decompile import COMMA
from critiql.tools.trajectory.language.references import QUERY, detach, reference

OPERATOR_NAMES = {spelling: name for name, spelling in OPERATORS.items()}
MODIFIERS = {"with_", "order", "limit", "offset"}
SELECT_CLAUSES = MODIFIERS | {
    "expressions", "distinct", "from_", "joins", "where", "group", "having", "qualify", "windows",
}  # fmt: skip
JOIN_PARTS = {"this", "method", "side", "kind", "on", "using"}
SET_PARTS = {"this", "expression", "distinct"}

N = TypeVar("N", bound=Node)


class _NoActionError(Exception):
    """Carries a clause without an action up to `compile_query`, which returns it as data."""


@dataclass
class _Draft:
    """Frames finished so far, and how the next one is called."""

    prefix: str
    frames: list[Frame] = field(default_factory=list)

    def finish(self, steps: list[Step]) -> str:
        name = f"{self.prefix}{len(self.frames) + 1}"
        self.frames.append(Frame(name, tuple(steps)))
        return name


def compile_query(tree: Node, dialect: str = "sqlite") -> Trajectory | Problem:
    """Turn a parsed query into a trajectory; the tree is left as it is.

    Args:
        tree: a query as sqlglot parses it.
        dialect: the sqlglot dialect the trajectory is printed and read in.

    Returns:
        The trajectory, or a problem that names the clause without an action.
    """
    tree = tree.copy()
    draft = _Draft(_free_prefix(tree))
    try:
        steps = _steps(tree, draft)
    except _NoActionError as error:
        return Problem(str(error))
    return Trajectory((*draft.frames, Frame(RESULT, tuple(steps))), dialect)


def is_aggregate(item: Node) -> bool:
    """Whether an expression aggregates rows of its own frame; a window function does not."""
    for node in item.walk(prune=lambda node: isinstance(node, (exp.Window, *QUERY))):
        if isinstance(node, exp.AggFunc) and not isinstance(node.parent, (exp.Window, exp.Filter)):
            return not (isinstance(node, (exp.Max, exp.Min)) and node.expressions)
        if isinstance(node, exp.Filter) and not isinstance(node.parent, exp.Window):
            return True
    return False


def projection(items: tuple[Node, ...]) -> Aggregate | Project:
    """The step that makes these output columns."""
    return Aggregate(items) if any(is_aggregate(item) for item in items) else Project(items)


def conjuncts(condition: Node) -> list[Node]:
    """Top-level AND conjuncts, parentheses kept: `flatten` strips them from an OR unless told otherwise."""
    if not isinstance(condition, exp.And):
        return [condition]
    return list(condition.flatten(unnest=False))


def _free_prefix(tree: Node) -> str:
    """A prefix for frame names that no name in the query could be mistaken for."""
    names = {node.name.casefold() for node in tree.find_all(exp.Identifier, exp.Var, exp.Anonymous)}
    prefix = "df"
    while any(re.fullmatch(rf"{prefix}\d+", name) for name in names):
        prefix += "_"
    return prefix


def _steps(query: Node, draft: _Draft) -> list[Step]:
    if isinstance(query, exp.Select):
        return _select(query, draft)
    if isinstance(query, exp.SetOperation):
        return _combination(query, draft)
    if isinstance(query, exp.Subquery):
        return _wrapped(query, draft)
    if isinstance(query, exp.Values):
        return [Values(_hoisted(query, draft, exp.Values))]
    raise _NoActionError(f"{query.key} is not a query; a trajectory reads, it changes nothing")


def _select(query: exp.Select, draft: _Draft) -> list[Step]:
    _refuse_others(query, SELECT_CLAUSES)
    if not query.expressions:
        raise _NoActionError("a SELECT without columns has no action in the language")
    steps: list[Step] = list(_defines(query, draft))
    source = query.args.get("from_")
    if source is not None:
        _refuse_others(source, {"this"})
        steps.append(Scan(_hoist(source.this, draft)))
    steps += [_join(join, draft) for join in query.args.get("joins") or ()]
    steps += [Filter(node) for node in _conditions(query, "where", draft)]
    group = query.args.get("group")
    if group is not None:
        steps.append(Group(_hoisted(group, draft, exp.Group)))
    steps += [Having(node) for node in _conditions(query, "having", draft)]
    steps += [Window(_hoist(node, draft)) for node in query.args.get("windows") or ()]
    steps += [Qualify(node) for node in _conditions(query, "qualify", draft)]
    steps.append(projection(tuple(_hoist(item, draft) for item in query.expressions)))
    distinct = query.args.get("distinct")
    if distinct:
        steps.append(Distinct(_distinct_on(distinct, draft)))
    return steps + list(_modifiers(query, draft))


def _distinct_on(distinct: Node, draft: _Draft) -> tuple[Node, ...]:
    on = distinct.args.get("on")
    if on is None:
        return ()
    return tuple(_hoist(node, draft) for node in on.expressions)


def _join(join: Node, draft: _Draft) -> Join:
    _refuse_others(join, JOIN_PARTS)
    how = " ".join(join.args[part] for part in ("method", "side", "kind") if join.args.get(part))
    on = join.args.get("on")
    if not how and on is None and not join.args.get("using"):
        how = COMMA
    return Join(
        _hoist(join.this, draft),
        how.lower(),
        _hoist(on, draft) if on is not None else None,
        tuple(_hoist(node, draft) for node in join.args.get("using") or ()),
    )


def _conditions(query: Node, clause: str, draft: _Draft) -> Iterator[Node]:
    node = query.args.get(clause)
    for condition in conjuncts(node.this) if node is not None else ():
        yield _hoist(condition, draft)


def _defines(query: Node, draft: _Draft) -> Iterator[Define]:
    with_ = query.args.get("with_")
    if with_ is None:
        return
    _refuse_others(with_, {"expressions", "recursive"})
    recursive = bool(with_.args.get("recursive"))
    for index, definition in enumerate(with_.expressions):
        yield Define(_hoisted(definition, draft, exp.CTE), recursive and index == 0)


def _modifiers(query: Node, draft: _Draft) -> Iterator[Step]:
    order, limit, offset = (query.args.get(key) for key in ("order", "limit", "offset"))
    if order is not None:
        _refuse_others(order, {"expressions"})
        yield Sort(tuple(_hoist(key, draft) for key in order.expressions))
    if offset is not None:
        yield Skip(_hoisted(offset, draft, exp.Offset))
    if limit is not None:
        yield Take(_hoist(limit, draft))


def _combination(query: exp.SetOperation, draft: _Draft) -> list[Step]:
    """`a UNION b UNION ALL c` leans left; the chain is one frame, other arms are frames of their own."""
    _refuse_others(query, SET_PARTS | MODIFIERS)
    steps: list[Step] = list(_defines(query, draft))
    left: Node = query
    chain: list[exp.SetOperation] = []
    while isinstance(left, exp.SetOperation) and (left is query or _is_bare(left)):
        chain.append(left)
        left = left.this
    steps.append(Start(_hoist(left, draft)))
    steps += [Combine(_operator(link), _hoist(link.expression, draft)) for link in reversed(chain)]
    return steps + list(_modifiers(query, draft))


def _is_bare(query: Node) -> bool:
    return not any(value for key, value in query.args.items() if key not in SET_PARTS)


def _operator(query: exp.SetOperation) -> str:
    kind = next(base for base in (exp.Union, exp.Intersect, exp.Except) if isinstance(query, base))
    return OPERATOR_NAMES[kind, bool(query.args.get("distinct"))]


def _wrapped(query: exp.Subquery, draft: _Draft) -> list[Step]:
    """A whole query in parentheses, perhaps ordered or cut outside of them."""
    _refuse_others(query, MODIFIERS | {"this"})
    defines: list[Step] = list(_defines(query, draft))
    modifiers = list(_modifiers(query, draft))
    inner = exp.Subquery(this=_hoist(query.this, draft))
    return [*defines, Start(inner), *modifiers]


def _hoisted(node: N, draft: _Draft, kind: type[N]) -> N:
    hoisted = _hoist(node, draft)
    assert isinstance(hoisted, kind)
    return hoisted


def _hoist(node: Node, draft: _Draft) -> Node:
    """The node with every query in it made a frame, and the frame's name in its place."""
    if isinstance(node, QUERY):
        return reference(draft.finish(_steps(node, draft)))
    queries = [inner for inner in node.walk(bfs=False, prune=_is_query) if isinstance(inner, QUERY)]
    for query in queries:
        leaf = reference("")
        query.replace(leaf)
        leaf.set("this", draft.finish(_steps(query, draft)))
    return detach(node)


def _is_query(node: Node) -> bool:
    return isinstance(node, QUERY)


def _refuse_others(node: Node, known: set[str]) -> None:
    for key, value in node.args.items():
        if value and key not in known:
            raise _NoActionError(f"{key.strip('_')} in {node.key} has no action in the language")
