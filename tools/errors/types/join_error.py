"""Error 15, Join Error: tables joined on the wrong columns, without a condition, or by the wrong join."""

from collections.abc import Iterator

from sqlglot import exp

from critiql.tools.errors.links import Link, column_node, is_unique, links_between, links_of
from critiql.tools.errors.mend.key_path import joins_along, sources_of, stands_for, turned, way_between
from critiql.tools.errors.query import Query
from critiql.tools.errors.types.error_type import BugLabel, ErrorType, Finding, RepairExample
from critiql.tools.errors.types.workbench import Bench, Edit
from critiql.tools.sql.scope import Binding, JoinPair, Scope, Source

KEY = "join_error"


def missing_condition(query: Query) -> Iterator[Finding]:
    """A table that no condition ties to the others, although a foreign key could."""
    for scope in query.selects:
        if len(scope.sources) < 2 or query.resolution.unresolved:
            continue
        for source in _untied(query, scope):
            links = [
                link
                for other in scope.sources
                if other is not source
                for link in _links(query, source, other)
            ]
            join = source.node.parent
            if (
                links
                and isinstance(join, exp.Join)
                and not join.args.get("on")
                and not join.args.get("using")
            ):
                yield Finding(
                    KEY,
                    "rule",
                    f"No condition ties {source.name} to the other tables: every row meets every row.",
                    f"Join it on {_text(links[0])}.",
                    node=source.node,
                    slots={"right_condition": _text(links[0]), "tables": source.name},
                )


def _untied(query: Query, scope: Scope) -> list[Source]:
    """Sources that share no condition with another source of the scope."""
    tied: set[int] = set()
    for node in (*query.all(exp.Where), *query.all(exp.Join), *query.all(exp.Having)):
        for part in node.walk():
            if isinstance(part, exp.Predicate | exp.Binary | exp.In):
                found = {
                    id(b.source) for c in part.find_all(exp.Column) if (b := query.binding(c)) is not None
                }
                if len(found) > 1:
                    tied |= found
    for pair in query.resolution.joins:
        tied |= {id(pair.left.source), id(pair.right.source)}
    return [source for source in scope.sources if id(source) not in tied and source.table is not None]


def _links(query: Query, source: Source, other: Source) -> list[Link]:
    if source.table is None or other.table is None:
        return []
    return links_between(query.schema, source.table, other.table)


def _text(link: Link) -> str:
    return f"{link.table.name}.{link.column} = {link.other.name}.{link.other_column}"


def unrelated_columns(query: Query) -> Iterator[Finding]:
    """Two tables joined on columns that no foreign key relates, although one relates the tables.

    Both must be keys, primary or foreign, so that it is known what they stand for. Silent when they bear the
    same name or refer to a common third column.
    """
    for pair in query.resolution.joins:
        if pair.join is None or not _plain(pair.left) or not _plain(pair.right):
            continue
        links = _links(query, pair.left.source, pair.right.source)
        if not links or any(_is(link, pair) for link in links) or _related(query, pair):
            continue
        if not (_is_key(query, pair.left) and _is_key(query, pair.right)):
            continue
        yield Finding(
            KEY,
            "rule",
            f"{pair.node.sql()} compares columns that do not refer to each other.",
            f"Join on {_text(links[0])}.",
            node=pair.node,
            slots={"condition": pair.node.sql(), "right_condition": _text(links[0])},
            mended=_joined_along(query, pair, tuple(links)) if len(links) == 1 else None,
        )


def skipped_table(query: Query) -> Iterator[Finding]:
    """Two tables joined on keys of different things, where one way of foreign keys leads over others."""
    for pair in query.resolution.joins:
        left, right = pair.left, pair.right
        if pair.join is None or left.table is None or right.table is None or _related(query, pair):
            continue
        ends = [
            stands_for(query.schema, table, side.name)
            for table, side in ((left.table, left), (right.table, right))
        ]
        way = () if None in ends or ends[0] == ends[1] else way_between(query.schema, left.table, right.table)
        if len(way) < 2 or sources_of(query, [link.other for link in way[:-1]]):
            continue
        over = " and ".join(link.other.name for link in way[:-1])
        yield Finding(
            KEY,
            "rule",
            f"{pair.node.sql()} compares keys of different things.",
            f"Join over {over}.",
            node=pair.node,
            slots={"condition": pair.node.sql(), "tables": over},
            mended=_joined_along(query, pair, way),
        )


def partner_of_nothing(query: Query) -> Iterator[Finding]:
    """A join on a column that has to be NULL: no row has such a partner. Meant are rows without one."""
    for pair in query.resolution.joins:
        join = pair.join
        if join is None or join.args.get("side") or join.args.get("method"):
            continue
        for side in (pair.left, pair.right):
            if side.source.node is not join.this:
                continue
            tests = [node for node in query.all(exp.Is) if isinstance(node.expression, exp.Null)]
            nothing = [
                node for node in tests if _is_of(query, node, side) and not isinstance(node.parent, exp.Not)
            ]
            if nothing:
                tree, (twin,) = query.copied(join)
                twin.set("kind", None)
                twin.set("side", "LEFT")
                yield Finding(
                    KEY,
                    "rule",
                    f"{nothing[0].sql()} is true of no row of this join.",
                    "Use LEFT JOIN.",
                    node=join,
                    slots={"condition": nothing[0].sql(), "tables": side.source.name},
                    mended=tree,
                )


def _is_of(query: Query, test: exp.Is, side: Binding) -> bool:
    """Whether it tests the column that a side of the join compares, or the key of its table."""
    binding = query.binding(test.this)
    if binding is None or binding.source is not side.source:
        return False
    return binding.name == side.name or binding.name in (side.table.primary_key if side.table else ())


def _joined_along(query: Query, pair: JoinPair, way: tuple[Link, ...]) -> exp.Query | None:
    """The query with the foreign keys of the way, which leads from the left to the right, as its joins."""
    join, left, right = pair.join, pair.left.source, pair.right.source
    if join is None or not isinstance(pair.node, exp.EQ) or way[0].table is not left.table:
        return None
    if right.node is not join.this:
        left, right, way = right, left, tuple(map(turned, reversed(way)))
    if right.node is not join.this or not isinstance(join.parent, exp.Select):
        return None
    tree, (condition, twin, select) = query.copied(pair.node, join, join.parent)
    *between, last = joins_along(query, left.name, way, right.name)
    condition.replace(last.args["on"])
    joins = select.args["joins"]
    at = next(place for place, each in enumerate(joins) if each is twin)
    select.set("joins", [*joins[:at], *between, *joins[at:]])
    return tree


def _is_key(query: Query, binding: Binding) -> bool:
    """True when the column is its table's primary key, or a foreign key by itself."""
    if binding.table is None:
        return False
    links = links_of(query.schema, binding.table)
    foreign = any(link.outward and link.column.casefold() == binding.name.casefold() for link in links)
    return foreign or is_unique(binding.table, binding.name)


def _plain(binding: Binding) -> bool:
    return binding.source.table is not None and binding.column is not None


def _is(link: Link, pair: JoinPair) -> bool:
    found = {(link.table.name, link.column.casefold()), (link.other.name, link.other_column.casefold())}
    return found == {(b.table.name, b.name.casefold()) for b in (pair.left, pair.right) if b.table}


def _related(query: Query, pair: JoinPair) -> bool:
    left, right = pair.left, pair.right
    if left.name.casefold() == right.name.casefold() or left.table is right.table:
        return True
    if left.table is None or right.table is None:
        return True
    targets = [
        {
            (key.to_table.casefold(), key.to_columns[0].casefold())
            for key in query.schema.foreign_keys
            if key.table == b.table.name and key.columns[0].casefold() == b.name.casefold() and key.to_columns
        }
        for b in (left, right)
        if b.table
    ]
    return bool(targets[0] & targets[1])


def other_join_column(bench: Bench) -> Iterator[Edit]:
    """Join on another column of one of the two tables."""
    for pair in bench.shuffled(bench.query.resolution.joins):
        if pair.join is None or not isinstance(pair.node, exp.EQ):
            continue
        for side in bench.shuffled((pair.node.this, pair.node.expression)):
            place = bench.query.place(side)
            for other in bench.alike(*place)[:2] if place else ():
                new = column_node(other.name, side.table or None, bench.query.parsed.dialect)
                yield bench.replaced(side, new, f"the join compares {other.name}")


def other_join_type(bench: Bench) -> Iterator[Edit]:
    """LEFT JOIN instead of JOIN, or the reverse."""
    for join in bench.shuffled(bench.query.all(exp.Join)):
        if not join.args.get("on"):
            continue
        tree, (twin,) = bench.copy(join)
        left = str(join.args.get("side") or "").upper() == "LEFT"
        twin.set("side", None if left else "LEFT")
        twin.set("kind", None)
        yield Edit(tree, twin, "LEFT JOIN became JOIN" if left else "JOIN became LEFT JOIN")


def dropped_join_condition(bench: Bench) -> Iterator[Edit]:
    """Join without a condition."""
    for join in bench.shuffled(bench.query.all(exp.Join)):
        if any(pair.join is join for pair in bench.query.resolution.joins):
            tree, (twin,) = bench.copy(join)
            twin.set("on", None)
            yield Edit(tree, twin, "the join condition is left out")


JOIN_ERROR = ErrorType(
    number=15,
    name="Join Error",
    description="Tables are joined on the wrong columns, without a condition, or by the wrong type of join.",
    priority=2,
    guideline="""Wrong join: $nodes
Located in: $clause
Tables: $tables
Condition now: $condition
Condition by the foreign keys: $right_condition""",
    keywords=("join", "foreign", "key", "condition", "on", "left", "inner"),
    bugs=(
        BugLabel("Table-Related Errors", "Join Condition Mismatch"),
        BugLabel("Table-Related Errors", "Join Type Mismatch"),
    ),
    rules=(missing_condition, unrelated_columns, skipped_table, partner_of_nothing),
    operators=(other_join_column, other_join_type, dropped_join_condition),
    examples=(
        RepairExample(
            "List each pet with the name of its owner.",
            "SELECT p.name, o.name FROM pets AS p JOIN owners AS o ON p.id = o.id",
            "pets.owner_id refers to owners.id; p.id is the pet's own key.",
            "SELECT p.name, o.name FROM pets AS p JOIN owners AS o ON p.owner_id = o.id",
        ),
    ),
)
