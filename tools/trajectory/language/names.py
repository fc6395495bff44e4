"""The tables and columns a trajectory names, each with its place and what the schema says it is."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from critiql.tools.schema.model import Schema
from critiql.tools.sql.resolve import resolve
from critiql.tools.sql.scope import Binding, Resolution, Source
from critiql.tools.trajectory.language.actions import Frame, Node, Trajectory
from critiql.tools.trajectory.language.decompile import decompile
from critiql.tools.trajectory.language.references import map_nodes, nodes_of

PLACE = "trajectory_place"
"""Key of a node's number among the named nodes; copies of the node keep it."""


@dataclass(frozen=True)
class Site:
    """One mention of a table or column."""

    place: int
    """Position among all mentions, from 0."""
    line: int
    """Line of the printed trajectory, from 1."""
    node: exp.Table | exp.Column
    """The node in the marked trajectory."""


@dataclass(frozen=True)
class Located:
    """A trajectory whose mentions are numbered, and their meaning in a schema."""

    trajectory: Trajectory
    sites: tuple[Site, ...]
    resolution: Resolution
    nodes: dict[int, Node]
    """For each place the node in the resolved tree."""

    def binding(self, site: Site) -> Binding | None:
        """What a column mention stands for, if it is resolved."""
        return self.resolution.binding(self.nodes[site.place]) if site.place in self.nodes else None

    def source(self, site: Site) -> Source | None:
        """What a table mention in a scan or join brings."""
        node = self.nodes.get(site.place)
        return self.resolution.sources.get(id(node)) if node is not None else None

    def line(self, node: Node) -> int | None:
        """The line that mentions a node of the resolved tree."""
        place = node.meta.get(PLACE)
        return self.sites[place].line if isinstance(place, int) else None


def locate(trajectory: Trajectory, schema: Schema) -> Located:
    """Number every mention of a table and a column, and resolve them all."""
    marked = Trajectory(tuple(_copies(trajectory)), trajectory.dialect)
    sites = tuple(_mark(marked))
    tree = decompile(marked)
    assert isinstance(tree, exp.Query)
    nodes: dict[int, Node] = {}
    for node in tree.walk():
        if PLACE in node.meta:
            nodes[node.meta[PLACE]] = node
    return Located(marked, sites, resolve(tree, schema), nodes)


def elements(trajectory: Trajectory, schema: Schema) -> frozenset[str]:
    """The schema's columns that a trajectory mentions, as `table.column`, and tables as `table`."""
    located = locate(trajectory, schema)
    found = {source.table.name for source in located.resolution.sources.values() if source.table}
    bindings = located.resolution.bindings.values()
    columns = {f"{b.table.name}.{b.column.name}" for b in bindings if b.table and b.column}
    return frozenset(found | columns)


def unresolved_names(trajectory: Trajectory, schema: Schema) -> int:
    """How many names of a trajectory the schema cannot explain."""
    return len(locate(trajectory, schema).resolution.unresolved)


def _copies(trajectory: Trajectory) -> Iterator[Frame]:
    for frame in trajectory.frames:
        yield Frame(frame.name, tuple(map_nodes(step, lambda node: node) for step in frame.steps))


def _mark(trajectory: Trajectory) -> Iterator[Site]:
    place = line = 0
    for frame in trajectory.frames:
        for step in frame.steps:
            line += 1
            for root in nodes_of(step):
                for node in root.walk(bfs=False):
                    if isinstance(node, (exp.Table, exp.Column)):
                        node.meta[PLACE] = place
                        yield Site(place, line, node)
                        place += 1
