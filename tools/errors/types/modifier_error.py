"""Error 12, Modifier Error: DISTINCT, ASC or DESC is missing, wrong, or there without need."""

import re
from collections.abc import Iterator
from dataclasses import replace

from sqlglot import exp

from critiql.tools.errors.mend.ordering import ordered
from critiql.tools.errors.query import Query, outermost
from critiql.tools.errors.types.error_type import BugLabel, ErrorType, Finding, RepairExample
from critiql.tools.errors.types.workbench import Bench, Edit
from critiql.tools.sql.names import words

KEY = "modifier_error"
_DESCENDING = re.compile(r" (?:in )?(?:descending|decreasing|desc) ")
_ASCENDING = re.compile(r" (?:in )?(?:ascending|increasing|asc) ")


_YOUNGEST = re.compile(r" youngest ")
_OLDEST = re.compile(r" (?:oldest|eldest) ")
_BIRTH = {"birth", "birthday", "birthdate", "born", "dob"}


def against_the_stated_order(query: Query) -> Iterator[Finding]:
    """The question says ascending or descending, and the only ORDER BY goes the other way."""
    down, up = bool(_DESCENDING.search(query.words)), bool(_ASCENDING.search(query.words))
    keys = [key for order in query.all(exp.Order) for key in order.expressions]
    if down == up or len(keys) != 1:
        return
    if bool(keys[0].args.get("desc")) != down:
        yield _direction(keys[0], "DESC" if down else "ASC")


def _direction(key: exp.Expr, wanted: str) -> Finding:
    now = "DESC" if key.args.get("desc") else "ASC"
    return Finding(
        KEY,
        "rule",
        f"The question asks for the other end: the order is {now}.",
        f"Order {wanted}.",
        node=key,
        slots={"modifier": now, "right_modifier": wanted},
    )


def wrong_end_of_age(query: Query) -> Iterator[Finding]:
    """The question asks for the youngest or the oldest, and the order of age begins at the other end."""
    young, old = (bool(pattern.search(query.words)) for pattern in (_YOUNGEST, _OLDEST))
    select = query.tree
    order = select.args.get("order") if isinstance(select, exp.Select) and select.args.get("limit") else None
    if young == old or order is None or len(order.expressions) != 1:
        return
    key = order.expressions[0]
    said = set(words(key.this.name)) if isinstance(key.this, exp.Column) else set()
    if not said & (_BIRTH | {"age"}):
        return
    late = young if said & _BIRTH else old
    if bool(key.args.get("desc")) != late:
        tree, (twin,) = query.copied(key)
        twin.replace(ordered(twin.this.copy(), query.parsed.dialect, desc=late))
        yield replace(_direction(key, "DESC" if late else "ASC"), mended=tree)


def distinct_not_said(query: Query) -> Iterator[Finding]:
    """The question says "distinct" or "different", and the query has nothing that makes rows so."""
    if not re.search(r" (?:distinct|different|unique) ", query.words):
        return
    said = next(query.all(exp.Distinct, exp.Group, exp.Union, exp.Intersect, exp.Except), None)
    select = outermost(query.tree)
    if said is not None or select is None or len(query.selects) > 1 or _is_unique(query, select):
        return
    yield Finding(
        KEY,
        "rule",
        "The question asks for distinct values, and the query may repeat them.",
        "Add DISTINCT.",
        node=select.expressions[0],
        slots={"modifier": "none", "right_modifier": "DISTINCT"},
    )


def _is_unique(query: Query, select: exp.Select) -> bool:
    """True when the rows cannot repeat: a key or everything is returned, or rows are counted."""
    single = len(query.selects) == 1 and not select.args.get("joins")
    for item in select.expressions:
        place = query.place(item.this if isinstance(item, exp.Count) else item)
        stored = query.distinct(place) if place is not None and single else None
        if stored is not None and place is not None and len(stored) == place.table.row_count:
            return True
        if isinstance(item, exp.Star) or (
            place is not None and single and _names_rows(query, place.column.name)
        ):
            return True
        if isinstance(item, exp.Count) and isinstance(item.this, exp.Star):
            return True
    return bool(select.args.get("limit"))


def _names_rows(query: Query, name: str) -> bool:
    return any(column.primary_key for t in query.schema.tables for column in t.columns if column.name == name)


def flipped_direction(bench: Bench) -> Iterator[Edit]:
    """Order the other way round."""
    for key in bench.shuffled(bench.query.all(exp.Ordered)):
        tree, (twin,) = bench.copy(key)
        twin.set("desc", not key.args.get("desc"))
        twin.set("nulls_first", not twin.args["desc"])
        yield Edit(tree, twin, f"{key.sql()} became {'DESC' if twin.args['desc'] else 'ASC'}")


def toggled_distinct(bench: Bench) -> Iterator[Edit]:
    """Add DISTINCT to a SELECT or a COUNT, or take it away."""
    query = bench.query
    for node in bench.shuffled([*query.all(exp.Select), *query.all(exp.Count)]):
        tree, (twin,) = bench.copy(node)
        if isinstance(node, exp.Select):
            if node.args.get("group") or node.parent is not None:
                continue
            twin.set("distinct", None if node.args.get("distinct") else exp.Distinct())
        elif isinstance(node.this, exp.Distinct):
            twin.set("this", twin.this.expressions[0])
        elif isinstance(node.this, exp.Column):
            twin.set("this", exp.Distinct(expressions=[twin.this]))
        else:
            continue
        yield Edit(tree, twin, "DISTINCT is toggled")


MODIFIER_ERROR = ErrorType(
    number=12,
    name="Modifier Error",
    description="DISTINCT, ASC or DESC is missing, wrong, or there without need.",
    priority=10,
    guideline="""Where: $nodes
Located in: $clause
Modifier now: $modifier
Modifier the question asks for: $right_modifier""",
    keywords=("distinct", "unique", "duplicate", "ascending", "descending", "order"),
    bugs=(BugLabel("Other Errors", "DISTINCT"), BugLabel("Other Errors", "ASC/DESC")),
    rules=(against_the_stated_order, wrong_end_of_age, distinct_not_said),
    operators=(flipped_direction, toggled_distinct),
    examples=(
        RepairExample(
            "Which shop has the most visitors?",
            "SELECT name FROM shops ORDER BY visitors LIMIT 1",
            "The order is ascending, so the shop with the fewest visitors comes first.",
            "SELECT name FROM shops ORDER BY visitors DESC LIMIT 1",
        ),
    ),
)
