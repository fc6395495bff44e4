"""Keys as ways between tables."""

from collections import deque
from collections.abc import Collection, Iterator

from critiql.tools.schema.model import ForeignKey, Schema


def key_columns(schema: Schema, key: ForeignKey) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """Both ends of a key, pairwise; without target columns it means the primary key."""
    table, target = schema.table(key.table), schema.table(key.to_table)
    if table is None or target is None:
        return
    for mine, theirs in zip(key.columns, key.to_columns or target.primary_key, strict=False):
        one, other = table.column(mine), target.column(theirs)
        if one and other:
            yield (table.name, one.name), (target.name, other.name)


def neighbours(schema: Schema) -> dict[str, set[str]]:
    """The tables that a key joins to each, either way."""
    near: dict[str, set[str]] = {table.name: set() for table in schema.tables}
    for key in schema.foreign_keys:
        for (one, _), (other, _) in key_columns(schema, key):
            near[one].add(other)
            near[other].add(one)
    return near


def way_to(
    name: str, known: Collection[str], near: dict[str, set[str]], longest: int | None = None
) -> list[str]:
    """Tables between a table and the nearest of the known ones, by keys.

    Args:
        name: where the way begins.
        known: where it may end; a set or a dictionary, since it is asked often.
        near: the neighbours of each table.
        longest: longer ways are not looked for; None for any.

    Returns:
        The tables between; empty when none is known, none is reached, or there is none between.
    """
    ways = deque([[name]])
    seen = {name}
    while ways and known:
        way = ways.popleft()
        if way[-1] in known:
            return way[1:-1]
        if longest is None or len(way) <= longest + 1:
            for other in sorted(near[way[-1]] - seen):
                seen.add(other)
                ways.append([*way, other])
    return []
