"""Exact typed masking: every table and column of a trajectory behind a numbered mask, and filling them again.

After SHARE's schema augmentation (arXiv 2506.00391), with code in place of a model for the masking. Mentions
of the same schema element share a mask. Names of aliases, derived columns and text in double quotes stay.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

from critiql.tools.schema.model import Schema, Table
from critiql.tools.schema.quoting import quote_name
from critiql.tools.sql.scope import Source
from critiql.tools.trajectory.forms.text import to_text
from critiql.tools.trajectory.language.actions import Frame, Node, Trajectory
from critiql.tools.trajectory.language.names import PLACE, Located, Site, elements, locate, unresolved_names
from critiql.tools.trajectory.language.references import map_nodes

STAND_IN = "critiql_mask_{}_{}"
STAND_IN_PATTERN = re.compile(r'"?critiql_mask_(table|column)_(\d+)"?')


@dataclass(frozen=True)
class Mask:
    """One schema element of a trajectory, hidden."""

    name: str
    """`[TABLE:1]` or `[COLUMN:3]`."""
    kind: Literal["table", "column"]
    original: str
    """`table`, or `table.column`; for an unknown column what the query wrote."""
    places: tuple[int, ...]
    """Its mentions, by their numbers."""


@dataclass(frozen=True)
class Masked:
    """A trajectory with its schema elements hidden."""

    text: str
    """The printed trajectory with masks in place of names."""
    masks: tuple[Mask, ...]
    trajectory: Trajectory
    """The one that was masked."""


@dataclass(frozen=True)
class Filled:
    """A trajectory with its masks filled."""

    trajectory: Trajectory
    changed: tuple[str, ...]
    """Masks whose element is another one than before."""
    kept: dict[str, str]
    """Masks that keep their original although an answer was given, and why."""


def mask(trajectory: Trajectory, schema: Schema) -> Masked:
    """Hide every table and column that comes from the schema, or should."""
    located = locate(trajectory, schema)
    masks = _masks(located)
    stand_ins = {place: _stand_in(one) for one in masks for place in one.places}
    hidden = _rewritten(located.trajectory, lambda node, place: _hide(node, place, stand_ins, located))
    text = STAND_IN_PATTERN.sub(lambda found: f"[{found[1].upper()}:{found[2]}]", to_text(hidden))
    return Masked(text, masks, trajectory)


def choices(one: Mask, schema: Schema) -> tuple[str, ...]:
    """What a mask may be filled with: the schema's tables, or its columns as `table.column`."""
    if one.kind == "table":
        return tuple(table.name for table in schema.tables)
    return tuple(f"{table.name}.{column.name}" for table in schema.tables for column in table.columns)


def fill(masked: Masked, answers: Mapping[str, str], schema: Schema) -> Filled:
    """Put the answers in place of the masks; what cannot be used keeps its original.

    Args:
        masked: the masked trajectory.
        answers: per mask name a table, or `table.column`.
        schema: what the answers must be in.

    Returns:
        The trajectory with all usable answers together; where together they name something that is not in
        reach, with those that are usable one by one.
    """
    wanted, kept = _usable(masked, answers, schema)
    trajectory = _apply(masked, wanted, schema) if wanted else masked.trajectory
    lost = unresolved_names(masked.trajectory, schema)
    if unresolved_names(trajectory, schema) <= lost:
        return Filled(trajectory, tuple(wanted), kept)
    accepted: dict[str, str] = {}
    trajectory = masked.trajectory
    for name, answer in wanted.items():
        tried = _apply(masked, {**accepted, name: answer}, schema)
        now = unresolved_names(tried, schema)
        if now <= lost:
            accepted[name], trajectory, lost = answer, tried, now
        else:
            kept[name] = f"{answer} is not in reach where {name} stands"
    return Filled(trajectory, tuple(accepted), kept)


def augmented(trajectories: Sequence[Trajectory], schema: Schema) -> Schema:
    """The part of the schema that any of the trajectories mentions, with primary keys and joining columns."""
    named: frozenset[str] = frozenset().union(*(elements(one, schema) for one in trajectories))
    tables = {name.partition(".")[0] for name in named}
    keys = [key for key in schema.foreign_keys if key.table in tables and key.to_table in tables]
    joining = {f"{key.table}.{name}" for key in keys for name in key.columns}
    joining |= {f"{key.to_table}.{name}" for key in keys for name in key.to_columns}
    kept = [_narrow(table, named | joining, tables) for table in schema.tables if table.name in tables]
    return Schema(tuple(kept), schema.dialect)


def _narrow(table: Table, named: frozenset[str], tables: set[str]) -> Table:
    columns = tuple(
        column for column in table.columns if column.primary_key or f"{table.name}.{column.name}" in named
    )
    keys = tuple(key for key in table.foreign_keys if key.to_table in tables)
    return Table(table.name, columns, keys, table.is_view, table.comment, table.row_count)


def _masks(located: Located) -> tuple[Mask, ...]:
    places: dict[tuple[Literal["table", "column"], str], list[int]] = {}
    for site in located.sites:
        element = _element(located, site)
        if element is not None:
            places.setdefault(element, []).append(site.place)
    counts = {"table": 0, "column": 0}
    masks: list[Mask] = []
    for (kind, original), found in places.items():
        counts[kind] += 1
        masks.append(Mask(f"[{kind.upper()}:{counts[kind]}]", kind, original, tuple(found)))
    return tuple(masks)


def _element(located: Located, site: Site) -> tuple[Literal["table", "column"], str] | None:
    """What a mention stands for in the schema; None for what is not the schema's."""
    tree = located.nodes.get(site.place)
    if isinstance(site.node, exp.Table):
        source = located.source(site)
        if source is None or not isinstance(site.node.this, exp.Identifier) or source.outputs is not None:
            return None
        return "table", source.table.name if source.table else site.node.name
    if tree is None or isinstance(site.node.this, exp.Star):
        return None
    binding = located.binding(site)
    if binding is not None:
        if binding.source.table is None or binding.table is None or binding.column is None:
            return None
        return "column", f"{binding.table.name}.{binding.column.name}"
    lost = any(unresolved.node is tree for unresolved in located.resolution.unresolved)
    return ("column", site.node.sql()) if lost else None


def _stand_in(one: Mask) -> str:
    number = one.name.rstrip("]").rpartition(":")[2]
    return STAND_IN.format(one.kind, number)


def _hide(node: exp.Table | exp.Column, place: int, stand_ins: Mapping[int, str], located: Located) -> None:
    if place in stand_ins:
        node.set("this", exp.to_identifier(stand_ins[place]))
    if isinstance(node, exp.Column) and node.table:
        table = _named_by(located.sites[place], located)
        if table is not None and table in stand_ins:
            node.set("table", exp.to_identifier(stand_ins[table]))


def _named_by(site: Site, located: Located) -> int | None:
    """The place of the table without alias that a column is qualified with."""
    binding = located.binding(site)
    node = binding.source.node if binding else None
    if not isinstance(node, exp.Table) or node.alias:
        return None
    place = node.meta.get(PLACE)
    return place if isinstance(place, int) else None


def _usable(
    masked: Masked, answers: Mapping[str, str], schema: Schema
) -> tuple[dict[str, str], dict[str, str]]:
    """The answers that change something and are in the schema, as it spells them; and why others are not."""
    wanted: dict[str, str] = {}
    kept: dict[str, str] = {}
    for one in masked.masks:
        answer = answers.get(one.name)
        if answer is None:
            continue
        known = {choice.casefold(): choice for choice in choices(one, schema)}
        found = known.get(answer.strip().casefold())
        if found is None:
            kept[one.name] = f"{answer} is not a {one.kind} of the schema"
        elif found != one.original:
            wanted[one.name] = found
    return wanted, kept


def _apply(masked: Masked, wanted: Mapping[str, str], schema: Schema) -> Trajectory:
    located = locate(masked.trajectory, schema)
    filled = [one for one in masked.masks if one.name in wanted]
    answers = {place: wanted[one.name] for one in filled for place in one.places}
    return _rewritten(located.trajectory, lambda node, place: _put(node, place, answers, located))


def _put(node: exp.Table | exp.Column, place: int, answers: Mapping[int, str], located: Located) -> None:
    dialect = located.trajectory.dialect
    if isinstance(node, exp.Table):
        if place in answers:
            node.set("this", _identifier(answers[place], dialect))
        return
    site = located.sites[place]
    binding = located.binding(site)
    source = binding.source if binding else None
    if place in answers:
        table, _, column = answers[place].partition(".")
        source = _reachable(table, source, site, answers, located)
        node.set("this", _identifier(column, dialect))
        if source is None:
            node.set("table", _identifier(table, dialect))
    several = place in answers and len(_scope_sources(site, located)) > 1
    if source is not None and (node.table or several):
        node.set("table", _identifier(_new_name(source, answers), dialect))


def _reachable(
    table: str, current: Source | None, site: Site, answers: Mapping[int, str], located: Located
) -> Source | None:
    """The source that has the wanted table: the mention's own, else those in scope, inner ones first."""
    candidates = ([current] if current else []) + _scope_sources(site, located)
    wanted = table.casefold()
    return next((one for one in candidates if _new_table(one, answers).casefold() == wanted), None)


def _scope_sources(site: Site, located: Located) -> list[Source]:
    scope = located.resolution.scope(located.nodes[site.place]) if site.place in located.nodes else None
    return [source for around in (scope.outwards() if scope else ()) for source in around.sources]


def _new_table(source: Source, answers: Mapping[int, str]) -> str:
    """The schema table a source reads once the answers are in."""
    answer = answers.get(source.node.meta.get(PLACE, -1))
    return answer or (source.table.name if source.table else "")


def _new_name(source: Source, answers: Mapping[int, str]) -> str:
    answer = answers.get(source.node.meta.get(PLACE, -1))
    return answer if answer and not source.node.alias else source.name


def _identifier(name: str, dialect: str) -> exp.Identifier:
    return exp.to_identifier(name, quoted=quote_name(name, dialect) != name)


def _rewritten(trajectory: Trajectory, change: Callable[[exp.Table | exp.Column, int], None]) -> Trajectory:
    """A copy of a marked trajectory with `change` applied to every mention."""

    def rewrite(root: Node) -> Node:
        for node in list(root.walk()):
            place = node.meta.get(PLACE)
            if isinstance(node, (exp.Table, exp.Column)) and isinstance(place, int):
                change(node, place)
        return root

    frames = [
        Frame(frame.name, tuple(map_nodes(step, rewrite) for step in frame.steps))
        for frame in trajectory.frames
    ]
    return Trajectory(tuple(frames), trajectory.dialect)
