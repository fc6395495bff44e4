"""What a frame can see: its own aliases, those of the frames around it, and the definitions in reach."""

from collections.abc import Iterator

from sqlglot import exp

from critiql.tools.trajectory.language.actions import (
    Combine,
    Define,
    Frame,
    Join,
    Node,
    Scan,
    Start,
    Step,
    Trajectory,
)
from critiql.tools.trajectory.language.references import nodes_of, parents


def aliases(frame: Frame) -> dict[str, Node]:
    """The sources of a frame by the case-folded name its columns are qualified with."""
    return {
        source.alias_or_name.casefold(): source
        for step in frame.steps
        if isinstance(step, (Scan, Join))
        for source in _sources(step.source)
    }


def outer_aliases(trajectory: Trajectory) -> dict[str, tuple[str, ...]]:
    """For each correlated frame the aliases of other frames that it uses, in order of appearance.

    A frame between the two, whose own columns do not mention the alias, counts as correlated too: it cannot
    run alone either.
    """
    if len(trajectory.frames) == 1:
        return {}
    above = parents(trajectory)
    found: dict[str, dict[str, None]] = {frame.name: {} for frame in trajectory.frames}
    for frame in trajectory.frames:
        own = aliases(frame)
        needed = {name: None for name in _qualifiers(frame) if name.casefold() not in own}
        needed |= {name: None for name in found[frame.name] if name.casefold() not in own}
        found[frame.name] = needed
        if frame.name in above:
            parent = above[frame.name][0]
            found[parent] |= needed
    return {name: tuple(needed) for name, needed in found.items() if needed and name in above}


def ancestors(trajectory: Trajectory, name: str) -> Iterator[tuple[Frame, int]]:
    """The frames around a frame, inside out, each with the index of the step that leads inward."""
    above = parents(trajectory)
    while name in above:
        name, index = above[name]
        yield trajectory.frame(name), index


def definitions(trajectory: Trajectory, name: str) -> list[Define]:
    """The common table expressions a frame can see from outside, outermost first."""
    found: list[Define] = []
    for frame, index in ancestors(trajectory, name):
        inside = isinstance(frame.steps[index], Define)
        reach = frame.steps[:index] if inside else frame.steps
        found = [step for step in reach if isinstance(step, Define)] + found
    return found


def tables_read(step: Step) -> list[exp.Table]:
    """The named tables (or definitions) a step reads."""
    if isinstance(step, (Scan, Join)):
        return [table for table in _sources(step.source) if isinstance(table, exp.Table)]
    return []


def recursive_names(trajectory: Trajectory, name: str) -> set[str]:
    """Names of the definitions that are being made by a frame's ancestors: reading one is recursion."""
    found: set[str] = set()
    for frame, index in ancestors(trajectory, name):
        step = frame.steps[index]
        if isinstance(step, Define):
            found.add(step.definition.alias.casefold())
    return found


def _sources(source: Node) -> Iterator[Node]:
    """The source itself, or those inside a parenthesised join."""
    inner = source.this if isinstance(source, exp.Subquery) else None
    if isinstance(inner, exp.Table) and not source.alias:
        yield from _sources(inner)
        return
    yield source
    for join in source.args.get("joins") or ():
        yield from _sources(join.this)


def _qualifiers(frame: Frame) -> Iterator[str]:
    for step in frame.steps:
        if isinstance(step, (Start, Combine)):
            continue
        for node in nodes_of(step):
            for column in node.find_all(exp.Column):
                if column.table:
                    yield column.table
