"""Repair of unresolved names on the tree, before any model is asked.

An unresolved qualified column that one table in scope has is re-qualified; one that lives one foreign key
away gets that join; a misspelt table or column with one close name gets it. Several unresolved names of a
query are repaired together, and a repair counts only when every name of the result resolves.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from critiql.tools.schema.model import Schema
from critiql.tools.sql.canonical import canonical
from critiql.tools.sql.fix import Fix, FixKind
from critiql.tools.sql.name_fixes import fixes
from critiql.tools.sql.names import nearness
from critiql.tools.sql.parse import Parsed
from critiql.tools.sql.resolve import resolve
from critiql.tools.sql.scope import Resolution, Unresolved

MAX_STEPS = 8
"""Unresolved names of one query that are repaired."""
MAX_TRIES = 24
"""Trees that are tried for one query."""
MAX_REPAIRS = 3
_WEIGHT: dict[FixKind, int] = {"requalify": 0, "respell": 1, "join": 2}


@dataclass(frozen=True, slots=True)
class NameRepair:
    """A query with all names resolved, and how it came about."""

    sql: str
    """Canonical print."""
    changes: tuple[str, ...]
    """Each step in words, in order."""
    kinds: tuple[FixKind, ...]
    """The kind of each step."""

    @property
    def kind(self) -> FixKind:
        """The kind of the step that changes most: a join, then a respelling, then another qualifier."""
        return max(self.kinds, key=_WEIGHT.__getitem__)


def repair_names(parsed: Parsed, schema: Schema, resolution: Resolution) -> list[NameRepair]:
    """Queries in which the unresolved names are repaired, the safest first; empty where none can be."""
    if resolution.complete:
        return []
    repairs: dict[str, NameRepair] = {}
    for tree, steps in _search(parsed.tree, schema):
        sql = canonical(tree, parsed.dialect)
        kinds: tuple[FixKind, ...] = tuple(step.kind for step in steps)
        repairs.setdefault(sql, NameRepair(sql, tuple(step.change for step in steps), kinds))
        if len(repairs) == MAX_REPAIRS:
            break
    return list(repairs.values())


def closest_names(found: Unresolved, schema: Schema, limit: int = 5) -> tuple[str, ...]:
    """The names nearest to an unresolved one, for a prompt: tables, or `table.column`."""
    if found.kind == "table":
        scored = {table.name: nearness(found.name, table.name) for table in schema.tables}
        return tuple(sorted(scored, key=lambda name: -scored[name])[:limit])
    name = found.node.name
    in_scope = {
        source.table.name for around in found.scope.outwards() for source in around.sources if source.table
    }
    ranked = sorted(
        (
            -nearness(name, column.name, table.name),
            table.name not in in_scope,
            f"{table.name}.{column.name}",
        )
        for table in schema.tables
        for column in table.columns
    )
    return tuple(place for _, _, place in ranked[:limit])


def _search(tree: exp.Query, schema: Schema) -> Iterator[tuple[exp.Query, tuple[Fix, ...]]]:
    """Depth first over the steps for the first unresolved name, so the safest combination comes first."""
    tries = 0
    stack: list[tuple[exp.Query, tuple[Fix, ...]]] = [(tree, ())]
    while stack and tries < MAX_TRIES:
        tree, steps = stack.pop()
        tries += 1
        resolution = resolve(tree, schema)
        if resolution.complete:
            yield tree, steps
        elif len(steps) < MAX_STEPS:
            options = [(_applied(tree, schema, i), (*steps, step)) for i, step in _steps(resolution, schema)]
            stack.extend(reversed(options))


def _steps(resolution: Resolution, schema: Schema) -> list[tuple[int, Fix]]:
    return list(enumerate(fixes(_first(resolution), resolution, schema)))


def _applied(tree: exp.Query, schema: Schema, index: int) -> exp.Query:
    """A copy of the tree with the step of that index taken; every copy has the same steps in order."""
    copy = tree.copy()
    _steps(resolve(copy, schema), schema)[index][1].apply()
    return copy


def _first(resolution: Resolution) -> Unresolved:
    """Tables before columns: a table that is known tells what its columns are."""
    return min(resolution.unresolved, key=lambda found: found.kind != "table")
