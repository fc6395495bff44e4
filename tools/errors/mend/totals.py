"""Averages of totals and running totals, written from queries that stop at the rows or at the steps."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlglot import exp

from critiql.tools.errors.links import Link, column_node
from critiql.tools.errors.mend.key_path import joins_along, way_between
from critiql.tools.errors.mend.ordering import ordered
from critiql.tools.errors.mend.output_names import output_names
from critiql.tools.errors.query import Query
from critiql.tools.schema.model import Table
from critiql.tools.shapes.words import singular

_SO_FAR = re.compile(
    r" (?:so far|running total|cumulative|by the end of (?:each|every)|until then|up to then)[. ]"
)
_BESIDE = re.compile(r" (?:running|cumulative) total")
_TOTALS = exp.to_identifier("totals")


class Owner(NamedTuple):
    """What the averaged rows belong to, and the way there."""

    table: Table
    way: tuple[Link, ...]


def average_of_totals(query: Query) -> exp.Query | None:
    """The average of what things add up to, where the query averages the rows of things; None if unsure."""
    select = query.tree
    average = _only_average(query)
    if not isinstance(select, exp.Select) or average is None or len(query.selects) != 1:
        return None
    owner = _owner(query, average)
    others = [item for item in select.expressions if item.unalias() is not average]
    grouped = select.args["group"].expressions if select.args.get("group") else []
    if owner is None or [item.unalias() for item in others] != list(grouped):
        return None
    return _averaged(query, select, average, owner, others)


def _only_average(query: Query) -> exp.Avg | None:
    """The one aggregate of the query, if that is an average that it shows."""
    items = [item.unalias() for item in query.tree.selects]
    calls = [item for item in items if isinstance(item, exp.Avg)]
    return calls[0] if len(calls) == 1 and query.aggregates == (calls[0],) else None


def _owner(query: Query, average: exp.Avg) -> Owner | None:
    """The thing that the question takes the average total of: 'the average order value', of rows of items."""
    bindings = [query.binding(column) for column in average.find_all(exp.Column)]
    tables = {id(one.table): one.table for one in bindings if one is not None and one.table is not None}
    if len(tables) != 1 or None in bindings:
        return None
    rows = next(iter(tables.values()))
    found = [
        owner for owner in _owners(query, rows) if _is_asked_for(query.words, singular(owner.table.name))
    ]
    return found[0] if len(found) == 1 else None


def _owners(query: Query, rows: Table) -> Iterator[Owner]:
    """Every table that the rows belong to, each row to one of its rows."""
    for table in query.schema.tables:
        way = way_between(query.schema, rows, table) if table is not rows else ()
        if way and all(link.outward for link in way):
            yield Owner(table, way)


def _is_asked_for(said: str, thing: str) -> bool:
    value = rf" average (?:\w+ )?{re.escape(thing)} (?:value|total|amount|revenue|sum)[. ]"
    total = rf" average total (?:\w+ )*(?:per|an?|each|every) {re.escape(thing)}[. ]"
    spent = rf" an? {re.escape(thing)} (?:spends?|pays?|earns?|brings?) (?:\w+ )*on average[. ]"
    return re.search(f"{value}|{total}|{spent}", said) is not None


def _averaged(
    query: Query, select: exp.Select, average: exp.Avg, owner: Owner, others: Sequence[exp.Expr]
) -> exp.Query:
    """Totals of each thing in a derived table, and their average outside."""
    tree, (inner, call, *items) = query.copied(select, average, *others)
    call = call.copy()
    place = [item.unalias() for item in select.expressions].index(average)
    names = output_names([*items, exp.alias_(call, "total")])
    key = _joined_key(query, inner, owner)
    sorts = inner.args.get("order") and not inner.args.get("limit")
    shown = [exp.alias_(item.unalias().copy(), name) for item, name in zip(items, names[:-1], strict=True)]
    inner.set("expressions", [*shown, exp.alias_(exp.Sum(this=call.this.copy()), names[-1])])
    inner.set("group", exp.Group(expressions=[*(item.unalias().copy() for item in items), key]))
    for part in ("order", "limit"):
        inner.set(part, None)
    columns = [exp.column(name) for name in names]
    final: list[exp.Expr] = [*columns[:-1]]
    final.insert(place, exp.Avg(this=columns[-1]))
    outer = exp.select(*final).from_(exp.Subquery(this=tree, alias=exp.TableAlias(this=_TOTALS)))
    if items:
        outer = outer.group_by(*columns[:-1])
    if items and sorts:
        outer = outer.order_by(*columns[:-1])
    return outer


def _joined_key(query: Query, inner: exp.Expr, owner: Owner) -> exp.Column:
    """The foreign key to the thing, with the tables joined that lead to it and are not there yet."""
    sources = {id(source.table): source.name for source in query.selects[0].sources if source.table}
    before = sources[id(owner.way[0].table)]
    for link in owner.way[:-1]:
        called = sources.get(id(link.other))
        if called is None:
            (join,) = joins_along(query, before, (link,), None)
            inner.append("joins", join)
            called = join.this.alias_or_name
        before = called
    return column_node(owner.way[-1].column, before, query.parsed.dialect)


def average_in_place_of_sum(query: Query) -> exp.Query | None:
    """Totals of a derived table summed up where the question asks for their average."""
    if not re.search(r" average[. ]", query.words) or next(query.all(exp.Avg), None):
        return None
    select = query.tree
    sums = [item.unalias() for item in select.selects if isinstance(item.unalias(), exp.Sum)]
    source = select.args["from_"].this if select.args.get("from_") else None
    derived = source.this if isinstance(source, exp.Subquery) else None
    if len(sums) != 1 or not isinstance(derived, exp.Select) or not derived.args.get("group"):
        return None
    totals = {item.alias for item in derived.expressions if isinstance(item.unalias(), exp.AggFunc)}
    if not isinstance(sums[0].this, exp.Column) or sums[0].this.name not in totals:
        return None
    tree, (call,) = query.copied(sums[0])
    call.replace(exp.Avg(this=call.this.copy()))
    return tree


def running_total(query: Query) -> exp.Query | None:
    """The total up to each step, where the query gives what each step adds and the question asks 'so far'."""
    select = query.tree
    grouped = select.args.get("group") if isinstance(select, exp.Select) else None
    if grouped is None or not _SO_FAR.search(query.words) or next(query.all(exp.Window), None):
        return None
    others = any(select.args.get(part) for part in ("limit", "having", "distinct")) or len(query.selects) > 1
    if others or len(select.expressions) > 2 or len(grouped.expressions) != 1:
        return None
    *shown, added = (item.unalias() for item in select.expressions)
    step = grouped.expressions[0]
    if shown not in ([], [step]) or not isinstance(added, exp.Count | exp.Sum):
        return None
    tree, (twin, by, call) = query.copied(select, step, added)
    total = exp.Window(
        this=exp.Sum(this=call.copy()),
        order=exp.Order(expressions=[ordered(by.copy(), query.parsed.dialect)]),
    )
    if _BESIDE.search(query.words):
        twin.append("expressions", exp.alias_(total, "running_total"))
    else:
        call.replace(total)
    if not shown:
        twin.set("expressions", [by.copy(), *twin.expressions])
    if not twin.args.get("order"):
        twin.set("order", exp.Order(expressions=[ordered(by.copy(), query.parsed.dialect)]))
    return tree
