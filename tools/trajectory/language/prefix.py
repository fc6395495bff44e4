"""The query of the first steps of a frame: what there is to see after each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from critiql.tools.trajectory.language.actions import (
    Aggregate,
    Group,
    Having,
    Node,
    Project,
    Qualify,
    Start,
    Step,
    Values,
)
from critiql.tools.trajectory.language.decompile import frame_query

Steps = Sequence[Step]
ROLLED = ("rollup", "cube", "grouping_sets")


@dataclass(frozen=True)
class Prefix:
    """Two queries over the same rows."""

    counted: Node
    """As few columns as possible."""
    shown: Node
    """The columns a reader wants to see."""


def prefix_query(steps: Steps, index: int, queries: Mapping[str, Node]) -> Prefix:
    """The queries for `steps[: index + 1]`; `queries` holds those of the frames it refers to.

    Before the output columns are chosen, all columns are shown; groups are shown by their keys and sizes, or
    by the output columns where the keys are names for these.
    """
    done = steps[: index + 1]
    if any(isinstance(step, (Start, Values, Project, Aggregate)) for step in done):
        query = frame_query(done, queries)
        return Prefix(query, query)
    output = next(step for step in steps if isinstance(step, (Project, Aggregate)))
    if any(isinstance(step, Qualify) for step in done):
        query = _with_items(done, output.items, queries)
        return Prefix(query, query)
    group = next((step for step in done if isinstance(step, Group)), None)
    if group is not None or any(isinstance(step, Having) for step in done):
        query = _with_items(done, _group_items(group, output), queries)
        return Prefix(query, query)
    return Prefix(
        _with_items(done, (exp.Literal.number(1),), queries), _with_items(done, (exp.Star(),), queries)
    )


def _with_items(steps: Steps, items: tuple[Node, ...], queries: Mapping[str, Node]) -> Node:
    return frame_query((*steps, Project(items)), queries)


def _group_items(group: Group | None, output: Project | Aggregate) -> tuple[Node, ...]:
    names = {item.alias.casefold() for item in output.items if isinstance(item, exp.Alias)}
    keys = group.clause.expressions if group else []
    rolled = group is not None and any(group.clause.args.get(part) for part in ROLLED)
    plain = all(isinstance(key, exp.Column) and key.name.casefold() not in names for key in keys)
    if not keys or not plain or rolled:
        return output.items
    size = exp.Alias(this=exp.Count(this=exp.Star()), alias=exp.to_identifier("rows", quoted=True))
    return (*keys, size)
