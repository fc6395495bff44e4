"""Frame names inside expressions: `exp.Var` leaves that stand where SQL has a nested query."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import fields, is_dataclass

from sqlglot import exp

from critiql.tools.trajectory.language.actions import Frame, Node, Step, Trajectory

QUERY = (exp.Select, exp.SetOperation)


def reference(name: str) -> exp.Var:
    """The leaf that stands for a frame."""
    return exp.Var(this=name)


def references(node: Node, names: Collection[str]) -> list[exp.Var]:
    """The leaves of a tree that stand for one of the named frames, in order of appearance."""
    return [leaf for leaf in node.walk(bfs=False) if type(leaf) is exp.Var and leaf.name in names]


def detach(node: Node) -> Node:
    """Make a node the root of its own tree."""
    node.parent = None
    node.arg_key = None
    node.index = None
    return node


def nodes_of(step: Step) -> Iterator[Node]:
    """Every tree a step holds."""
    assert is_dataclass(step)
    for field in fields(step):
        value = getattr(step, field.name)
        if isinstance(value, exp.Expr):
            yield value
        elif isinstance(value, tuple):
            yield from value


def map_nodes(step: Step, change: Callable[[Node], Node]) -> Step:
    """The step with every tree it holds replaced by `change` of a copy of it."""
    values: dict[str, object] = {}
    for field in fields(step):
        value = getattr(step, field.name)
        if isinstance(value, exp.Expr):
            values[field.name] = change(value.copy())
        elif isinstance(value, tuple):
            values[field.name] = tuple(change(node.copy()) for node in value)
        else:
            values[field.name] = value
    return type(step)(**values)  # type: ignore[arg-type]


def uses(frame: Frame, names: Collection[str]) -> list[str]:
    """The frames a frame refers to, in order of appearance."""
    return [leaf.name for step in frame.steps for node in nodes_of(step) for leaf in references(node, names)]


def parents(trajectory: Trajectory) -> dict[str, tuple[str, int]]:
    """For each used frame, the frame that uses it and the index of the step there."""
    names = trajectory.names
    return {
        leaf.name: (frame.name, index)
        for frame in trajectory.frames
        for index, step in enumerate(frame.steps)
        for node in nodes_of(step)
        for leaf in references(node, names)
    }
