"""From findings to what the refiner reads: filled guidelines, and the parts of query and schema concerned.

ErrorLLM, algorithm 2 and figure 8. What code can fill, code fills; `open_slots` names what is left for a
model. All errors go into one context, in the order in which they should be repaired.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from string import Template

from sqlglot import exp

from critiql.tools.errors.guide.parts import GUIDES, Guide
from critiql.tools.errors.query import Comparison, Query, clause_of
from critiql.tools.errors.types.catalogue import BY_KEY
from critiql.tools.errors.types.error_type import ErrorType, Finding
from critiql.tools.errors.types.value_error import nearest
from critiql.tools.schema.model import Table
from critiql.tools.schema.quoting import escape
from critiql.tools.sql.canonical import canonical


@dataclass(frozen=True)
class Localised:
    """One error, its guideline filled as far as code can."""

    error: ErrorType
    finding: Finding
    guideline: str
    """Lines whose slots are filled."""
    open_slots: tuple[str, ...]
    """Slots only a model can fill."""
    subtree: str
    """The smallest clause or query around the error, printed canonically; empty where it has none."""
    tables: tuple[str, ...]
    """Tables concerned."""


def localise(findings: Iterable[Finding], query: Query) -> list[Localised]:
    """Fill the guideline of every finding and cut out what it concerns, in the order of repair."""
    return _by_priority([_localise(finding, query) for finding in findings])


def _by_priority(located: Iterable[Localised]) -> list[Localised]:
    return sorted(located, key=lambda item: (item.error.priority, item.error.number))


def guidance(findings: Sequence[Finding], query: Query | Finding, guides: Collection[Guide] = GUIDES) -> str:
    """What the refiner is told about a query: every error with its guideline, in one text.

    Args:
        findings: what was found; none gives an empty text.
        query: the query, or the finding that says why it cannot be read.
        guides: which parts of the guidance are told.
    """
    if isinstance(query, Finding):
        return "\n".join(escape(f"- {one.explanation} {one.suggestion}".rstrip()) for one in findings)
    if not findings:
        return ""
    located = [_localise(finding, query) for finding in findings]
    located = _by_priority(located) if "priority" in guides else located
    parts = [_section(number, item, guides) for number, item in enumerate(located, start=1)]
    schema = sub_schema(query, {name for item in located for name in item.tables})
    if schema and "schema" in guides:
        parts.append(f"Schema concerned:\n{schema}")
    return "\n\n".join(parts)


def _section(number: int, item: Localised, guides: Collection[Guide]) -> str:
    placed = "places" in guides
    told = escape(item.finding.explanation) if placed else item.error.description
    guideline = item.guideline if placed else fill(item.error.guideline, {})
    lines = [f"Error {number}, {item.error.name}: {told}"]
    if "guidelines" in guides:
        lines += guideline.splitlines()
    if item.finding.lines and item.subtree and placed:
        lines.append(f"Part of the query: {item.subtree}")
    if item.finding.suggestion and placed:
        lines.append(f"Suggestion: {escape(item.finding.suggestion)}")
    return "\n".join(lines)


def _localise(finding: Finding, query: Query) -> Localised:
    error = BY_KEY[finding.type]
    known = {**_facts(finding.node, query), **{k: v for k, v in finding.slots.items() if v}}
    slots = {name: escape(value) for name, value in known.items()}
    subtree = _enclosing(finding.node)
    return Localised(
        error,
        finding,
        fill(error.guideline, slots),
        tuple(slot for slot in error.slots if slot not in slots),
        canonical(subtree, query.parsed.dialect) if subtree is not None else "",
        tuple(sorted({table.name for table in _tables(finding, query)})),
    )


def fill(guideline: str, slots: dict[str, str]) -> str:
    """The guideline's lines whose slots are all known."""
    lines = (Template(line) for line in guideline.splitlines())
    return "\n".join(
        line.substitute(slots) for line in lines if all(slots.get(name) for name in line.get_identifiers())
    )


def _facts(node: exp.Expr | None, query: Query) -> dict[str, str]:
    """Slots that follow from where the error stands, whatever found it."""
    if node is None:
        return {}
    facts = {"nodes": canonical(node, query.parsed.dialect), "clause": clause_of(node)}
    places = {str(place): place for part in node.find_all(exp.Column) if (place := query.place(part))}
    if places:
        facts["columns"] = ", ".join(places)
    if len(places) == 1:
        facts["column"], place = next(iter(places.items()))
        facts["data_type"] = place.column.type
        facts["current_column"] = place.column.name
    for comparison in query.comparisons:
        if comparison.node is node or comparison.constant is node:
            facts |= _value_facts(comparison, query)
    return facts


def _value_facts(comparison: Comparison, query: Query) -> dict[str, str]:
    place = query.place(comparison.column)
    facts = {
        "current_value": repr(comparison.value),
        "condition": canonical(comparison.node, query.parsed.dialect),
    }
    if place is not None:
        stored = query.distinct(place) or ()
        near = nearest(comparison.value, stored)
        facts |= {
            "column": str(place),
            "data_type": place.column.type,
            "candidates": ", ".join(map(repr, near)),
        }
    return facts


def _enclosing(node: exp.Expr | None) -> exp.Expr | None:
    """The smallest clause of a SELECT around a node, or the SELECT itself for an item of its list."""
    if node is None or isinstance(node, exp.Query):
        return node
    while node.parent is not None and not isinstance(node.parent, exp.Query):
        node = node.parent
    return node.parent if node.arg_key in ("expressions", "from_") and node.parent is not None else node


def _tables(finding: Finding, query: Query) -> list[Table]:
    """Schema tables an error concerns: those its node reads, those a repair would add, else all."""
    named = [query.schema.table(finding.slots.get(slot, "")) for slot in ("missing", "redundant", "tables")]
    nodes = list(finding.node.walk()) if finding.node is not None else []
    places = [query.place(node) for node in nodes]
    sources = [query.resolution.sources.get(id(node)) for node in nodes]
    found = [place.table for place in places if place] + [s.table for s in sources if s and s.table]
    found += [table for table in named if table]
    if not found or finding.type in ("table_missing", "join_error"):
        found += [source.table for scope in query.selects for source in scope.sources if source.table]
    return found


def sub_schema(query: Query, names: Iterable[str]) -> str:
    """The tables of these names and the foreign keys between them, one line each, whatever a name holds."""
    wanted = {name.casefold() for name in names}
    tables = [table for table in query.schema.tables if table.name.casefold() in wanted]
    lines = [f"{table.name}({', '.join(column.name for column in table.columns)})" for table in tables]
    for key in query.schema.foreign_keys:
        if key.table.casefold() in wanted and key.to_table.casefold() in wanted:
            pairs = zip(key.columns, key.to_columns, strict=False)
            lines += [f"{key.table}.{column} = {key.to_table}.{other}" for column, other in pairs]
    return "\n".join(map(escape, lines))
