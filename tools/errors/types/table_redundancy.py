"""Error 5, Table Redundancy: the query joins a table it does not need."""

import re
from collections.abc import Iterator, Sequence

from sqlglot import exp

from critiql.tools.errors.links import Link, column_node, identifier, is_unique, links_of
from critiql.tools.errors.query import Query, own_nodes
from critiql.tools.errors.types.error_type import BugLabel, ErrorType, Finding, RepairExample
from critiql.tools.errors.types.workbench import Bench, Edit
from critiql.tools.schema.model import Table
from critiql.tools.sql.scope import JoinPair, Scope, Source

KEY = "table_redundancy"


def unmentioned_table(query: Query) -> Iterator[Finding]:
    """A table that is joined, of which nothing else is used, and of which the question says no word.

    A word counts when it begins like a part of the table's name or of one of its columns. Silent for a table
    joined on its key, which neither loses nor repeats rows.
    """
    if not query.question:
        return
    for scope in query.selects:
        for source in scope.sources:
            if source.table is None or not _only_joined(query, source) or _mentioned(query, source.table):
                continue
            if _returns_plain_columns(query, scope):
                yield _unused(source, source.table.name, "speak of it")


def unneeded_join(query: Query) -> Iterator[Finding]:
    """A table that is joined, of which nothing else is used, and which the question does not name.

    A word of the question names it that begins like a part of the table's name, or of the column it is joined
    on where the other side is called otherwise. Silent where rows are counted, since a join makes those, and
    of a table that another part of the query needs: what names it there may be meant here as well.
    """
    unused = [one for scope in query.selects if not _counts(scope) for one in _left_out(query, scope)]
    sources = {id(source) for source, _ in unused}
    needed = [one.table for scope in query.selects for one in scope.sources if id(one) not in sources]
    left_out = [(source, pair) for source, pair in unused if source.table not in needed]
    mended = _without(query, left_out) if query.question and left_out else None
    for source, _ in left_out if mended is not None else ():
        assert source.table is not None  # only tables of the schema are left out
        yield _unused(source, source.table.name, "name it", mended)


def _unused(source: Source, table: str, does_not: str, mended: exp.Query | None = None) -> Finding:
    """A joined table that the question does not name, or speak of."""
    return Finding(
        KEY,
        "rule",
        f"{source.name} is joined, nothing of it is used, and the question does not {does_not}.",
        f"Leave out the join with {source.name}.",
        node=source.node,
        slots={"redundant": table, "reason": f"the question does not {does_not}"},
        mended=mended,
    )


def _counts(scope: Scope) -> bool:
    return any(isinstance(node, exp.Count) for node in own_nodes(scope.node))


def _left_out(query: Query, scope: Scope) -> Iterator[tuple[Source, JoinPair]]:
    """The tables of a FROM clause that only one equality of an inner join uses, each with that equality."""
    if any(item.is_star for item in scope.node.expressions):
        return
    used: list[exp.Join | None] = []
    for source in scope.sources:
        pairs = _conditions(query, source)
        if source.table is None or len(pairs) != 1 or len(_uses(query, source)) != 1:
            continue
        join = pairs[0].join
        if join is None or join.side or not isinstance(join.args.get("on"), exp.EQ) or join in used:
            continue
        if not _named(query, source, pairs[0]) and _can_go(scope.node, source.node, join):
            used.append(join)
            yield source, pairs[0]


def _can_go(select: exp.Select, table: exp.Expr, join: exp.Join) -> bool:
    """Whether a table can go with its join: it is what is joined, or the first beside its neighbour."""
    return join.this is table or (select.args["from_"].this is table and select.args["joins"][0] is join)


def _without(query: Query, left_out: Sequence[tuple[Source, JoinPair]]) -> exp.Query:
    """A copy of the query without some joined tables."""
    joins = [pair.join for _, pair in left_out if pair.join is not None]
    tree, twins = query.copied(*(source.node for source, _ in left_out), *joins)
    for table, join in zip(twins[: len(left_out)], twins[len(left_out) :], strict=True):
        if join.this is not table and join.parent is not None:
            join.parent.args["from_"].set("this", join.this.copy())
        join.pop()
    return tree


def _returns_plain_columns(query: Query, scope: Scope) -> bool:
    """True when the query is one SELECT of columns: a table that is counted over has a use."""
    plain = all(query.place(item) is not None for item in scope.node.expressions)
    grouped = scope.node.args.get("group") or scope.node.args.get("order")
    return plain and not grouped and scope.node is query.tree and len(scope.sources) > 1


def _only_joined(query: Query, source: Source) -> bool:
    """True when one join condition is the only thing that uses a source."""
    pairs = _conditions(query, source)
    return len(_uses(query, source)) == 1 and len(pairs) == 1 and not _is_lookup(source, pairs[0])


def _uses(query: Query, source: Source) -> list[exp.Column]:
    """Every column of the query that is one of a source."""
    return [n for n in query.all(exp.Column) if (b := query.binding(n)) is not None and b.source is source]


def _conditions(query: Query, source: Source) -> list[JoinPair]:
    """The equalities of joins that a source is part of."""
    return [p for p in query.resolution.joins if source in (p.left.source, p.right.source) and p.join]


def _is_lookup(source: Source, pair: JoinPair) -> bool:
    """True when the table is joined on its key: each row finds one partner, and the answer stays the same."""
    own = pair.left if pair.left.source is source else pair.right
    return own.table is not None and is_unique(own.table, own.name)


def _mentioned(query: Query, table: Table) -> bool:
    names = [table.name, *(column.name for column in table.columns if not column.primary_key)]
    return _says_any(query, names)


def _named(query: Query, source: Source, pair: JoinPair) -> bool:
    own, other = (pair.left, pair.right) if pair.left.source is source else (pair.right, pair.left)
    known = {part[:5] for name in (other.name, _table_name(other.table)) for part in _parts(name)}
    told = [part for part in _parts(own.name) if part[:5] not in known]
    return _says_any(query, [_table_name(source.table), *told])


def _table_name(table: Table | None) -> str:
    return table.name if table is not None else ""


def _says_any(query: Query, names: Sequence[str]) -> bool:
    """True when a word of the question begins like a part of one of the names."""
    parts = {part[:5] for name in names for part in _parts(name) if len(part) > 2}
    return any(word.startswith(part) for word in query.words.split() for part in parts)


def _parts(name: str) -> list[str]:
    """The words of a name written with underscores or capitals, in lower case."""
    return [part.casefold() for part in re.findall(r"[a-z]+|[A-Z]+(?![a-z])|[A-Z][a-z]+", name)]


def extra_table(bench: Bench) -> Iterator[Edit]:
    """Join a table one foreign key away that nothing else uses."""
    for scope in bench.shuffled(bench.query.selects):
        present = {source.table for source in scope.sources if source.table}
        if len(present) != len(scope.sources) or any(isinstance(i, exp.Star) for i in scope.node.expressions):
            continue
        for source in bench.shuffled(scope.sources):
            links = links_of(bench.query.schema, source.table) if source.table else ()
            for link in bench.shuffled(link for link in links if link.other not in present):
                yield _joined(bench, scope, source, link)


def _joined(bench: Bench, scope: Scope, source: Source, link: Link) -> Edit:
    clashing = [
        node
        for node in bench.query.all(exp.Column)
        if not node.table
        and (binding := bench.query.binding(node)) is not None
        and binding.source in scope.sources
        and link.other.column(node.name)
    ]
    tree, (select, *twins) = bench.copy(scope.node, *clashing)
    dialect = bench.query.parsed.dialect
    for node, twin in zip(clashing, twins, strict=True):
        binding = bench.query.binding(node)
        if binding is not None:
            twin.set("table", identifier(binding.source.name, dialect).copy())
    taken = {inner.name.casefold() for inner in scope.sources}
    alias = next(name for name in (f"T{n}" for n in range(1, 100)) if name.casefold() not in taken)
    table = exp.Table(
        this=identifier(link.other.name, dialect).copy(), alias=exp.TableAlias(this=exp.to_identifier(alias))
    )
    on = exp.EQ(
        this=column_node(link.column, source.name, dialect),
        expression=column_node(link.other_column, alias, dialect),
    )
    select.append("joins", exp.Join(this=table, on=on))
    return Edit(tree, table, f"{link.other.name} is joined as well")


TABLE_REDUNDANCY = ErrorType(
    number=5,
    name="Table Redundancy",
    description="The query joins a table that the question does not need, which loses or repeats rows.",
    priority=1,
    guideline="""Redundant table: $nodes
Located in: $clause
Joined on: $condition
Columns used from it: $columns
Why it is not needed: $reason""",
    keywords=("redundant", "unnecessary", "join", "table", "extra", "superfluous"),
    bugs=(BugLabel("Table-Related Errors", "Table Redundancy"),),
    rules=(unneeded_join, unmentioned_table),
    operators=(extra_table,),
    examples=(
        RepairExample(
            "List the names of all members.",
            "SELECT m.name FROM members AS m JOIN loans AS l ON l.member_id = m.id",
            "loans is not needed: it drops members without loans and repeats those with several.",
            "SELECT name FROM members",
        ),
    ),
)
