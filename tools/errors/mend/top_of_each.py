"""The best of each group: what a query says that takes the best of all, written with a rank in each group.

A small model hardly writes a window. What it does write, groups sorted and cut off, has all that is needed
but the group that the question names after "each".
"""

import re
from collections.abc import Sequence

from sqlglot import exp

from critiql.tools.errors.mend.ordering import ordered
from critiql.tools.errors.mend.output_names import output_names
from critiql.tools.errors.query import Query
from critiql.tools.schema.model import Table
from critiql.tools.shapes.columns import names_of
from critiql.tools.sql.names import words

_EACH = re.compile(r" (?:each|every|per) (?P<things>[\w']+(?: [\w']+)?)")
_NUMBERS = {
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
}
_SUPERLATIVE = re.compile(r" (?:most|least|fewest|highest|lowest|largest|smallest|biggest|best|longest|top) ")
_HOW_MANY = re.compile(rf" (\d{{1,2}}|{'|'.join(_NUMBERS)}) ")
IN_ORDER = re.compile(
    r" (?:the )?(?:most|highest|largest|biggest|lowest|fewest|smallest|least|oldest|newest|latest|earliest)"
    r" (?:first|recent)[. ]"
)
"""An order of all, and no choice among them."""
MOST = 20
"""A larger number is no number of places."""
PLACE = exp.to_identifier("place")
RANKED = exp.to_identifier("ranked")


def top_of_each(query: Query) -> exp.Query | None:
    """The query with a rank in each group in the place of LIMIT; None where it is not sure what is meant."""
    select = query.tree
    if not isinstance(select, exp.Select) or not _takes_the_top_of_all(query, select):
        return None
    group = _named_group(query, select)
    if group is None or any(item.is_star for item in select.expressions):
        return None
    groups = _groups(query, select, group.unalias()) if select.args.get("group") else []
    if groups is None:
        return None
    return _ranked(query, select, group, groups)


def _takes_the_top_of_all(query: Query, select: exp.Select) -> bool:
    """Whether sorted rows or groups, or those of a derived table, are cut off where each one's top is meant.

    Where nothing is cut off either, they must be sorted by something computed of each.
    """
    order, limit = select.args.get("order"), select.args.get("limit")
    asked = _EACH.search(query.words) and _SUPERLATIVE.search(IN_ORDER.sub(" ", query.words))
    other = next(query.all(exp.Window), None) or select.args.get("having")
    if not asked or not order or other or (limit and len(order.expressions) != 1):
        return False
    if not limit and not _spelled(select, order.expressions[-1].this).find(exp.AggFunc):
        return False
    if select.args.get("group") or (limit and not query.aggregates and len(query.selects) == 1):
        return len(query.selects) == 1
    source = select.args["from_"].this if select.args.get("from_") and not select.args.get("joins") else None
    derived = source.this if isinstance(source, exp.Subquery) else None
    return isinstance(derived, exp.Select) and bool(derived.args.get("group")) and len(query.selects) == 2


def _named_group(query: Query, select: exp.Select) -> exp.Expr | None:
    """The one shown column that the question names after "each", by its own name or its table's."""
    found = _EACH.search(query.words)
    things = {one for word in found["things"].split() for one in words(word)} if found else set()
    named = [item for item in select.expressions if things & _said(query, item)]
    return named[0] if len(named) == 1 and len(select.expressions) > 1 else None


def _said(query: Query, item: exp.Expr) -> set[str]:
    """The words that a shown column may be called by: its own, or its table's where it names a row."""
    place = query.place(item.unalias())
    if place is None:
        return set(words(item.alias_or_name)) if not item.find(exp.AggFunc) else set()
    if place.column.name in names_of(place.table):
        return set(words(place.table.name))
    return set(words(place.column.name))


def _how_many(said: str) -> int:
    """How many of each the question asks for."""
    found = _HOW_MANY.search(said)
    number = _NUMBERS.get(found[1]) or int(found[1]) if found else 1
    return number if 1 <= number <= MOST else 1


def _ranked(query: Query, select: exp.Select, group: exp.Expr, groups: Sequence[exp.Expr]) -> exp.Query:
    """The groups with their rank, of which the first are taken; what was shown is shown."""
    most = _how_many(query.words)
    tree, (inner, by, *items) = query.copied(select, group, *select.expressions)
    by = by.unalias().copy()
    key = inner.args["order"].expressions[-1]
    names = output_names(items, {PLACE.name})
    shown = [exp.alias_(item.unalias().copy(), name) for item, name in zip(items, names, strict=True)]
    rank = exp.Window(
        this=exp.Anonymous(this="RANK"),
        partition_by=[by],
        order=exp.Order(
            expressions=[
                ordered(_spelled(inner, key.this), query.parsed.dialect, desc=bool(key.args.get("desc")))
            ]
        ),
    )
    inner.set("expressions", [*shown, exp.alias_(rank, PLACE)])
    if groups:
        inner.set("group", exp.Group(expressions=[one.copy() for one in groups]))
    for part in ("order", "limit", "distinct"):
        inner.set(part, None)
    kept = exp.EQ if most == 1 else exp.LTE
    outer = exp.select(*map(exp.column, names)).from_(
        exp.Subquery(this=tree, alias=exp.TableAlias(this=RANKED))
    )
    return outer.where(kept(this=exp.column(PLACE), expression=exp.Literal.number(most)))


def _groups(query: Query, select: exp.Select, by: exp.Expr) -> list[exp.Expr] | None:
    """What the groups are: as written, or each shown row's key where only the group itself was written.

    None where every group would be one row of what they are ranked in.
    """
    written = [key.copy() for key in select.args["group"].expressions]
    places = [(item.unalias(), query.place(item.unalias())) for item in select.expressions]
    keys = [
        exp.column(place.table.primary_key[0], table=item.table or place.table.name)
        for item, place in places
        if place is not None and item != by and len(place.table.primary_key) == 1
    ]
    own, found = query.place(by), [query.place(key) for key in select.args["group"].expressions]
    if written == [by] or (len(written) == 1 and own is not None and found == [own]):
        written += list(dict.fromkeys(keys))
    names = own is not None and own.column.name in (*names_of(own.table), *own.table.primary_key)
    finer = [
        key
        for key in written
        if key != by and not (names and own is not None and _is_of(query, select, key, own.table))
    ]
    if not finer:
        return None
    return written if by in written else [by, *written]


def _is_of(query: Query, select: exp.Select, key: exp.Expr, table: Table) -> bool:
    """Whether a column is one of the table's."""
    sources = [source for scope in query.selects if scope.node is select for source in scope.sources]
    called = {source.name.casefold() for source in sources if source.table is table}
    return isinstance(key, exp.Column) and (key.table.casefold() in called or len(sources) == 1)


def _spelled(select: exp.Expr, key: exp.Expr) -> exp.Expr:
    """What a sort key stands for, where it is the name of something shown."""
    aliases = {item.alias: item.unalias() for item in select.expressions if item.alias}
    named = aliases.get(key.name) if isinstance(key, exp.Column) and not key.table else None
    return (named if named is not None else key).copy()
